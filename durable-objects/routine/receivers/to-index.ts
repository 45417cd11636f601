/** Writes to the index in D1: the routine's own entry, its runs, and its dead letters. */
import { writeDeadLetters } from "#instance/d1/dead-letters.ts";
import {
  forgetRoutine,
  forgetRuns,
  listedRuns,
  type RoutineEntry,
  writeRoutine,
  writeRuns,
} from "#instance/d1/routine-index.ts";
import { kindOf } from "#protocol/ids.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunStore } from "../runs/run-store.ts";

/** What one write to the index carries, in UTF-16 units; a run that is longer goes alone. */
const INDEX_WRITE_LENGTH = 262_144;
/**
 * Lists of runs may be behind by this much, so that what happens within it is one write: while single runs change, while
 * several do, and while so many do that the writes themselves would take up what the runs need.
 */
const RUNS_DELAY_MS = { single: 150, several: 500, many: 2_000 };
/** So many changes in one write are many. */
const MANY = 8;

/** The routine's own entry. */
export class RoutineToIndex implements Receiver {
  readonly name = "the index";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #definitions: DefinitionStore;
  readonly #entryOf: (row: RoutineRow) => RoutineEntry;
  #writtenVersion = 0;

  /** @param project the routine as D1 is to have it. */
  constructor(index: D1Database, definitions: DefinitionStore, entryOf: (row: RoutineRow) => RoutineEntry) {
    this.#index = index;
    this.#definitions = definitions;
    this.#entryOf = entryOf;
  }

  /** The version of the routine that D1 has, or a later one: what this object has seen it take in. 0 before that. */
  get writtenVersion(): number {
    return this.#writtenVersion;
  }

  async deliver(kind: OwedKind, ids: readonly string[]): Promise<readonly string[]> {
    if (kind === "project_routine") await this.#write();
    else for (const id of ids) await forgetRoutine(this.#index, id, Date.now());
    return [];
  }

  async #write(): Promise<void> {
    const row = this.#definitions.row();
    if (row === null) return;
    // Of a deleted routine nothing is written any more: the write that takes it out is owed.
    if (row.status !== "deleted") await writeRoutine(this.#index, this.#entryOf(row));
    this.#writtenVersion = Math.max(this.#writtenVersion, row.version);
  }
}

/** Its runs, many with one write. */
export class RunsToIndex implements Receiver {
  readonly name = "the index of runs";
  readonly sizes = [64, 8];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #definitions: DefinitionStore;
  readonly #runs: RunStore;

  constructor(index: D1Database, definitions: DefinitionStore, runs: RunStore) {
    this.#index = index;
    this.#definitions = definitions;
    this.#runs = runs;
  }

  delayMs(lastCount: number): number {
    if (lastCount >= MANY) return RUNS_DELAY_MS.many;
    return lastCount > 1 ? RUNS_DELAY_MS.several : RUNS_DELAY_MS.single;
  }

  async deliver(_kind: OwedKind, ids: readonly string[]): Promise<readonly string[]> {
    for (let rest = ids.toSorted(); rest.length > 0; ) {
      const routine = this.#definitions.living();
      // Nothing of a deleted routine is written: what can't be read of it then holds up no call, and not the deletion.
      if (routine === null) break;
      const documents = this.#runs.documents(rest, INDEX_WRITE_LENGTH);
      const last = documents.at(-1)?.id;
      if (last === undefined) break;
      await writeRuns(this.#index, routine.id, documents);
      rest = rest.filter((id) => id > last);
    }
    return [];
  }
}

/** So many runs that D1 lists are compared at once. */
const COMPARED_AT_ONCE = 1_000;

/** Runs that are gone. Nothing else of them is owed, so it does not matter what comes first. */
export class RunsFromIndex implements Receiver {
  readonly name = "the index of runs that are gone";
  readonly sizes = [500, 50];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #runs: RunStore;

  constructor(index: D1Database, runs: RunStore) {
    this.#index = index;
    this.#runs = runs;
  }

  /** @param ids of runs; the routine's own for all that D1 lists of it and the object has not got. */
  async deliver(_kind: OwedKind, ids: readonly string[]): Promise<readonly string[]> {
    for (const id of ids) if (kindOf(id) === "routine") await this.#forgetUnknown(id);
    await forgetRuns(
      this.#index,
      ids.filter((id) => kindOf(id) !== "routine"),
    );
    return [];
  }

  async #forgetUnknown(routineId: string): Promise<void> {
    for (let after = ""; ; ) {
      const listed = await listedRuns(this.#index, routineId, after, COMPARED_AT_ONCE);
      const unknown = this.#runs.unknown(listed);
      if (unknown.length > 0) await forgetRuns(this.#index, unknown);
      const last = listed.at(-1);
      if (last === undefined || listed.length < COMPARED_AT_ONCE) return;
      after = last;
    }
  }
}

/** So many go with one write: each has a few thousand characters of text at most. */
const DEAD_LETTERS_AT_ONCE = 50;

/** Its dead letters: what has changed of them since the last write. */
export class DeadLettersToIndex implements Receiver {
  readonly name = "the index of dead letters";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #index: D1Database;
  readonly #definitions: DefinitionStore;
  readonly #deadLetters: DeadLetters;

  constructor(index: D1Database, definitions: DefinitionStore, deadLetters: DeadLetters) {
    this.#index = index;
    this.#definitions = definitions;
    this.#deadLetters = deadLetters;
  }

  async deliver(_kind: OwedKind, ids: readonly string[]): Promise<readonly string[]> {
    for (const id of ids) await this.#write(id);
    return [];
  }

  async #write(routineId: string): Promise<void> {
    for (;;) {
      if (this.#definitions.living() === null) return;
      const { rows, oldest } = this.#deadLetters.unindexed(DEAD_LETTERS_AT_ONCE);
      await writeDeadLetters(this.#index, routineId, rows, oldest);
      this.#deadLetters.indexed(rows);
      if (rows.length < DEAD_LETTERS_AT_ONCE) return;
    }
  }
}
