/** When the next write of runs into D1 sets out, so that what changes meanwhile shares it. */

/**
 * Lists of runs may be behind by this much: while single runs change, and while many do, when the writes themselves would
 * take up what the runs need.
 */
const DELAY_MS = { single: 150, many: 500 };

export class SharedWrites {
  readonly #write: () => void;
  #delayMs = DELAY_MS.single;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param write makes whatever write is owed. */
  constructor(write: () => void) {
    this.#write = write;
  }

  /** A run has changed. */
  soon(): void {
    this.#timer ??= setTimeout(this.#write, this.#delayMs);
  }

  /** A write sets out: what is owed until now is in it. */
  begun(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** @param runs how many were in it. */
  ended(runs: number): void {
    this.#delayMs = runs > 1 ? DELAY_MS.many : DELAY_MS.single;
  }
}
