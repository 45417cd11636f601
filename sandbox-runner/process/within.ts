/** Waits for something, but not for ever. */

/** @returns `otherwise` when the work has not settled by the deadline; the work itself goes on. */
export async function within<Value, Otherwise>(
  deadlineMs: number,
  work: Promise<Value>,
  otherwise: Otherwise,
): Promise<Value | Otherwise> {
  const late = Promise.withResolvers<Otherwise>();
  const timer = setTimeout(() => late.resolve(otherwise), deadlineMs);
  return await Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
