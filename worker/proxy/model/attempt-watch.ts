/**
 * Notices that an attempt has ended while the model says nothing to it. The platform does not always tell that whoever reads an
 * answer has gone; without this the upstream would go on answering nobody.
 */

/** How long a call is silent before it is asked whether its attempt is still on, and how long until that is asked again. */
export const LOOK_MS = 12_000;

export class AttemptWatch {
  readonly #isOn: () => Promise<boolean>;
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout>;
  #hasEnded = false;

  /** @param isOn whether the attempt is still on. Where it rejects, it is asked again. */
  constructor(isOn: () => Promise<boolean>) {
    this.#isOn = isOn;
    this.#timer = this.#start();
  }

  /** Aborts when the attempt has ended. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has come: for a while nothing is asked. */
  touch(): void {
    clearTimeout(this.#timer);
    if (!this.#hasEnded) this.#timer = this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#hasEnded = true;
  }

  #start() {
    return setTimeout(() => this.#look(), LOOK_MS);
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    const isOn = await this.#isOn().catch(() => true);
    // Something has come meanwhile, or the call has ended.
    if (this.#timer !== timer || this.#hasEnded) return;
    if (isOn) this.#timer = this.#start();
    else this.#controller.abort(new Error("the attempt has ended"));
  }
}
