/** D1: what lists and matching need of the routines' objects, which own the truth. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { triggerTypes } from "#protocol/occurrence.ts";
import { runStatuses } from "#protocol/run.ts";

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

/** What each listening trigger waits for: an event is matched by its keys, whatever else there is. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    routineId: text("routine_id").notNull(),
    triggerId: text("trigger_id").notNull(),
    /** For instance `github:1296269:push`, `github:acme/app:push`, `event:file.changed`, `routine:docs-writer`. */
    key: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.routineId, table.triggerId, table.key] }),
    index("subscriptions_by_key").on(table.key),
  ],
);

/** Routines with schedules: when each has to be looked at next. The sweep reads what is due, and nothing else. */
export const dueRoutines = sqliteTable(
  "due_routines",
  {
    routineId: text("routine_id").primaryKey(),
    /** Unix milliseconds. */
    dueAt: integer("due_at").notNull(),
    /** Of the routine that this was worked out for: what an older one would have had due changes nothing. */
    version: integer().notNull(),
  },
  (table) => [index("due_routines_by_time").on(table.dueAt, table.routineId)],
);
