/** Environments, in D1, which owns them. `default` has no row until somebody changes it: it is always there. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const environments = sqliteTable(
  "environments",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    status: text({ enum: ["active", "archived"] }).notNull(),
    /** Counts its changes. */
    revision: integer().notNull(),
    /** The environment as the API shows it. */
    doc: text().notNull(),
  },
  (table) => [
    // Of one name there is one that runs get, and any number that were archived.
    uniqueIndex("environments_by_name").on(table.name).where(sql`status = 'active'`),
    index("environments_of_name").on(table.name, table.id),
  ],
);
