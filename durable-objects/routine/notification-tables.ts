/** The tables of a routine's object for whom it tells of what has happened. */
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Notification } from "#protocol/notification.ts";

/** Messages in Slack whose buttons were pressed, and what they become; a row goes once Slack has it, or takes it no more. */
export const slackUpdates = sqliteTable("slack_updates", {
  id: text().primaryKey(),
  /** Where Slack takes it: whoever has it can change the message for half an hour. */
  url: text().notNull(),
  body: text().notNull(),
  at: integer().notNull(),
});

/** One row for one fact and one destination: the newest, and what is still to be sent. Times are Unix milliseconds. */
export const notifications = sqliteTable(
  "notifications",
  {
    id: text().primaryKey(),
    /** From `factText`, and from `destinationKey`. */
    fact: text().notNull(),
    destination: text().notNull(),
    /** As it is shown. */
    doc: text({ mode: "json" }).$type<Notification>().notNull(),
    /** What is sent, the same each time. */
    body: text().notNull(),
    /** When it is sent at the latest; null when it is not to be. One that is being sent is not taken up again before. */
    dueAt: integer("due_at"),
    /** Counts its changes; and up to which D1 has it, 0 while it does not. */
    version: integer().notNull(),
    indexedVersion: integer("indexed_version").notNull(),
  },
  (table) => [
    uniqueIndex("notifications_by_fact").on(table.fact, table.destination),
    index("notifications_due").on(table.dueAt),
  ],
);
