/**
 * How many requests of an attempt wait for hosts at once: a program may open ten thousand, and this isolate serves other runs too.
 * It is this isolate's memory alone.
 */
import type { LeaseRef } from "#protocol/runner-link.ts";

/** As many as a sandbox on a machine may have connections. */
const MOST = 256;
/** A request that is older has been answered or given up, whether or not the platform has let it say so. */
const LONGEST_MS = 600_000;

export class WaitingRequests {
  /** When each began, for each attempt. */
  readonly #attempts = new Map<string, Set<{ since: number }>>();

  /** @returns what is to be called when the host has answered; null when too many wait already. */
  begin({ run_id, generation }: LeaseRef, now = Date.now()): (() => void) | null {
    const key = `${run_id}.${generation}`;
    const waiting = this.#attempts.get(key) ?? new Set();
    if (waiting.size >= MOST) {
      for (const one of waiting) if (now - one.since > LONGEST_MS) waiting.delete(one);
      if (waiting.size >= MOST) return null;
    }
    const request = { since: now };
    waiting.add(request);
    this.#attempts.set(key, waiting);
    return () => {
      waiting.delete(request);
      if (waiting.size === 0) this.#attempts.delete(key);
    };
  }
}
