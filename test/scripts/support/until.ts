/** Waiting for a condition of which nothing tells. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;
/** How much longer than a look the pause after it is: one that takes long would take the machine from what is waited for. */
const PAUSE_PER_LOOK = 2;
const LONGEST_PAUSE_MS = 500;

export type Look<Value> = Value | null | undefined | false;

/** Waits until the condition gives something; fails loudly with what was waited for. */
export async function until<Value>(
  what: string,
  deadlineMs: number,
  look: () => Look<Value> | Promise<Look<Value>>,
): Promise<Value> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    const lookedAt = performance.now();
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    await delay(pauseAfter(performance.now() - lookedAt));
  }
  throw new Error(`${what} did not happen within ${deadlineMs} ms`);
}

/** How long to pause after a look that took so long, before the next one. */
export function pauseAfter(lookMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(POLL_MS, PAUSE_PER_LOOK * lookMs));
}
