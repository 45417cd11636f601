/** Tables of a routine's gate: what has come and waits for its answer. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Wake } from "#protocol/occurrence.ts";
import type { CoalesceUnder } from "#rules/triggers/coalesce-under.ts";

export const gatedWakes = sqliteTable("gated_wakes", {
  /** In the order in which they came: no number is used twice. */
  seq: integer().primaryKey({ autoIncrement: true }),
  wake: text({ mode: "json" }).$type<Wake>().notNull(),
  /** How it waits for more like it, once the gate is open; null where it does not. */
  coalesce: text({ mode: "json" }).$type<CoalesceUnder>(),
  /** How often the gate could not be asked for it, and why the last time. */
  tries: integer().notNull().default(0),
  fault: text(),
  /** When the gate is asked, in Unix milliseconds. */
  askAt: integer("ask_at").notNull(),
  /** When it came, in Unix milliseconds: from then on its keys count. */
  cameAt: integer("came_at").notNull().default(0),
});

/** By which keys what waits is known: what comes again under one of them is a repeat. */
export const gatedKeys = sqliteTable("gated_keys", { key: text().primaryKey(), seq: integer().notNull() }, (table) => [
  index("gated_keys_by_wake").on(table.seq),
]);
