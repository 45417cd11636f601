/**
 * Which denials a run's transcript has been told already: an agent may ask for the same host a thousand times in a minute, and
 * its routine's object is not to be called for each. It is this isolate's memory alone; the object itself tells each once.
 */
import type { LeaseRef } from "#protocol/runner-link.ts";

const ATTEMPTS_KEPT = 500;
/** As many notices of one attempt as its transcript takes. */
const TOLD = 50;

export class ToldDenials {
  /** The messages of each attempt, the attempt that began last at the end. */
  readonly #told = new Map<string, Set<string>>();

  /**
   * Tells a message, unless it has been told or is being told.
   * @param tell resolves when the transcript has it. When it rejects, the next denial tells it again.
   */
  async once({ run_id, generation }: LeaseRef, message: string, tell: () => Promise<void>): Promise<void> {
    const told = this.#of(`${run_id}.${generation}`);
    if (told.has(message) || told.size >= TOLD) return;
    told.add(message);
    await tell().catch(() => told.delete(message));
  }

  #of(attempt: string): Set<string> {
    const told = this.#told.get(attempt) ?? new Set();
    this.#told.set(attempt, told);
    const [first] = this.#told.keys();
    if (this.#told.size > ATTEMPTS_KEPT && first !== undefined) this.#told.delete(first);
    return told;
  }
}
