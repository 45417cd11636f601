/** What people say to the agent, as the link brings it: each once, in order, and when the run is to end. */
import type { RunToRunner } from "#protocol/runner-link.ts";

export type Said = Extract<RunToRunner, { type: "message" | "interrupt" }>;
type SaidMessage = Extract<Said, { type: "message" }>;

export class Inbox {
  /** Whether people can talk to this run, and its object says when it ends. */
  isSteered = false;
  #isClosed = false;
  #known = 0;
  readonly #messages: SaidMessage[] = [];
  readonly #interrupts: number[] = [];
  #changed = Promise.withResolvers<void>();

  get isClosed(): boolean {
    return this.#isClosed;
  }
  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** Said again after a broken connection, it changes nothing. */
  hear(said: Said): void {
    if (said.n <= this.#known) return;
    this.#known = said.n;
    if (said.type === "message") this.#messages.push(said);
    else this.#interrupts.push(said.n);
    this.#wake();
  }

  /** No message will come any more. */
  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  takeMessage(): SaidMessage | undefined {
    return this.#messages.shift();
  }

  takeInterrupt(): number | undefined {
    return this.#interrupts.shift();
  }

  /** Settles when something has come. */
  changed(): Promise<void> {
    return this.#changed.promise;
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }
}
