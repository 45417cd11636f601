/** Notifications of all routines, in D1, for lists: their routines' objects own them. What D1 owns itself: the rules for all routines, and which destinations fail. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { notificationStatuses } from "#protocol/notification.ts";

export const notifications = sqliteTable(
  "notifications",
  {
    id: text().primaryKey(),
    routineId: text("routine_id").notNull(),
    status: text({ enum: notificationStatuses }).notNull(),
    /** As the API shows it. */
    doc: text().notNull(),
    /** Counts its changes: an older write that comes late changes nothing. */
    version: integer().notNull(),
  },
  (table) => [
    index("notifications_by_routine").on(table.routineId, table.id),
    index("notifications_by_status").on(table.status, table.id),
    index("notifications_by_routine_and_status").on(table.routineId, table.status, table.id),
  ],
);

/** One row, with the rules for all routines. */
export const notificationRules = sqliteTable("notification_rules", {
  id: integer().primaryKey(),
  doc: text().notNull(),
  /** Counts its changes. */
  revision: integer().notNull().default(1),
});

/** Destinations whose last try has failed. Times are Unix milliseconds. */
export const failingDestinations = sqliteTable(
  "failing_destinations",
  {
    by: text().notNull(),
    address: text().notNull(),
    failingSince: integer("failing_since").notNull(),
    /** Since then nothing is sent there by itself; null while that is not so. */
    offAt: integer("off_at"),
    error: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.by, table.address] }),
    index("failing_destinations_by_age").on(table.failingSince),
    index("failing_destinations_off").on(table.offAt).where(sql`off_at IS NOT NULL`),
  ],
);
