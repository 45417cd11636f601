/** The tables of the roster: what an instance has to know of itself when D1 is lost. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Every routine that was ever created. */
export const routines = sqliteTable(
  "routines",
  {
    id: text().primaryKey(),
    /** The key that all ids of the routine have in them: see `protocol/ids.ts`. */
    ownerKey: text("owner_key").generatedAlwaysAs(sql`substr(id, 14, 12)`),
    /**
     * Unix milliseconds; null while the routine lives. The row of a deleted one stays, so that an entry that comes late does
     * not bring it back.
     */
    deletedAt: integer("deleted_at"),
  },
  (table) => [
    index("routines_alive").on(table.id).where(sql`deleted_at IS NULL`),
    index("routines_by_owner").on(table.ownerKey),
  ],
);

/** Single facts by name, for instance the jurisdiction. */
export const facts = sqliteTable("facts", { name: text().primaryKey(), value: text().notNull() });
