/** D1: what lists and matching need of the routines' objects, which own the truth. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { runStatuses } from "#protocol/run.ts";
import { triggerTypes } from "#protocol/trigger-event.ts";

/** One row per routine that is not deleted. `doc` is the routine as the API shows it. */
export const routines = sqliteTable("routines", {
  id: text().primaryKey(),
  doc: text().notNull(),
  /** Counts the object's writes: an older write that comes late changes nothing. */
  version: integer().notNull(),
});

/** One row per run. `doc` is the run as the API shows it; the other columns are what lists filter by. */
export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    routineId: text("routine_id").notNull(),
    status: text({ enum: runStatuses }).notNull(),
    triggerType: text("trigger_type", { enum: triggerTypes }).notNull(),
    doc: text().notNull(),
    version: integer().notNull(),
  },
  (table) => [
    index("runs_by_routine").on(table.routineId, table.id),
    index("runs_by_status").on(table.status, table.id),
  ],
);
