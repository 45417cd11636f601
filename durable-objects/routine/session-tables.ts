/** Tables of the routine's object for what later runs of a session go on from. */
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { WorkspaceKept } from "#protocol/conversation.ts";

/** A workspace as an attempt has left it. Its archive lies in R2 under `key`. */
export interface StoredWorkspace extends WorkspaceKept {
  key: string;
  /** The conversation's last part when it was kept. */
  n: number;
}

/** One row for each session whose agent has said something. Its parts are numbered from 1; a number is used once. */
export const conversations = sqliteTable(
  "conversations",
  {
    sessionId: text("session_id").primaryKey(),
    sdkVersion: text("sdk_version").notNull(),
    /** The attempt that has written last. */
    runId: text("run_id").notNull(),
    attempt: integer().notNull(),
    lastN: integer("last_n").notNull(),
    /** Later runs go on from the parts up to this one; what an attempt that is made again had said is dropped. */
    keptN: integer("kept_n").notNull(),
    /** Bytes of the parts that are here, and not in R2. */
    looseBytes: integer("loose_bytes").notNull(),
    /** When it is forgotten, in Unix milliseconds. */
    expiresAt: integer("expires_at").notNull(),
    workspace: text({ mode: "json" }).$type<StoredWorkspace>(),
  },
  (table) => [index("conversations_by_age").on(table.expiresAt)],
);

/** Its primary key is the table itself (`WITHOUT ROWID`, in the migration), so that a part is written once. */
export const conversationParts = sqliteTable(
  "conversation_parts",
  {
    sessionId: text("session_id").notNull(),
    n: integer().notNull(),
    /** Empty for the agent's own file. */
    file: text().notNull(),
    bytes: integer().notNull(),
    /** Null where the part lies in R2, under `key`. */
    body: text(),
    key: text(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.n] })],
);
