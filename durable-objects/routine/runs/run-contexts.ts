/** What each run is told of earlier runs: looked up once, and the same for each of its attempts. */
import type { Tx } from "../work.ts";

export class RunContexts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Null where it is told nothing; undefined while nothing has been looked up. */
  of(runId: string): string | null | undefined {
    const [row] = this.#sql.exec<{ text: string | null }>(FIND, runId).toArray();
    return row?.text;
  }

  keep(tx: Tx, runId: string, text: string | null): void {
    tx.sql.exec(PUT, runId, text);
  }
}

const FIND = "SELECT text FROM run_contexts WHERE run_id = ?";
const PUT = "INSERT OR IGNORE INTO run_contexts (run_id, text) VALUES (?, ?)";
