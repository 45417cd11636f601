/** The table of the routine's object for how far it has looked for what is too old. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row, once there has been something to look at. */
export const retention = sqliteTable("retention", {
  id: integer().primaryKey(),
  /** What is looked at: see `STAGES` in `retention/retention.ts`. */
  stage: text().notNull(),
  /** The last id that has been looked at there; empty at its beginning. */
  cursor: text().notNull(),
  /** When it goes on, in Unix milliseconds. */
  dueAt: integer("due_at").notNull(),
});
