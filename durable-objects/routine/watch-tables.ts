/** Tables of a routine's watches: when each looks, and what it has seen. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const watches = sqliteTable("watches", {
  triggerId: text("trigger_id").primaryKey(),
  /** What decides what is seen, as text: when it changes, the watch begins anew. */
  spec: text().notNull(),
  /** Counts looks that have been taken in: what belongs to an earlier one comes too late. */
  look: integer().notNull(),
  /** When it looks next, in Unix milliseconds. */
  lookAt: integer("look_at").notNull(),
  /** Whether there is something to compare with. */
  hasBaseline: integer("has_baseline", { mode: "boolean" }).notNull(),
  /** When it last saw what there is, in Unix milliseconds. */
  lookedAt: integer("looked_at"),
  items: integer().notNull(),
  /** How many looks in a row have failed, and why the last one has. */
  failures: integer().notNull(),
  fault: text(),
});

/** What is known of each item: it differs when its hash does. */
export const watchedItems = sqliteTable(
  "watched_items",
  {
    triggerId: text("trigger_id").notNull(),
    key: text().notNull(),
    hash: text().notNull(),
    /** The look that has seen it so first. */
    look: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.triggerId, table.key] })],
);
