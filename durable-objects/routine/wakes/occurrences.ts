/** Rows of occurrences, and the keys that tell a repeat, in the object's SQLite. */
import { desc, eq, lt } from "drizzle-orm";
import type { Page, PageRequest } from "#protocol/api.ts";
import { spellings } from "#protocol/characters.ts";
import { firstIdAt, timeOf } from "#protocol/ids.ts";
import { logSoon } from "#protocol/log.ts";
import type { Occurrence, Wake } from "#protocol/occurrence.ts";
import type { Database } from "../database.ts";
import { pageOf } from "../runs/page-of.ts";
import { idempotencyKeys, occurrences } from "../schema.ts";
import type { Tx, Work } from "../work.ts";

type BroughtBy = Pick<Wake, "call_id" | "request_id" | "delivery_id">;

export class OccurrenceStore {
  readonly #database: Database;
  readonly #sql: SqlStorage;
  readonly #work: Work;

  /** @param sql of the same database, for what every fire writes. */
  constructor(database: Database, sql: SqlStorage, work: Work) {
    this.#database = database;
    this.#sql = sql;
    this.#work = work;
  }

  /** @param by what brings it: `ofCall` finds it by the call. */
  insert(tx: Tx, occurrence: Occurrence, by: BroughtBy): void {
    tx.sql.exec(KEEP_OCCURRENCE, occurrence.id, JSON.stringify(occurrence), by.call_id ?? null);
    this.#work.afterwards(tx, `decided:${occurrence.id}`, () => tellDecided(occurrence, by));
  }

  /** The occurrence that an earlier try of the same call has left: a call and its repetitions are over within half a minute. */
  ofCall(callId: string): Occurrence | null {
    const [row] = this.#sql.exec<{ doc: string }>(OF_CALL, LATELY, callId);
    return row === undefined ? null : JSON.parse(row.doc);
  }

  /** Those that a delivery has brought, oldest first: of as many as are searched after it came. */
  ofDelivery(deliveryId: string): Occurrence[] {
    const from = firstIdAt("occurrence", timeOf(deliveryId) - CLOCKS_DIFFER_MS);
    const rows = this.#sql.exec<{ doc: string }>(OF_DELIVERY, from, AFTER_DELIVERY, deliveryId).toArray();
    return rows.map(({ doc }) => JSON.parse(doc));
  }

  get(id: string): Occurrence | null {
    const [row] = this.#sql.exec<{ doc: string }>("SELECT doc FROM occurrences WHERE id = ?", id).toArray();
    return row === undefined ? null : JSON.parse(row.doc);
  }

  has(id: string): boolean {
    return this.#sql.exec("SELECT 1 FROM occurrences WHERE id = ?", id).toArray().length > 0;
  }

  list(request: PageRequest): Page<Occurrence> {
    const rows = this.#database
      .select()
      .from(occurrences)
      .where(request.cursor === null ? undefined : lt(occurrences.id, request.cursor))
      .orderBy(desc(occurrences.id))
      .limit(request.limit + 1)
      .all();
    return pageOf(rows, request.limit, (row) => row.doc);
  }

  /** The occurrence that came first under this key. */
  findKey(key: string): { occurrence: Occurrence; fingerprint: string; atMs: number } | null {
    for (const spelling of spellings(key)) {
      const row = this.#database
        .select({ occurrence: occurrences.doc, fingerprint: idempotencyKeys.fingerprint, atMs: idempotencyKeys.at })
        .from(idempotencyKeys)
        .innerJoin(occurrences, eq(occurrences.id, idempotencyKeys.occurrenceId))
        .where(eq(idempotencyKeys.key, spelling))
        .get();
      if (row !== undefined) return row;
    }
    return null;
  }

  /** Remembers a key; one that is past its time makes room for its new use. @param atMs from when on it counts. */
  keepKey(
    tx: Tx,
    key: string,
    fingerprint: string,
    occurrenceId: string,
    windowMs: number,
    atMs: number = tx.nowMs,
  ): void {
    tx.database
      .delete(idempotencyKeys)
      .where(lt(idempotencyKeys.at, tx.nowMs - windowMs + 1))
      .run();
    tx.sql.exec(KEEP_KEY, key, fingerprint, occurrenceId, atMs);
  }
}

function tellDecided({ id, routine_id, trigger, run_id, outcome, reason }: Occurrence, by: BroughtBy): void {
  const { request_id, delivery_id } = by;
  const ids = { occurrence_id: id, routine_id, trigger_id: trigger.id, request_id, delivery_id, run_id };
  logSoon("occurrence_decided", { ...ids, trigger: trigger.type, outcome, reason });
}

/** How many of the newest occurrences are searched: more than a routine takes in within half a minute. */
const LATELY = 10_000;
/** How many are searched for those of one delivery. */
const AFTER_DELIVERY = 20_000;
/** The worker's clock, which a delivery's id is of, may go before the object's. */
const CLOCKS_DIFFER_MS = 60_000;
const OF_DELIVERY = `SELECT doc FROM (SELECT id, doc FROM occurrences WHERE id >= ? ORDER BY id LIMIT ?)
  WHERE doc ->> '$.trigger.delivery_id' = ? ORDER BY id`;
const KEEP_OCCURRENCE = "INSERT INTO occurrences (id, doc, call_id) VALUES (?, ?, ?)";
const OF_CALL = `SELECT doc FROM (SELECT doc, call_id FROM occurrences ORDER BY id DESC LIMIT ?) WHERE call_id = ?`;
/** An event whose two keys are one text keeps it twice; and a body's key is kept anew when its few minutes are over. */
const KEEP_KEY = `INSERT INTO idempotency_keys (key, fingerprint, occurrence_id, at) VALUES (?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, occurrence_id = excluded.occurrence_id,
    at = excluded.at`;
