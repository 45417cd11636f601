/** The tables of a pool's object. Times are Unix milliseconds. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { runnerKinds } from "#protocol/run.ts";
import { leaseEnds } from "#rules/run/inputs.ts";

/** A runner that has registered. Its row goes when it is lost and its leases have ended. */
export const runners = sqliteTable("runners", {
  id: text().primaryKey(),
  kind: text({ enum: runnerKinds }).notNull(),
  boot: text().notNull(),
  capacity: integer().notNull(),
  /** Null where it has not told it. */
  version: text(),
  /** Until when it may come back before its leases end; null while its socket is open. */
  lostAt: integer("lost_at"),
});

/** The last runners that have gone or were refused, for people to see: none of them is offered anything. */
export const goneRunners = sqliteTable("gone_runners", {
  id: text().primaryKey(),
  version: text(),
  capacity: integer().notNull(),
  state: text({ enum: ["lost", "refused"] }).notNull(),
  /** Why it was refused. */
  reason: text(),
  /** When it was last heard of. */
  at: integer().notNull(),
});

/**
 * What routines have asked for: `waiting` in the order of `asked_at`, then at a place of a host until its work has stopped,
 * then `ended` until the routine's object has been told.
 */
export const leases = sqliteTable(
  "leases",
  {
    runId: text("run_id").notNull(),
    generation: integer().notNull(),
    routineId: text("routine_id").notNull(),
    status: text({ enum: ["waiting", "offered", "accepted", "stopping", "ended"] }).notNull(),
    /** The host that the place belongs to; without meaning while the lease has none. */
    host: text({ enum: runnerKinds }).notNull().default("local"),
    place: text("runner_id"),
    end: text({ enum: leaseEnds }),
    askedAt: integer("asked_at").notNull(),
    /** When this status lasts too long: an offer without an answer, a stop without an end, a failed report. */
    dueAt: integer("due_at"),
    tries: integer().notNull().default(0),
    /** Options of the link without which a runner may not have it: names, with a blank between two. */
    needs: text().notNull().default(""),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.generation] }),
    index("leases_by_status").on(table.status, table.needs, table.askedAt),
  ],
);
