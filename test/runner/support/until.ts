/** Waits for a condition that no event announces. */
import { type Look, until as untilWithin } from "#test/scripts/support/until.ts";

/** @returns the first value that is neither null, undefined nor false. @throws when none came in time. */
export async function until<Value>(
  what: string,
  look: () => Look<Value> | Promise<Look<Value>>,
  boundMs = 45_000,
): Promise<Value> {
  return await untilWithin(what, boundMs, look);
}
