/**
 * Whether a runner's silence is one. After a clock that has jumped, as on a machine that has slept, or a pool that was away for a
 * while, all runners seem silent: where that is noticed late, they are asked first.
 */
import type { Runner } from "./known-runners.ts";

/** What is noticed so late is in doubt, and for as long. */
export const DOUBT_MS = 5_000;

/** Runners of version 1 do not know the question. */
export function canBeProbed({ attachment }: Runner): boolean {
  return (attachment?.protocol ?? 1) >= 2;
}

/** @param runner of which nobody has heard since its `quietUntilMs`. @param ask asks it to give a sign. */
export function isInDoubt(runner: Runner, nowMs: number, ask: () => void): boolean {
  if (runner.doubtedMs === null) {
    if (!canBeProbed(runner) || nowMs - runner.quietUntilMs <= DOUBT_MS) return false;
    runner.doubtedMs = nowMs;
    ask();
  }
  return nowMs - runner.doubtedMs < DOUBT_MS;
}
