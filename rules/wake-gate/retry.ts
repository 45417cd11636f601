/** When a gate that could not be asked is asked again, and when that is given up. Pure. */
const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;

/** So often it is asked for one thing that has come: over some ten minutes. */
export const GATE_TRIES = 8;

/** @param failures in a row, from 1 on. @returns five seconds, and twice as long each time, up to five minutes; in milliseconds. */
export function gateRetryMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
