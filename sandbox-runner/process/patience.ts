/** Bounds a wait by what comes meanwhile, not by how long it takes. */

export interface PatienceOptions {
  /** So long may nothing come. */
  idleMs: number;
  /** How much has come so far. */
  count(): number;
  /** Told now and then while something comes. */
  onProgress?(count: number): void;
  /** Ends the wait too. */
  signal: AbortSignal;
}

const TELL_EVERY_MS = 60_000;

/** Aborts `signal` when nothing has come for too long; `isOver` then tells it from the abort of whoever waits. */
export class Patience {
  readonly #options: PatienceOptions;
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #seen: number;
  #seenAtMs = performance.now();
  #toldAtMs = performance.now();

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.#seen = options.count();
    this.#timer = setInterval(() => this.#look(), Math.min(1_000, Math.max(10, options.idleMs / 10)));
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  get signal(): AbortSignal {
    return AbortSignal.any([this.#options.signal, this.#over.signal]);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { idleMs, count, onProgress } = this.#options;
    const nowMs = performance.now();
    const now = count();
    if (now === this.#seen) {
      if (nowMs - this.#seenAtMs >= idleMs) this.#over.abort();
      return;
    }
    this.#seen = now;
    this.#seenAtMs = nowMs;
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    onProgress?.(now);
  }
}
