/** The secrets that people have given the instance, in D1, which owns them, and who used them. Times are Unix milliseconds. */
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Actor } from "#protocol/actor.ts";
import type { SecretScope, SecretSource } from "#protocol/secret.ts";

export const secrets = sqliteTable("secrets", {
  /** Counts up: lists are in its order, and begin after it. */
  number: integer().primaryKey({ autoIncrement: true }),
  name: text().notNull().unique(),
  /** The value as the key ring has encrypted it; null where `source` has it. */
  sealed: text(),
  /** Where the value is kept outside; null where `sealed` has it. */
  source: text({ mode: "json" }).$type<SecretSource>(),
  scope: text({ mode: "json" }).$type<SecretScope>().notNull(),
  createdAt: integer("created_at").notNull(),
  createdBy: text("created_by", { mode: "json" }).$type<Actor>().notNull(),
  updatedAt: integer("updated_at").notNull(),
  updatedBy: text("updated_by", { mode: "json" }).$type<Actor>().notNull(),
  lastUsedAt: integer("last_used_at"),
});

/** One row for each secret and attempt. It outlives the secret. */
export const secretUses = sqliteTable(
  "secret_uses",
  {
    number: integer().primaryKey({ autoIncrement: true }),
    name: text().notNull(),
    at: integer().notNull(),
    routineId: text("routine_id").notNull(),
    runId: text("run_id").notNull(),
    attempt: integer().notNull(),
    environmentId: text("environment_id").notNull(),
    variables: text({ mode: "json" }).$type<string[]>().notNull(),
  },
  (table) => [
    // A runner that dials again is given the same values again: that is the same use.
    uniqueIndex("secret_uses_once").on(table.name, table.runId, table.attempt),
    index("secret_uses_by_name").on(table.name, table.number),
    index("secret_uses_by_age").on(table.at),
  ],
);
