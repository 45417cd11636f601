/**
 * Calls that undo each other where they overlap: what one is writing to R2, no row names yet, and the other would remove it as
 * nobody's. A lane makes one call after the other, but begins the next when it has given one up, which goes on all the same.
 */

/** In milliseconds. No call to R2 goes on for longer. */
const LONGEST_CALL_MS = 600_000;

export class OneAtATime {
  /** When the call that is under way is not waited for any more, in Unix milliseconds; 0 while there is none. */
  #untilMs = 0;

  /** @throws Error while the call before has not ended: this one is to be made later. */
  async make<Value>(call: () => Promise<Value>): Promise<Value> {
    const nowMs = Date.now();
    if (nowMs < this.#untilMs) throw new Error("the call before has not ended");
    const untilMs = nowMs + LONGEST_CALL_MS;
    this.#untilMs = untilMs;
    try {
      return await call();
    } finally {
      if (this.#untilMs === untilMs) this.#untilMs = 0;
    }
  }
}
