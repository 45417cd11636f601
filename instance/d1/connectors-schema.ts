/** Connectors, in D1, which owns them. No credential is in a row: headers name secrets. */
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const connectors = sqliteTable("connectors", {
  id: text().primaryKey(),
  name: text().notNull().unique(),
  /** Counts the changes of `doc`. */
  revision: integer().notNull(),
  /** A `StoredConnector`. */
  doc: text().notNull(),
  /** A `ConnectorState`: what was seen of the server when somebody looked last. */
  state: text().notNull(),
  /** Unix milliseconds. */
  lastUsedAt: integer("last_used_at"),
});
