/**
 * What people have said to the sessions, and events that went to a run that was on: in its order, each once, until the agent
 * has it.
 */
import type { Actor } from "#protocol/actor.ts";
import type { GivenEvent } from "../session-tables.ts";
import type { Tx } from "../work.ts";

interface OfSession {
  sessionId: string;
  /** The sender's own id of it; an event's is its occurrence's. */
  id: string;
  kind: "message" | "interrupt";
  text: string;
  /** The run that gets it. */
  runId: string;
}

export interface Said extends OfSession {
  by: Actor;
  event: null;
}

/** Text from outside, as a trigger has brought it; empty where it brought none. */
export interface Given extends OfSession {
  kind: "message";
  by: null;
  event: GivenEvent;
}

export type Message = (Said | Given) & { n: number };

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

  add<One extends Said | Given>(tx: Tx, one: One): One & { n: number } {
    const { sessionId, id, kind, text, by, event, runId } = one;
    const { n } = tx.sql.exec<{ n: number }>(NEXT, sessionId).one();
    const came = event === null ? null : JSON.stringify(event);
    tx.sql.exec(ADD, sessionId, n, id, kind, text, JSON.stringify(by), came, tx.nowMs, runId);
    return { ...one, n };
  }

  /** What the run's agent has not got yet. */
  waiting(runId: string): Message[] {
    return this.#sql.exec<Row>(WAITING, runId).toArray().map(messageOf);
  }

  /** Of that, what people have said to the agent. */
  said(runId: string): (Said & { n: number })[] {
    return this.waiting(runId)
      .filter((message) => message.event === null)
      .filter(({ kind }) => kind === "message");
  }

  /** Of that, the events. */
  given(runId: string): (Given & { n: number })[] {
    return this.waiting(runId).filter((message) => message.event !== null);
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

  /** Of that, the events alone. */
  passEvents(tx: Tx, fromRunId: string, toRunId: string): void {
    tx.sql.exec(PASS_EVENTS, toRunId, fromRunId);
  }
}

interface Row extends Record<string, SqlStorageValue> {
  session_id: string;
  n: number;
  id: string;
  kind: "message" | "interrupt";
  text: string;
  by: string;
  event: string | null;
  run_id: string;
}

function messageOf({ session_id: sessionId, n, id, kind, text, by, event, run_id: runId }: Row): Message {
  const one = { sessionId, n, id, text, runId };
  if (event !== null) return { ...one, kind: "message", by: null, event: JSON.parse(event) as GivenEvent };
  return { ...one, kind, by: JSON.parse(by) as Actor, event };
}

const FIND = "SELECT run_id FROM messages WHERE session_id = ? AND id = ?";
const NEXT = "SELECT COALESCE(MAX(n), 0) + 1 AS n FROM messages WHERE session_id = ?";
const ADD = `INSERT INTO messages (session_id, n, id, kind, text, "by", event, at, run_id)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const WAITING = `SELECT session_id, n, id, kind, text, "by", event, run_id FROM messages
  WHERE run_id = ? AND taken_at IS NULL ORDER BY n`;
/** The transcript has the text from then on. */
const TAKE = "UPDATE messages SET taken_at = ?, text = '' WHERE session_id = ? AND n = ?";
const PASS = "UPDATE messages SET run_id = ? WHERE run_id = ? AND taken_at IS NULL AND kind = 'message'";
const PASS_EVENTS = `${PASS} AND event IS NOT NULL`;
