/** How the work grows with the input: found by comparing two sizes with each other, on the same machine at the same time. */
import { expect, it } from "vitest";

/** How many times larger the larger input is. Work that grows with its square takes 64 times as long. */
const LARGER = 8;
const MOST_TIMES = 28;
/** What takes less is not looked at: the clock is too coarse. In milliseconds. */
const LEAST_MS = 4;
const TRIES = 6;

/**
 * @param size of the larger inputs: what the parser takes, or as much as a body may bring. @param units what inputs repeat; the
 * one that takes longest is looked at.
 */
export function growsNoFaster(
  title: string,
  size: number,
  units: readonly string[],
  work: (input: string) => unknown,
): void {
  it(title, { timeout: 300_000 }, () => {
    const unit = slowest(units, (one) => elapsed(work, repeated(one, Math.ceil(size / LARGER))));
    const [small, large] = [repeated(unit, Math.ceil(size / LARGER)), repeated(unit, size)];
    let best = Number.POSITIVE_INFINITY;
    // The machine has bad moments, which make no work less: the best of some tries tells.
    for (let tries = 0; tries < TRIES && best > MOST_TIMES; tries += 1) {
      const largeMs = elapsed(work, large);
      best = Math.min(best, largeMs < LEAST_MS ? 1 : largeMs / Math.max(elapsed(work, small), LEAST_MS / MOST_TIMES));
    }
    expect(best, `times as long for ${LARGER} times as much of ${JSON.stringify(unit)}`).toBeLessThanOrEqual(
      MOST_TIMES,
    );
  });
}

function repeated(unit: string, size: number): string {
  return unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
}

function slowest(units: readonly string[], msOf: (unit: string) => number): string {
  const [first = "x", ...others] = units;
  let found = { unit: first, ms: msOf(first) };
  for (const unit of others) {
    const ms = msOf(unit);
    if (ms > found.ms) found = { unit, ms };
  }
  return found.unit;
}

function elapsed(work: (input: string) => unknown, input: string): number {
  const from = performance.now();
  work(input);
  return performance.now() - from;
}
