/** Tables of the routine's object for how it is doing, and for what came to nothing. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { DeadLetter } from "#protocol/dead-letter.ts";
import type { Checkout } from "#protocol/occurrence.ts";

/** How the routine is doing: one row, once a run has ended or something was defined. Times are Unix milliseconds. */
export const health = sqliteTable("health", {
  id: integer().primaryKey(),
  /** So many runs in a row have failed. */
  failures: integer().notNull(),
  /** Since its first failure after a success; null while it is not failing. */
  failingSince: integer("failing_since"),
  succeededAt: integer("succeeded_at"),
  /** From then on a success is awaited whenever a schedule comes: since the last success, or a change of what is awaited. */
  watchedSince: integer("watched_since").notNull(),
  /** Since it was noticed that nothing succeeds; null while that is not so. */
  quietSince: integer("quiet_since"),
});

/** What came and led to no work: the newest, each under the id of its occurrence. */
export const deadLetters = sqliteTable("dead_letters", {
  id: text().primaryKey(),
  /** As it is shown. */
  doc: text({ mode: "json" }).$type<DeadLetter>().notNull(),
  /** The whole of what came. */
  text: text(),
  checkout: text({ mode: "json" }).$type<Checkout>(),
  /** Counts its changes; and up to which D1 has it, 0 while it does not. */
  version: integer().notNull(),
  indexedVersion: integer("indexed_version").notNull(),
});
