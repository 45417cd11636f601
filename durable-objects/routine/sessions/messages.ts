/** What people have said to the sessions: in its order, each once, until the agent has it. */
import type { Actor } from "#protocol/actor.ts";
import type { Tx } from "../work.ts";

export interface Said {
  sessionId: string;
  /** The sender's own id of it. */
  id: string;
  kind: "message" | "interrupt";
  text: string;
  by: Actor;
  /** The run that gets it. */
  runId: string;
}

export interface Message extends Said {
  n: number;
}

export class Messages {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The run that gets, or has got, what was said under this id; null where nothing was. */
  runOf(sessionId: string, id: string): string | null {
    const [row] = this.#sql.exec<{ run_id: string }>(FIND, sessionId, id).toArray();
    return row?.run_id ?? null;
  }

  add(tx: Tx, { sessionId, id, kind, text, by, runId }: Said): Message {
    const { n } = tx.sql.exec<{ n: number }>(NEXT, sessionId).one();
    tx.sql.exec(ADD, sessionId, n, id, kind, text, JSON.stringify(by), tx.nowMs, runId);
    return { sessionId, n, id, kind, text, by, runId };
  }

  /** What the run's agent has not got yet. */
  waiting(runId: string): Message[] {
    return this.#sql.exec<Row>(WAITING, runId).toArray().map(messageOf);
  }

  /** The agent has got it, or never will. @returns null where that was known. */
  take(tx: Tx, runId: string, n: number): Message | null {
    const message = this.waiting(runId).find((waiting) => waiting.n === n) ?? null;
    if (message !== null) tx.sql.exec(TAKE, tx.nowMs, message.sessionId, n);
    return message;
  }

  /** What the run's agent has not got is for another run of the session. */
  pass(tx: Tx, fromRunId: string, toRunId: string): void {
    tx.sql.exec(PASS, toRunId, fromRunId);
  }
}

interface Row extends Record<string, SqlStorageValue> {
  session_id: string;
  n: number;
  id: string;
  kind: "message" | "interrupt";
  text: string;
  by: string;
  run_id: string;
}

function messageOf({ session_id: sessionId, n, id, kind, text, by, run_id: runId }: Row): Message {
  return { sessionId, n, id, kind, text, by: JSON.parse(by) as Actor, runId };
}

const FIND = "SELECT run_id FROM messages WHERE session_id = ? AND id = ?";
const NEXT = "SELECT COALESCE(MAX(n), 0) + 1 AS n FROM messages WHERE session_id = ?";
const ADD = `INSERT INTO messages (session_id, n, id, kind, text, "by", at, run_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const WAITING = `SELECT session_id, n, id, kind, text, "by", run_id FROM messages
  WHERE run_id = ? AND taken_at IS NULL ORDER BY n`;
/** The transcript has the text from then on. */
const TAKE = "UPDATE messages SET taken_at = ?, text = '' WHERE session_id = ? AND n = ?";
const PASS = "UPDATE messages SET run_id = ? WHERE run_id = ? AND taken_at IS NULL AND kind = 'message'";
