/** The pools that people have made, in D1, which owns them. The pool `default` has no row: it is always there. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Actor } from "#protocol/actor.ts";

export const pools = sqliteTable(
  "pools",
  {
    /** Counts up: lists are in its order, and begin after it. */
    number: integer().primaryKey({ autoIncrement: true }),
    name: text().notNull().unique(),
    createdAt: integer("created_at").notNull(),
    createdBy: text("created_by", { mode: "json" }).$type<Actor>().notNull(),
    /** SHA-256 of the token, in hex; null after it was revoked. */
    tokenHash: text("token_hash"),
    tokenAt: integer("token_at").notNull(),
    tokenBy: text("token_by", { mode: "json" }).$type<Actor>().notNull(),
    /** The token before it, and until when it is accepted too. */
    previousHash: text("previous_hash"),
    previousUntil: integer("previous_until"),
    /** When the pool's object has to be told which tokens are in force, so that it closes the sockets of others; null for never. */
    tellAt: integer("tell_at"),
    /** When the pool was deleted: the row stays until its object has been told. */
    deletedAt: integer("deleted_at"),
  },
  (table) => [index("pools_to_tell").on(table.tellAt).where(sql`tell_at IS NOT NULL`)],
);
