/** The routine's notifications as rows: each fact told to each destination once, claimed before it is sent, and listed through D1. */
import { and, asc, desc, eq, isNotNull, isNull, lt, lte, min, sql } from "drizzle-orm";
import type { IdMaker } from "#protocol/ids.ts";
import type { Notification, NotificationStatus } from "#protocol/notification.ts";
import { timestamp } from "#protocol/time.ts";
import { type Chosen, destinationKey, type Fact, factText, retryAfterMs } from "#rules/run/notify.ts";
import type { Database } from "../database.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { notifications } from "../schema.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export type NotificationRow = typeof notifications.$inferSelect;

/** So many are kept of those that are settled. */
const KEPT = 1_000;
/** Longer than reading its secrets, sending it and writing down what came of it take. */
const CLAIM_MS = 30_000;

/** What a try has come to: null for success. `isOver`: it is not tried again. `afterMs`: not before that. */
export type Failure = { error: string; isOff: boolean; isOver?: true; afterMs?: number } | null;

export class Notifications {
  readonly #database: Database;
  readonly #ids: IdMaker;
  readonly #outbox: Outbox;
  readonly #earliest: Remembered<number | null>;

  constructor(database: Database, work: Work, ids: IdMaker, outbox: Outbox) {
    this.#database = database;
    this.#ids = ids;
    this.#outbox = outbox;
    this.#earliest = work.remember(() => database.$client.sql.exec<{ at: number | null }>(EARLIEST).one().at);
  }

  /** One that is there already for this fact and destination stays as it is. @param isOff nothing is sent there. */
  add(tx: Tx, routineId: string, fact: Fact, { kind, destination }: Chosen, body: string, isOff: boolean): void {
    const id = this.#ids.make("notification", tx.nowMs);
    const now = timestamp(tx.nowMs);
    const doc: Notification = {
      id,
      routine_id: routineId,
      run_id: fact.runId,
      kind,
      destination,
      status: isOff ? "switched_off" : "pending",
      tries: 0,
      error: null,
      next_try_at: isOff ? null : now,
      created_at: now,
      sent_at: null,
    };
    const state = { doc, dueAt: isOff ? null : tx.nowMs, version: 1, indexedVersion: 0 };
    const row = { id, fact: factText(fact), destination: destinationKey(destination), body, ...state };
    tx.database.insert(notifications).values(row).onConflictDoNothing().run();
    this.#trim(tx);
    this.#changed(tx, routineId);
  }

  get(id: string): NotificationRow | null {
    return this.#database.select().from(notifications).where(eq(notifications.id, id)).get() ?? null;
  }

  /** When the first one is due; null when none is to be sent. */
  earliest(): number | null {
    return this.#earliest.get();
  }

  /** Takes up what is due, the longest first: nobody else does before the claim's end. */
  claimDue(tx: Tx, limit: number): NotificationRow[] {
    const due = tx.database
      .select()
      .from(notifications)
      .where(and(isNotNull(notifications.dueAt), lte(notifications.dueAt, tx.nowMs)))
      .orderBy(asc(notifications.dueAt), asc(notifications.id))
      .limit(limit)
      .all();
    for (const { id } of due) this.#claim(tx, id);
    return due;
  }

  /** Claims one anew whose turn has come. @returns it as it is now; null when it is not to be sent any more. */
  begin(tx: Tx, id: string): NotificationRow | null {
    const row = this.get(id);
    if (row?.doc.status !== "pending") return null;
    this.#claim(tx, id);
    return row;
  }

  /** It has been tried. @param row as it was begun: one that was asked for anew meanwhile stays due. */
  tried(tx: Tx, row: NotificationRow, failure: Failure): void {
    const now = this.get(row.id);
    if (now?.version !== row.version) return;
    const tries = row.doc.tries + 1;
    if (failure === null) {
      this.#settle(tx, row, "sent", { tries, error: null, sent_at: timestamp(tx.nowMs) });
      return;
    }
    const isLast = failure.isOff || failure.isOver === true;
    const after = isLast ? null : retryAfterMs(tries, failure.afterMs);
    if (after === null) {
      this.#settle(tx, row, failure.isOff ? "switched_off" : "failed", { tries, error: failure.error });
      return;
    }
    const dueAt = tx.nowMs + after;
    const doc = { ...row.doc, tries, error: failure.error, next_try_at: timestamp(dueAt) };
    this.#write(tx, row, doc, dueAt);
  }

  /** Asks for it anew, whatever has become of it: under the same id, with the same body, and all its tries before it. */
  redeliver(tx: Tx, row: NotificationRow): Notification {
    const now = timestamp(tx.nowMs);
    const doc: Notification = { ...row.doc, status: "pending", tries: 0, next_try_at: now };
    this.#write(tx, row, doc, tx.nowMs);
    return doc;
  }

  /** What D1 does not have yet, oldest first; and the oldest that is kept. */
  unindexed(limit: number) {
    const oldest =
      this.#database
        .select({ id: min(notifications.id) })
        .from(notifications)
        .get()?.id ?? null;
    const rows = this.#database
      .select({ id: notifications.id, doc: notifications.doc, version: notifications.version })
      .from(notifications)
      .where(lt(notifications.indexedVersion, notifications.version))
      .orderBy(asc(notifications.id))
      .limit(limit)
      .all();
    return { rows, oldest };
  }

  /** D1 has these as they were read. */
  indexed(tx: Tx, rows: readonly Pick<NotificationRow, "id" | "version">[]): void {
    for (const { id, version } of rows) {
      tx.database.update(notifications).set({ indexedVersion: version }).where(eq(notifications.id, id)).run();
    }
  }

  /** D1 has lost what it had. */
  oweAll(tx: Tx, routineId: string): void {
    tx.database.update(notifications).set({ indexedVersion: 0 }).run();
    this.#outbox.owe(tx, "project_notifications", routineId);
  }

  #claim(tx: Tx, id: string): void {
    tx.database
      .update(notifications)
      .set({ dueAt: tx.nowMs + CLAIM_MS })
      .where(eq(notifications.id, id))
      .run();
    this.#earliest.forget();
  }

  #settle(tx: Tx, row: NotificationRow, status: NotificationStatus, more: Partial<Notification>): void {
    this.#write(tx, row, { ...row.doc, ...more, status, next_try_at: null }, null);
  }

  #write(tx: Tx, { id, version }: NotificationRow, doc: Notification, dueAt: number | null): void {
    const change = { doc, dueAt, version: version + 1 };
    tx.database.update(notifications).set(change).where(eq(notifications.id, id)).run();
    this.#changed(tx, doc.routine_id);
  }

  #changed(tx: Tx, routineId: string): void {
    this.#earliest.forget();
    this.#outbox.owe(tx, "project_notifications", routineId);
  }

  /** What is still to be sent is kept, however old. */
  #trim(tx: Tx): void {
    const last = tx.database
      .select({ id: notifications.id })
      .from(notifications)
      .orderBy(desc(notifications.id))
      .limit(1)
      .offset(KEPT - 1);
    tx.database
      .delete(notifications)
      .where(and(lt(notifications.id, sql`(${last})`), isNull(notifications.dueAt)))
      .run();
  }
}

const EARLIEST = "SELECT MIN(due_at) AS at FROM notifications";
