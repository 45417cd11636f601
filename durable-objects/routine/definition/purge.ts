/** What is left of a deleted routine once its last run has stopped: a row that says so. */
import { is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { RoutineDefinition } from "#protocol/routine.ts";
import * as schema from "../schema.ts";
import type { Tx, Work } from "../work.ts";
import type { RoutineRow } from "./definition-store.ts";

/** All tables but the routine's own: a new one is among them by itself. */
export const PURGED = Object.values(schema).filter(
  (table): table is typeof table & SQLiteTable => is(table, SQLiteTable) && table !== schema.routine,
);

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
  return { ...definition, name: "", prompt: "", triggers: [], repositories: [] };
}
