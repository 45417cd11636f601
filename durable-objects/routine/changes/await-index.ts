/** Waits until D1 has what the routine's object has written of itself: nothing that the owner does is done before. */
import { CALL_DEADLINE_MS, NoAnswer, withinDeadline } from "#instance/in-time.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Deliver } from "../outbox/deliver.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx, Work } from "../work.ts";

/** What D1 lists of the routine beside its runs. */
interface ListedToo {
  /** D1 has lost what it had. */
  oweAll(tx: Tx, routineId: string): void;
}

export class AwaitIndex {
  readonly #work: Work;
  readonly #outbox: Outbox;
  readonly #deliver: Deliver;
  readonly #written: { readonly writtenVersion: number };
  readonly #others: readonly ListedToo[];

  /** @param written the version of the routine that D1 is known to have, or a later one. @param others what else D1 lists. */
  constructor(
    work: Work,
    outbox: Outbox,
    deliver: Deliver,
    written: { readonly writtenVersion: number },
    others: readonly ListedToo[],
  ) {
    this.#work = work;
    this.#outbox = outbox;
    this.#deliver = deliver;
    this.#written = written;
    this.#others = others;
  }

  /**
   * Waits for the write of the routine's own entry, and for no other call.
   * @returns whether D1 has the routine as of this version, or later; false also when there was no answer in time.
   */
  async isIndexed(version: number, deadlineMs = CALL_DEADLINE_MS): Promise<boolean> {
    await this.#tried(deadlineMs);
    return this.#written.writtenVersion >= version;
  }

  /** The same for the write that takes a deleted routine out of D1. */
  async isForgotten(id: string): Promise<boolean> {
    await this.#tried(CALL_DEADLINE_MS);
    return !this.#outbox.has("forget_routine", id);
  }

  /**
   * Makes again what D1 has of the routine, for when D1 was lost, or set back to an earlier day: writes its entry, and owes
   * all else that it lists of it. Repeated, it changes nothing.
   * @returns how many runs are owed; `index_behind` when D1 does not take the entry in: it is owed as well.
   */
  async writeIndexAgain(id: string): Promise<Result<{ runs: number }>> {
    this.#work.change((tx) => this.#outbox.owe(tx, "project_routine", id));
    await this.#tried(CALL_DEADLINE_MS);
    // First the entry: runs of a routine that D1 does not have are not taken in.
    if (this.#outbox.has("project_routine", id)) return refuse("index_behind");
    const runs = this.#work.change((tx) => {
      for (const other of this.#others) other.oweAll(tx, id);
      // Where it was set back, it lists what has been forgotten since.
      this.#outbox.owe(tx, "forget_run", id);
      return this.#outbox.oweRuns(tx);
    });
    this.#deliver.drain();
    return success({ runs });
  }

  /** All that is owed of the entry has the same lane. */
  async #tried(deadlineMs: number): Promise<void> {
    try {
      await withinDeadline(this.#deliver.settled("project_routine"), deadlineMs);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }
}
