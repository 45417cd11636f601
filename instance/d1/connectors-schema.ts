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

/**
 * Logins of connectors by OAuth, one for each.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const connectorLogins = sqliteTable("connector_logins", {
  connectorId: text("connector_id").primaryKey(),
  /** The address and client that it was made for: with others it counts for nothing. */
  boundTo: text("bound_to").notNull(),
  /** A `KeptLogin`, encrypted (`instance/key-ring.ts`). */
  sealed: text().notNull(),
  /** Counts the writes of `sealed`: of two that renew it one is first. */
  version: integer().notNull(),
  /** JSON: a `ConnectorLogin`. */
  shown: text().notNull(),
  /** Why it is none any more, for people; null while it is. */
  ended: text(),
  /** A scope that the server has asked for and the login does not have. */
  wantedScope: text("wanted_scope"),
  /** Until when somebody is renewing it; unix milliseconds. */
  renewingUntil: integer("renewing_until"),
});

/**
 * Logins that have ended here, until their authorization servers have been asked to revoke them.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const connectorRevocations = sqliteTable("connector_revocations", {
  id: text().primaryKey(),
  connectorId: text("connector_id").notNull(),
  /** A `KeptLogin`, encrypted. */
  sealed: text().notNull(),
  /** The placeholder of a given client's secret. */
  clientSecret: text("client_secret"),
  attempts: integer().notNull(),
  dueAt: integer("due_at").notNull(),
});

/**
 * Logins that have begun: each can be ended once.
 * @public for drizzle-kit, which makes the migrations of it.
 */
export const connectorLoginStates = sqliteTable("connector_login_states", {
  /** The hash of the state that the browser brings back. */
  hash: text().primaryKey(),
  connectorId: text("connector_id").notNull(),
  /** The sign-in that it was begun in; null for the owner's token. */
  madeBy: text("made_by"),
  /** A `BegunState`, encrypted. */
  sealed: text().notNull(),
  expiresAt: integer("expires_at").notNull(),
});
