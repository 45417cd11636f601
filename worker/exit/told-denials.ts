/**
 * Which denials a run's transcript has been told already: an agent may ask for the same host a thousand times in a minute, and
 * its routine's object is not to be called for each. It is this isolate's memory alone; the object itself tells each once.
 */
import type { Refusal } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

const SETS_KEPT = 500;
/** As many notices of one code as the transcript takes in an attempt. */
const TOLD = 50;

export class ToldDenials {
  /** The messages of each attempt and code, those that began last at the end. */
  readonly #told = new Map<string, Set<string>>();

  /**
   * Tells a message, unless it has been told or is being told.
   * @param tell resolves when the transcript has it. When it rejects, the next denial tells it again.
   */
  async once(lease: LeaseRef, code: Refusal["code"], message: string, tell: () => Promise<void>): Promise<void> {
    const told = this.#of(`${lease.run_id}.${lease.generation} ${code}`);
    if (told.has(message) || told.size >= TOLD) return;
    told.add(message);
    await tell().catch(() => told.delete(message));
  }

  #of(alike: string): Set<string> {
    const told = this.#told.get(alike) ?? new Set();
    this.#told.set(alike, told);
    const [first] = this.#told.keys();
    if (this.#told.size > SETS_KEPT && first !== undefined) this.#told.delete(first);
    return told;
  }
}
