/** A call that has a time to answer in: nobody waits for ever for a party that hangs. */

/** A call that has not gone through after this long is tried again later, and holds up nobody. */
export const CALL_DEADLINE_MS = 15_000;

/** There was no answer in time. The call may have taken effect, or may yet. */
export class NoAnswer extends Error {}

/**
 * @param call a promise, or several kinds of one; it goes on when its time is over.
 * @param party who is asked, for the log: `the index`. @throws NoAnswer when the call takes longer.
 */
export async function withinDeadline<Call>(
  call: Call,
  deadlineMs = CALL_DEADLINE_MS,
  party = "the call",
): Promise<Awaited<Call>> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NoAnswer(`${party} did not answer within ${deadlineMs} ms`)), deadlineMs);
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
