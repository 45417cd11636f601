/** How long something that failed is put off. Pure. */
const FIRST_MS = 1_000;
const LONGEST_MS = 3_600_000;

/** @param failures in a row, from 1 on. @returns a second, and twice as long each time, up to an hour. */
export function backoffMs(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
}
