/**
 * How slowly a file may go to the instance, or come from it. A deadline for the whole would cut off what is long on a slow line; so
 * each piece that has passed earns it more time, up to what it began with.
 */

/** In milliseconds. What has gone out may still lie in the machine's own buffers, and the answer comes when all is kept. */
const GRACE_MS = 120_000;
/** The slowest line that is served, in bytes per millisecond, as the instance counts: 128 kbit/s. */
export const LEAST_RATE = 16;

export class TransferPace {
  readonly #late = new AbortController();
  #left = GRACE_MS;
  #sinceMs = performance.now();
  #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = this.#wait();
  }

  /** Aborted when it does not go on, or too slowly. */
  get signal(): AbortSignal {
    return this.#late.signal;
  }

  /** So many bytes more have passed. */
  passed(bytes: number): void {
    const nowMs = performance.now();
    this.#left = Math.min(GRACE_MS, this.#left - (nowMs - this.#sinceMs) + bytes / LEAST_RATE);
    this.#sinceMs = nowMs;
    clearTimeout(this.#timer);
    this.#timer = this.#wait();
  }

  /** It has come to its end, or is given up. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #wait(): NodeJS.Timeout {
    const late = () => this.#late.abort(new Error("the instance takes or sends too slowly, or gives no answer"));
    return setTimeout(late, Math.max(0, this.#left));
  }
}
