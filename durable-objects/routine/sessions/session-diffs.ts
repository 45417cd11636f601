/** What the work of each session has changed, as the runner of its latest run has told, in the object's SQLite. */
import { DIFF_SESSIONS, type Diff, type SentDiff, sentDiffSchema } from "#protocol/diff.ts";
import { timestamp } from "#protocol/time.ts";
import type { Tx } from "../work.ts";

type Row = { run_id: string; at: number; body: string };

export class SessionDiffs {
  readonly #sql: SqlStorage;
  readonly #keptForMs: number;

  constructor(sql: SqlStorage, keptForMs: number) {
    this.#keptForMs = keptForMs;
    this.#sql = sql;
  }

  of(sessionId: string, nowMs: number): Diff {
    const [row] = this.#sql.exec<Row>(FIND, sessionId, nowMs - this.#keptForMs).toArray();
    if (row === undefined) return { session_id: sessionId, run_id: null, at: null, repositories: [] };
    const { repositories } = sentDiffSchema.parse(JSON.parse(row.body));
    return { session_id: sessionId, run_id: row.run_id, at: timestamp(row.at), repositories };
  }

  /** In the place of what an earlier run of the session told; what is too old, or of too many sessions, is forgotten. */
  keep(tx: Tx, sessionId: string, runId: string, diff: SentDiff): void {
    tx.sql.exec(PUT, sessionId, runId, tx.nowMs, JSON.stringify(diff));
    tx.sql.exec(FORGET, tx.nowMs - this.#keptForMs, DIFF_SESSIONS);
  }
}

const FIND = "SELECT run_id, at, body FROM session_diffs WHERE session_id = ? AND at >= ?";
const PUT = "INSERT OR REPLACE INTO session_diffs (session_id, run_id, at, body) VALUES (?, ?, ?, ?)";
const FORGET = `DELETE FROM session_diffs WHERE at < ?1
  OR session_id NOT IN (SELECT session_id FROM session_diffs ORDER BY at DESC, session_id DESC LIMIT ?2)`;
