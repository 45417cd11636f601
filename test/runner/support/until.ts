/** Waits for a condition that no event announces. */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 15;
/** How much longer than a look the pause after it is: one that takes long would take the machine from what is waited for. */
const PAUSE_PER_LOOK = 2;
const LONGEST_PAUSE_MS = 500;

/** @returns the first value that is neither null, undefined nor false. @throws when none came in time. */
export async function until<Value>(
  what: string,
  look: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  boundMs = 45_000,
): Promise<Value> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const lookedAt = performance.now();
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${boundMs} ms`);
    await sleep(pauseAfter(performance.now() - lookedAt));
  }
}

function pauseAfter(lookMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(POLL_MS, PAUSE_PER_LOOK * lookMs));
}
