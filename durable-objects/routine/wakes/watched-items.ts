/** What watches know of the items that they have seen: rows of key and hash. */
import type { SeenItem, WatchChange } from "#protocol/watch.ts";
import type { Tx } from "../work.ts";

/** How many items of one watch are known. Of more, those are forgotten that are not there and changed longest ago. */
const KNOWN_AT_MOST = 10_000;

type Compared = Pick<SeenItem, "key" | "hash">;

export class WatchedItems {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** How each differs from what is known. Reads no row but theirs. */
  compare(triggerId: string, items: readonly Compared[]): WatchChange[] {
    const keys = JSON.stringify(items.map(({ key }) => key));
    const rows = this.#sql.exec<{ key: string; hash: string }>(KNOWN, keys, triggerId).toArray();
    const known = new Map(rows.map(({ key, hash }) => [key, hash]));
    return items.map(({ key, hash }) => {
      const before = known.get(key);
      if (before === undefined) return "new";
      return before === hash ? "same" : "changed";
    });
  }

  /**
   * Keeps those that differ.
   * @param all that are there, which are not forgotten. @returns how many are known then.
   */
  keep(tx: Tx, triggerId: string, look: number, differing: readonly Compared[], all: readonly Compared[]): number {
    if (differing.length > 0) {
      const rows = JSON.stringify(differing.map(({ key, hash }) => [key, hash]));
      tx.sql.exec(KEEP, triggerId, look, rows);
    }
    const { count } = this.#sql.exec<{ count: number }>(COUNT, triggerId).one();
    if (count <= KNOWN_AT_MOST) return count;
    tx.sql.exec(FORGET_OLD, triggerId, JSON.stringify(all.map(({ key }) => key)), count - KNOWN_AT_MOST);
    return this.#sql.exec<{ count: number }>(COUNT, triggerId).one().count;
  }

  forget(tx: Tx, triggerId: string): void {
    tx.sql.exec("DELETE FROM watched_items WHERE trigger_id = ?", triggerId);
  }

  /** Forgets those of all other watches. */
  retain(tx: Tx, triggerIds: readonly string[]): void {
    tx.sql.exec(RETAIN, JSON.stringify(triggerIds));
  }
}

/** One seek for each key, from the list. */
const KNOWN = `SELECT watched_items.key, hash FROM json_each(?) AS asked
  CROSS JOIN watched_items ON trigger_id = ? AND watched_items.key = asked.value`;
const KEEP = `INSERT INTO watched_items (trigger_id, look, key, hash)
  SELECT ?1, ?2, value ->> 0, value ->> 1 FROM json_each(?3) WHERE true
  ON CONFLICT (trigger_id, key) DO UPDATE SET hash = excluded.hash, look = excluded.look`;
const COUNT = "SELECT COUNT(*) AS count FROM watched_items WHERE trigger_id = ?";
const FORGET_OLD = `DELETE FROM watched_items WHERE trigger_id = ?1 AND key IN (
  SELECT key FROM watched_items WHERE trigger_id = ?1 AND key NOT IN (SELECT value FROM json_each(?2))
  ORDER BY look, key LIMIT ?3)`;
const RETAIN = "DELETE FROM watched_items WHERE trigger_id NOT IN (SELECT value FROM json_each(?))";
