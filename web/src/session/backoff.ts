/** Pure: how long to wait before the next attempt to connect. */

const FIRST_MS = 250;
const LONGEST_MS = 5_000;

/**
 * Twice as long after each failure, from a quarter of a second to five seconds.
 * @param failures in a row, from 1.
 * @param random from 0 to 1: viewers that were cut off together do not come back together.
 */
export function backoffMs(failures: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return Math.round(Math.max(FIRST_MS, whole * (0.5 + random / 2)));
}
