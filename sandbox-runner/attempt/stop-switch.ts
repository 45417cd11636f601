/**
 * Stops an attempt once: the first reason is the one that counts, but a later one may still shorten the wait for its last
 * frames.
 */
import type { StopReason } from "../agent/outcome.ts";

export class StopSwitch {
  readonly #controller = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #runnerStopped = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #reason: StopReason | null = null;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  get reason(): StopReason | null {
    return this.#reason;
  }
  /** Settles when the attempt is to stop. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }
  /** Settles when the runner itself ends. */
  get runnerStopped(): Promise<void> {
    return this.#runnerStopped.promise;
  }
  /** Settles when nobody waits for the attempt any more. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  stop(reason: StopReason): void {
    this.#reason ??= reason;
    if (reason === "runner_stopped") this.#runnerStopped.resolve();
    if (reason === "ended") this.#ended.resolve();
    this.#stopped.resolve();
    this.#controller.abort();
  }
}
