/** Waiting for a condition of which nothing tells. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;

type Look<Value> = Value | null | undefined | false;

/** Waits until the condition gives something; fails loudly with what was waited for. */
export async function until<Value>(
  what: string,
  deadlineMs: number,
  look: () => Look<Value> | Promise<Look<Value>>,
): Promise<Value> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    await delay(POLL_MS);
  }
  throw new Error(`${what} did not happen within ${deadlineMs} ms`);
}
