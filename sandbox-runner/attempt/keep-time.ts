/** For how long the workspace of an attempt that has ended may be packed and sent: somebody may stop the attempt meanwhile. */
import type { StopSwitch } from "./stop-switch.ts";

/** For a run that is given up, in milliseconds: the least that there is. */
const HURRIED_KEEP_MS = 10_000;
/** To pack and to send it for a run that waits, whose lease is taken after `PARK_GRACE_MS`. */
export const PARKED_KEEP_MS = 240_000;

/**
 * @param endsAtMs when the attempt's time is over, by the clock of `nowMs`; infinity for a run that waits.
 * @returns how long it may take. In whole milliseconds: `AbortSignal.timeout` refuses others, and `performance.now()` tells fractions.
 */
export function keepMs(endsAtMs: number, nowMs: number): number {
  return Number.isFinite(endsAtMs) ? Math.max(HURRIED_KEEP_MS, Math.round(endsAtMs - nowMs)) : PARKED_KEEP_MS;
}

export class KeepTime {
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout;

  /** @param deadlineMs in milliseconds, where nobody stops the attempt. A run that is canceled is given up soon; nobody waits for a runner that ends. */
  constructor(stop: StopSwitch, deadlineMs: number) {
    this.#timer = this.#endIn(deadlineMs);
    void stop.stopped.then(() => {
      if (this.signal.aborted) return;
      clearTimeout(this.#timer);
      this.#timer = this.#endIn(Math.min(HURRIED_KEEP_MS, deadlineMs));
    });
    void Promise.race([stop.runnerStopped, stop.ended]).then(() => this.end());
  }

  /** Aborted when the time is over. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** It is kept, or can't be: what is still under way for it is left. */
  end(): void {
    clearTimeout(this.#timer);
    this.#over.abort();
  }

  #endIn(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.end(), ms);
  }
}
