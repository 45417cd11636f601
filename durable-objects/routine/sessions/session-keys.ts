/** Into which session the events of a key go. */
import type { Tx } from "../work.ts";

export class SessionKeys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null where no session has the key: there was none, or it has been deleted or archived. */
  find(key: string): string | null {
    const [row] = this.#sql.exec<{ id: string }>(FIND, key).toArray();
    return row?.id ?? null;
  }

  /** From now on events of the key go into this session. */
  keep(tx: Tx, key: string, sessionId: string): void {
    tx.sql.exec(KEEP, key, sessionId);
  }

  /** The routine makes other keys from now on: events of none of them go into a session that there is. */
  forget(tx: Tx): void {
    tx.sql.exec("DELETE FROM session_keys");
  }
}

const FIND = `SELECT sessions.id AS id FROM session_keys JOIN sessions ON sessions.id = session_keys.session_id
  WHERE session_keys.key = ? AND sessions.archived_at IS NULL`;
const KEEP = `INSERT INTO session_keys (key, session_id) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET session_id = excluded.session_id`;
