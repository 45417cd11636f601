/** When to try again what had no room or did not answer. Pure. */

/** A row of failures. Moments are Unix milliseconds. */
export interface Pause {
  failures: number;
  sinceMs: number;
  untilMs: number;
}

const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;

/** @param before the pause before this failure; null after a success. @returns one that is twice as long, up to a minute. */
export function longerPause(before: Pause | null, nowMs: number): Pause {
  const failures = (before?.failures ?? 0) + 1;
  const untilMs = nowMs + Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return { failures, sinceMs: before?.sinceMs ?? nowMs, untilMs };
}
