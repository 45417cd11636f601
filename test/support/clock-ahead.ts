/** Lets the tests run as on a later day. */

/** As the first file of tests has set it: one process runs many, and each asks. */
let started: DateConstructor | undefined;

/**
 * From here on `Date` is ahead of the real clock by so many milliseconds; what a test sets comes on top of that. Asked again, it
 * changes nothing.
 *
 * @returns the `Date` that tests find before they set the clock.
 */
export function clockAhead(aheadMs: number): DateConstructor {
  if (aheadMs === 0) return Date;
  if (started !== undefined) return started;
  const real = Date;
  const now = () => real.now() + aheadMs;
  globalThis.Date = new Proxy(real, {
    construct: (target, parts, made) => Reflect.construct(target, parts.length === 0 ? [now()] : parts, made),
    get: (target, key, receiver) => (key === "now" ? now : Reflect.get(target, key, receiver)),
  });
  started = globalThis.Date;
  return started;
}
