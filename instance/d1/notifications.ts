/** Notifications as D1 has them, the rules for all routines, and which destinations fail. */
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { z } from "zod";
import type { Page, PageRequest } from "#protocol/api.ts";
import { logTrouble } from "#protocol/log.ts";
import {
  type Destination,
  destinationSchema,
  type FailingDestination,
  type InstanceRules,
  type Notification,
  type NotificationRule,
  type NotificationStatus,
  notificationRulesSchema,
  notificationSchema,
} from "#protocol/notification.ts";
import { timestamp } from "#protocol/time.ts";
import { destinationKey } from "#rules/run/notify.ts";
import { type DocumentTable, documentsPage, type WrittenDocument, writeDocuments } from "./listed-documents.ts";
import { notifications } from "./notifications-schema.ts";

const TABLE: DocumentTable = { name: "notifications", column: "status", value: "value ->> '$.doc.status'" };

/** See `writeDocuments`. */
export async function writeNotifications(
  binding: D1Database,
  routineId: string,
  rows: readonly WrittenDocument<Notification>[],
  oldest: string | null,
): Promise<void> {
  await writeDocuments(binding, TABLE, routineId, rows, oldest);
}

/** A destination that has failed for so long is switched off. */
const OFF_AFTER_MS = 5 * 24 * 3_600_000;
const FAILED = `INSERT INTO failing_destinations (by, address, failing_since, off_at, error) VALUES (?1, ?2, ?3, ?4, ?5)
  ON CONFLICT (by, address) DO UPDATE SET error = excluded.error, off_at = COALESCE(off_at, excluded.off_at,
    CASE WHEN ?3 - failing_since >= ${OFF_AFTER_MS} THEN ?3 END)
  RETURNING off_at`;
const WENT_THROUGH = "DELETE FROM failing_destinations WHERE by = ?1 AND address = ?2";

/** A try has failed. @param isGone the destination says that it is there no more. @returns since when it is switched off, or null. */
export async function noteFailure(
  binding: D1Database,
  { by, address }: Destination,
  failure: { error: string; isGone: boolean; nowMs: number },
): Promise<number | null> {
  const { error, isGone, nowMs } = failure;
  const statement = binding.prepare(FAILED).bind(by, address, nowMs, isGone ? nowMs : null, error);
  return await statement.first<number | null>("off_at");
}

/** A try went through: the destination is as good as new. */
export async function noteSuccess(binding: D1Database, { by, address }: Destination): Promise<void> {
  await binding.prepare(WENT_THROUGH).bind(by, address).run();
}

/** What of all routines' notifications decides who is told: their rules, and the destinations that are switched off. */
export interface NotificationPlan {
  rules: NotificationRule[];
  /** By `destinationKey`. */
  off: ReadonlySet<string>;
}

const RULES = "SELECT doc, revision FROM notification_rules WHERE id = 1";
/** The same rules are no change: the statement before may have gone through though an error was the answer. */
const SET_RULES = `INSERT INTO notification_rules (id, doc, revision)
  SELECT 1, ?1, 1 WHERE coalesce(?2, 0) = 0 OR EXISTS (SELECT 1 FROM notification_rules)
  ON CONFLICT (id) DO UPDATE SET doc = excluded.doc, revision = revision + (doc <> excluded.doc)
  WHERE ?2 IS NULL OR revision = ?2 OR doc = excluded.doc
  RETURNING revision`;
const OFF = "SELECT by, address FROM failing_destinations WHERE off_at IS NOT NULL";

export async function readNotificationPlan(binding: D1Database): Promise<NotificationPlan> {
  const [rules, off] = await binding.batch<Record<string, string>>([binding.prepare(RULES), binding.prepare(OFF)]);
  const rows = (off?.results ?? []).map(({ by, address }) => destinationKey({ by, address } as Destination));
  return { rules: rulesIn(rules?.results[0]?.["doc"]), off: new Set(rows) };
}

/** Rules that can't be read are none, and are told in the log. */
function rulesIn(doc: string | undefined): NotificationRule[] {
  if (doc === undefined) return [];
  try {
    return notificationRulesSchema.parse(JSON.parse(doc));
  } catch (error) {
    logTrouble("row_unreadable", { id: "notification_rules" }, error);
    return [];
  }
}

export interface NotificationLists {
  /** Newest first. @param filter null for all. */
  list(
    filter: { routineId: string | null; status: NotificationStatus | null },
    page: PageRequest,
  ): Promise<Page<Notification>>;
  rules(): Promise<InstanceRules>;
  /** @param ifRevision null to set them whatever they are. @returns the new revision; null where they had another than was named. */
  setRules(rules: readonly NotificationRule[], ifRevision: number | null): Promise<number | null>;
  /** The one that fails longest first. */
  failing(): Promise<FailingDestination[]>;
  /** Destinations that have failed for so long are tried again as if they were new. */
  forgetFailing(beforeMs: number): Promise<void>;
}

const failingRow = z.object({
  by: destinationSchema.shape.by,
  address: z.string(),
  failing_since: z.int(),
  off_at: z.int().nullable(),
  error: z.string(),
});
const FAILING_AT_MOST = 1_000;

export function notificationLists(database: D1Database): NotificationLists {
  const db = drizzle(database);
  return {
    list: async ({ routineId, status }, page) => {
      const where = and(
        routineId === null ? undefined : eq(notifications.routineId, routineId),
        status === null ? undefined : eq(notifications.status, status),
      );
      return await documentsPage(db, { table: notifications, schema: notificationSchema, where }, page);
    },
    rules: async () => {
      const row = await database.prepare(RULES).first<{ doc: string; revision: number }>();
      return { rules: rulesIn(row?.doc), revision: row?.revision ?? 0 };
    },
    setRules: async (rules, ifRevision) =>
      await database.prepare(SET_RULES).bind(JSON.stringify(rules), ifRevision).first<number>("revision"),
    failing: async () => {
      const all = "SELECT * FROM failing_destinations ORDER BY failing_since LIMIT ?1";
      const { results } = await database.prepare(all).bind(FAILING_AT_MOST).all();
      return results.map((row) => {
        const { by, address, failing_since, off_at, error } = failingRow.parse(row);
        const switched_off_at = off_at === null ? null : timestamp(off_at);
        return { by, address, failing_since: timestamp(failing_since), switched_off_at, error };
      });
    },
    forgetFailing: async (beforeMs) => {
      await database.prepare("DELETE FROM failing_destinations WHERE failing_since < ?1").bind(beforeMs).run();
    },
  };
}
