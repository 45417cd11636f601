/** Notices when a stream stops without having ended. */

/** Aborts `signal` when for some time neither `touch` nor `end` was called. */
export class Stall {
  readonly #controller = new AbortController();
  readonly #ms: number;
  #timer: ReturnType<typeof setTimeout>;
  #hasEnded = false;

  constructor(ms: number) {
    this.#ms = ms;
    this.#timer = this.#start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has happened: the time begins anew. Nothing begins after the end, as where an answer comes before all is sent. */
  touch(): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#hasEnded = true;
  }

  #start() {
    return setTimeout(() => this.#controller.abort(new Error(`nothing came for ${this.#ms} ms`)), this.#ms);
  }
}
