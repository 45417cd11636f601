/** Dead letters of all routines, in D1, for lists. Their routines' objects own them. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const deadLetters = sqliteTable(
  "dead_letters",
  {
    id: text().primaryKey(),
    routineId: text("routine_id").notNull(),
    isFired: integer("is_fired", { mode: "boolean" }).notNull(),
    /** As the API shows it. */
    doc: text().notNull(),
    /** Counts its changes: an older write that comes late changes nothing. */
    version: integer().notNull(),
  },
  (table) => [
    index("dead_letters_by_routine").on(table.routineId, table.isFired, table.id),
    index("dead_letters_by_state").on(table.isFired, table.id),
  ],
);
