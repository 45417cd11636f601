/** The tables of the object that keeps budgets which several routines share. Times are Unix milliseconds, months as 2026-11 in UTC. */
import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Actor } from "#protocol/actor.ts";
import type { BudgetScope } from "#protocol/shared-budget.ts";

export const budgets = sqliteTable("budgets", {
  /** See `budgetKey`. */
  key: text().primaryKey(),
  scope: text({ mode: "json" }).$type<BudgetScope>().notNull(),
  monthlyUsd: real("monthly_usd").notNull(),
  updatedAt: integer("updated_at").notNull(),
  updatedBy: text("updated_by", { mode: "json" }).$type<Actor>().notNull(),
  /** The month in which it was found to be spent, and how much was then. */
  spentMonth: text("spent_month"),
  spentUsd: real("spent_usd").notNull().default(0),
});

/** Routines that have asked which budgets there are, and so are told when that changes. */
export const routines = sqliteTable(
  "routines",
  {
    id: text().primaryKey(),
    tags: text({ mode: "json" }).$type<Record<string, string>>().notNull(),
    /** The revision that has these tags. */
    revision: integer().notNull(),
    /** Which version of the budgets it has. */
    told: integer().notNull(),
    /** When it is to be told of a newer one; null when it has that, or is not told any more. */
    dueAt: integer("due_at"),
    /** How often that has been tried in vain. */
    tries: integer().notNull().default(0),
  },
  (table) => [index("routines_due").on(table.dueAt)],
);

/** What the calls of a routine's month have cost that have ended. */
export const totals = sqliteTable(
  "totals",
  { month: text().notNull(), routineId: text("routine_id").notNull(), usd: real().notNull() },
  (table) => [primaryKey({ columns: [table.month, table.routineId] })],
);

/** What calls may cost at most that have not ended. */
export const reservations = sqliteTable("reservations", {
  id: text().primaryKey(),
  routineId: text("routine_id").notNull(),
  month: text().notNull(),
  usd: real().notNull(),
  at: integer().notNull(),
});

/** Reservations that were given back before they had come: they are not made any more. */
export const givenBack = sqliteTable("given_back", { id: text().primaryKey(), at: integer().notNull() });

/** Which version of the budgets is the present one: one row. */
export const versions = sqliteTable("versions", { id: integer().primaryKey(), version: integer().notNull() });
