/** One clock for all processes of the bench, finer than a millisecond. */

/** Unix milliseconds with a fraction. Processes on one machine agree to well under a millisecond. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
