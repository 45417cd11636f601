/** Waits for a condition that no event announces. */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 15;

/** @returns the first value that is neither null, undefined nor false. @throws when none came in time. */
export async function until<Value>(
  what: string,
  look: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  boundMs = 45_000,
): Promise<Value> {
  const deadline = Date.now() + boundMs;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${boundMs} ms`);
    await sleep(POLL_MS);
  }
}
