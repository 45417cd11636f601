/** When a watch looks again whose look has failed. Pure. */
const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;

/** @param failures in a row, from 1 on. @returns a minute, and twice as long each time, up to an hour; in milliseconds. */
export function watchRetryMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
}
