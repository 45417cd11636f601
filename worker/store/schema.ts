/** D1: sign-ins of the web app. Secrets are kept as SHA-256 in hex; times are Unix milliseconds. */
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** One row per browser that is signed in. */
export const webSessions = sqliteTable("web_sessions", {
  hash: text().primaryKey(),
  expiresAt: integer("expires_at").notNull(),
});

/** One row per sign-in code that is neither used nor swept. */
export const signInCodes = sqliteTable("sign_in_codes", {
  hash: text().primaryKey(),
  expiresAt: integer("expires_at").notNull(),
});

/** Which routines' objects a web session has opened sockets in: signing out closes them there. */
export const webSessionObjects = sqliteTable(
  "web_session_objects",
  {
    hash: text().notNull(),
    routineKey: text("routine_key").notNull(),
    /** An id that the object owns, by which it is found. */
    id: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.hash, table.routineKey] })],
);
