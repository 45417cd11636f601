/** Into which session the events of a key go. */
import { spellings } from "#protocol/characters.ts";
import type { Tx } from "../work.ts";

export class SessionKeys {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** @param key composed; a row may be of before keys were. Null where no session has the key: there was none, or it has been deleted or archived. */
  find(key: string): string | null {
    for (const spelling of spellings(key)) {
      const [row] = this.#sql.exec<{ id: string }>(FIND, spelling).toArray();
      if (row !== undefined) return row.id;
    }
    return null;
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
