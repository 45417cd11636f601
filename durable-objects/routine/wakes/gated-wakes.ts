/** What has come and waits for the answer of the routine's gate: rows of `gated_wakes`, with the keys that they are known by. */
import type { Wake } from "#protocol/occurrence.ts";
import type { CoalesceUnder } from "#rules/triggers/coalesce-under.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export interface GatedWake {
  seq: number;
  wake: Wake;
  coalesce: CoalesceUnder | null;
  /** Unix milliseconds. */
  cameAt: number;
}

/** What waits, in figures. */
interface Waiting {
  count: number;
  /** Of the newest; 0 where nothing waits. */
  last: number;
  /** The most that the gate has failed for one of them. */
  failures: number;
  fault: string | null;
  /** When it is asked next, in Unix milliseconds; null where nothing waits. */
  askAt: number | null;
}

type Row = { seq: number; wake: string; coalesce: string | null; cameAt: number };

export class GatedWakes {
  readonly #sql: SqlStorage;
  readonly #outbox: Outbox;
  readonly #waiting: Remembered<Waiting>;

  constructor(sql: SqlStorage, work: Work, outbox: Outbox) {
    this.#sql = sql;
    this.#outbox = outbox;
    this.#waiting = work.remember(() => ({ ...sql.exec<Waiting & Record<string, SqlStorageValue>>(WAITING).one() }));
  }

  waiting(): Waiting {
    return this.#waiting.get();
  }

  /** @param keys by which it is known. While the gate fails, what comes waits with what waits already. */
  hold(tx: Tx, routineId: string, wake: Wake, coalesce: CoalesceUnder | null, keys: readonly string[]): void {
    const before = this.#waiting.get();
    const { failures, askAt } = before;
    const isFailing = failures > 0 && askAt !== null && askAt > tx.nowMs;
    const under = coalesce === null ? null : JSON.stringify(coalesce);
    const at = isFailing ? askAt : tx.nowMs;
    const { seq } = tx.sql.exec<{ seq: number }>(HOLD, JSON.stringify(wake), under, at, tx.nowMs).one();
    this.#waiting.set(tx, { ...before, count: before.count + 1, last: seq, askAt: Math.min(askAt ?? at, at) });
    // A key that no longer tells a repeat of what waits is from now on this one's.
    for (const key of keys) tx.sql.exec(KEEP, key, seq);
    if (!isFailing) this.#outbox.owe(tx, "ask_gate", routineId);
  }

  /** @param afterMs it has come later than that. @returns the number of what waits under the key; null where nothing does. */
  find(key: string, afterMs = Number.MIN_SAFE_INTEGER): number | null {
    if (this.#waiting.get().count === 0) return null;
    const [row] = this.#sql.exec<{ seq: number }>(FIND, key, afterMs).toArray();
    return row?.seq ?? null;
  }

  /** What waits is known by these as well. */
  alias(tx: Tx, seq: number, keys: readonly string[]): void {
    for (const key of keys)
      tx.sql.exec("INSERT INTO gated_keys (key, seq) VALUES (?, ?) ON CONFLICT DO NOTHING", key, seq);
  }

  /** Up to that number, for which the gate has failed so often; in the order in which they came, at most so many. */
  upTo(last: number, tries: number, limit: number): GatedWake[] {
    return this.#sql
      .exec<Row>(UP_TO, last, tries, limit)
      .toArray()
      .map(({ seq, wake, coalesce, cameAt }) => ({
        ...{ seq, cameAt, wake: JSON.parse(wake) },
        coalesce: coalesce === null ? null : JSON.parse(coalesce),
      }));
  }

  /** Of one delivery. @returns their triggers. */
  triggersOf(deliveryId: string): (string | null)[] {
    if (this.#waiting.get().count === 0) return [];
    const rows = this.#sql.exec<{ trigger: string | null }>(OF_DELIVERY, deliveryId).toArray();
    return rows.map(({ trigger }) => trigger);
  }

  keysOf(seq: number): string[] {
    return this.#sql
      .exec<{ key: string }>("SELECT key FROM gated_keys WHERE seq = ?", seq)
      .toArray()
      .map(({ key }) => key);
  }

  /** It is decided. */
  drop(tx: Tx, seq: number): void {
    tx.sql.exec("DELETE FROM gated_keys WHERE seq = ?", seq);
    tx.sql.exec("DELETE FROM gated_wakes WHERE seq = ?", seq);
    this.#waiting.forget();
  }

  /** The gate could not be asked for those up to that number: with what has come meanwhile they wait until then. */
  putOff(tx: Tx, last: number, fault: string, askAtMs: number): void {
    tx.sql.exec(PUT_OFF, last, fault, askAtMs);
    this.#waiting.forget();
  }

  /** The routine has another gate: what waits has all its tries with that one. */
  askAnew(tx: Tx, routineId: string): void {
    if (this.#waiting.get().count === 0) return;
    tx.sql.exec("UPDATE gated_wakes SET tries = 0, fault = NULL");
    this.askSoon(tx, routineId);
  }

  /** What waits is seen to at once: whether the gate is asked has changed, or which one. */
  askSoon(tx: Tx, routineId: string): void {
    if (this.#waiting.get().count === 0) return;
    tx.sql.exec("UPDATE gated_wakes SET ask_at = ?", tx.nowMs);
    this.#waiting.forget();
    this.#outbox.owe(tx, "ask_gate", routineId);
  }
}

const WAITING = `SELECT COUNT(*) AS count, COALESCE(MAX(seq), 0) AS last, COALESCE(MAX(tries), 0) AS failures,
  (SELECT fault FROM gated_wakes ORDER BY tries DESC LIMIT 1) AS fault, MIN(ask_at) AS askAt FROM gated_wakes`;
const HOLD = "INSERT INTO gated_wakes (wake, coalesce, ask_at, came_at) VALUES (?, ?, ?, ?) RETURNING seq";
const KEEP = "INSERT INTO gated_keys (key, seq) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET seq = excluded.seq";
const UP_TO = `SELECT seq, wake, coalesce, came_at AS cameAt FROM gated_wakes
  WHERE seq <= ? AND tries >= ? ORDER BY seq LIMIT ?`;
const FIND = "SELECT seq FROM gated_keys JOIN gated_wakes USING (seq) WHERE key = ? AND came_at > ?";
const OF_DELIVERY = "SELECT wake ->> 'trigger_id' AS trigger FROM gated_wakes WHERE wake ->> 'delivery_id' = ?";
const PUT_OFF = `UPDATE gated_wakes SET ask_at = ?3, tries = tries + (seq <= ?1),
  fault = CASE WHEN seq <= ?1 THEN ?2 ELSE fault END`;
