/** Notices that for some time nothing has happened. */

export class Silence {
  readonly #ms: number;
  readonly #onSilence: () => void;
  #timer: ReturnType<typeof setTimeout>;
  #hasEnded = false;
  /** Counts what begins the time anew. */
  #count = 0;

  constructor(ms: number, onSilence: () => void) {
    this.#ms = ms;
    this.#onSilence = onSilence;
    this.#timer = setTimeout(onSilence, ms);
  }

  /** Something has happened: the time begins anew. Nothing begins after the end, as where an answer comes before all is sent. */
  touch(): void {
    clearTimeout(this.#timer);
    this.#count += 1;
    if (!this.#hasEnded) this.#timer = setTimeout(this.#onSilence, this.#ms);
  }

  /** @returns asks whether nothing has happened since now, and it has not ended. */
  mark(): () => boolean {
    const count = this.#count;
    return () => this.#count === count && !this.#hasEnded;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#hasEnded = true;
  }
}
