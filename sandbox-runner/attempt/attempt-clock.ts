/** The time that an attempt has: it does not run while the run waits for somebody, and begins anew when it goes on. */
import type { WaitingFor } from "#protocol/waiting.ts";

export class AttemptClock {
  /** Whether it stands still while the run waits: the run's object then gives the sandbox up. */
  stands = false;
  readonly #onOver: () => void;
  #timeoutMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #endsAtMs = Number.POSITIVE_INFINITY;
  #heldFor: WaitingFor | null = null;

  constructor(onOver: () => void) {
    this.#onOver = onOver;
  }

  /** What the run waits for; null while it works. */
  get heldFor(): WaitingFor | null {
    return this.#heldFor;
  }

  /** By `performance.now()`; infinity while it waits. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  start(timeoutMs: number): void {
    this.#timeoutMs = timeoutMs;
    this.#begin();
  }

  /** The run waits. */
  hold(what: WaitingFor): void {
    if (!this.stands) return;
    this.stop();
    this.#heldFor = what;
    this.#endsAtMs = Number.POSITIVE_INFINITY;
  }

  /** What the run waits for has come. */
  goOn(): void {
    if (this.#heldFor !== null) this.#begin();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.stop();
    this.#heldFor = null;
    this.#endsAtMs = performance.now() + this.#timeoutMs;
    this.#timer = setTimeout(this.#onOver, this.#timeoutMs);
  }
}
