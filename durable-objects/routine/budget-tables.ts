/** The tables of a routine's object for money: what was spent, and what budgets of several routines let through. */
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { KnownBudget } from "#rules/run/shared-budgets.ts";

/** What the model calls of a month have cost that have ended, in US dollars. */
export const spending = sqliteTable("spending", {
  /** As 2026-11, in UTC. */
  month: text().primaryKey(),
  usd: real().notNull(),
});

/** The same by day, of the latest ones. */
export const spendingDays = sqliteTable("spending_days", {
  /** As 2026-11-29, in UTC. */
  day: text().primaryKey(),
  usd: real().notNull(),
  /** Whether it has been told that this day costs much more than others. */
  isTold: integer("is_told", { mode: "boolean" }).notNull().default(false),
});

/** The budgets that routines share, as the object that keeps them has told: one row, once it has. */
export const sharedBudgets = sqliteTable("shared_budgets", {
  id: integer().primaryKey(),
  version: integer().notNull(),
  budgets: text({ mode: "json" }).$type<KnownBudget[]>().notNull(),
});

/** Calls for which money of such budgets is held, or has been asked for. */
export const sharedReservations = sqliteTable("shared_reservations", {
  id: text().primaryKey(),
  runId: text("run_id").notNull(),
  /** The call's number in its run; null before the call is made. */
  call: integer(),
  /** When it was asked for, in Unix milliseconds. */
  at: integer().notNull(),
});
