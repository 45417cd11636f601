/** What was made under an Idempotency-Key: the same key within 24 hours is the same thing. */
import { IDEMPOTENCY_WINDOW_MS } from "#protocol/occurrence.ts";

export interface MadeByKey {
  /**
   * Takes a key for what is about to be made. Asked again with the same, it answers the same.
   * @param asked `id` for what is made, unless the key has one already; the two hashes are SHA-256 in hex.
   * @returns the id that the key has; null where it was used for something else.
   */
  take(asked: { hash: string; fingerprint: string; id: string }, nowMs: number): Promise<string | null>;
  /** What had this id is there no more: the key is for another from now on. @returns the id that the key has then. */
  renew(asked: { hash: string; before: string; id: string }, nowMs: number): Promise<string>;
  forget(beforeMs: number): Promise<void>;
}

const TAKE = `INSERT INTO made_by_key (hash, fingerprint, made_id, at) VALUES (?1, ?2, ?3, ?4)
  ON CONFLICT (hash) DO UPDATE SET fingerprint = excluded.fingerprint, made_id = excluded.made_id, at = excluded.at
  WHERE at <= ?5`;
const RENEW = "UPDATE made_by_key SET made_id = ?3, at = ?4 WHERE hash = ?1 AND made_id = ?2";
const READ = "SELECT fingerprint, made_id FROM made_by_key WHERE hash = ?1";

interface Row {
  fingerprint: string;
  made_id: string;
}

/** @param database its writes may be made twice: the second finds what the first has written. */
export function madeByKey(database: D1Database): MadeByKey {
  const written = async (write: D1PreparedStatement, hash: string): Promise<Row> => {
    const [, read] = await database.batch<Row>([write, database.prepare(READ).bind(hash)]);
    const row = read?.results[0];
    if (row === undefined) throw new Error("D1 does not have the key that it has taken");
    return row;
  };
  return {
    take: async ({ hash, fingerprint, id }, nowMs) => {
      const write = database.prepare(TAKE).bind(hash, fingerprint, id, nowMs, nowMs - IDEMPOTENCY_WINDOW_MS);
      const row = await written(write, hash);
      return row.fingerprint === fingerprint ? row.made_id : null;
    },
    renew: async ({ hash, before, id }, nowMs) =>
      (await written(database.prepare(RENEW).bind(hash, before, id, nowMs), hash)).made_id,
    forget: async (beforeMs) => {
      await database.prepare("DELETE FROM made_by_key WHERE at < ?1").bind(beforeMs).run();
    },
  };
}
