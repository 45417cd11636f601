/** Tables of the routine's object for how it is doing, and for what came to nothing. */
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";

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
