/** What is left of a deleted routine once its last run has stopped: a row that says so. */
import { is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import { ROUTINE_DEFAULTS, type RoutineDefinition } from "#protocol/routine.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { RunStore } from "../runs/run-store.ts";
import * as schema from "../schema.ts";
import type { Tx, Work } from "../work.ts";

/** All tables but the routine's own: a new one is among them by itself. */
export const PURGED = Object.values(schema).filter(
  (table): table is typeof table & SQLiteTable => is(table, SQLiteTable) && table !== schema.routine,
);

export class Purge {
  readonly #work: Work;
  readonly #definitions: DefinitionStore;
  readonly #runs: RunStore;
  readonly #outbox: Outbox;

  constructor(work: Work, definitions: DefinitionStore, runs: RunStore, outbox: Outbox) {
    this.#work = work;
    this.#definitions = definitions;
    this.#runs = runs;
    this.#outbox = outbox;
  }

  /** A deleted routine that is over keeps its tombstone, and nothing else. */
  ifOver(): void {
    const routine = this.#definitions.row();
    if (routine?.status !== "deleted" || this.#runs.queue.unsettled().length > 0 || !this.#outbox.isEmpty()) return;
    this.#work.change((tx) => purge(tx, this.#work, routine));
  }
}

/** Empties everything but the routine's own row, and takes out of that what its owner wrote. */
export function purge(tx: Tx, work: Work, { definition }: RoutineRow): void {
  for (const table of PURGED) tx.database.delete(table).run();
  tx.database
    .update(schema.routine)
    .set({ definition: blank(definition), pausedReason: null })
    .run();
  work.forgetAll(tx);
}

/** The form stays: whoever reads the row finds a definition. */
function blank(definition: RoutineDefinition): RoutineDefinition {
  const { variables, network } = ROUTINE_DEFAULTS;
  return { ...definition, name: "", prompt: "", triggers: [], repositories: [], variables, network };
}
