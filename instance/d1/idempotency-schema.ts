/** What callers have made under an Idempotency-Key, in D1, which owns it. Keys are kept as SHA-256 in hex; times are Unix milliseconds. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const madeByKey = sqliteTable(
  "made_by_key",
  {
    /** Of the key. */
    hash: text().primaryKey(),
    /** Of what was asked: the same key with another body is refused. */
    fingerprint: text().notNull(),
    /** The id of what was made, or is being made. */
    madeId: text("made_id").notNull(),
    at: integer().notNull(),
  },
  (table) => [index("made_by_key_by_age").on(table.at)],
);
