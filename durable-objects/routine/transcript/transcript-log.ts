/** Transcripts in the object's SQLite: append with gapless `seq`, read after a cursor. */
import { timestamp } from "#protocol/time.ts";
import { byteLength, EVENT_LIMIT_BYTES, type EventBody, fitEvent } from "#protocol/transcript.ts";
import { wellFormedJson } from "#protocol/well-formed.ts";
import { type Chunk, chunkLines } from "#rules/transcript-chunk.ts";
import type { Draft, RememberedEach, Tx, Work } from "../work.ts";
import { AHEAD, KeptRows } from "./kept-rows.ts";
import { chunkOf, type ReadRow } from "./moved-transcripts.ts";
import type { TranscriptParts } from "./transcript-parts.ts";

/** How far the frames of a run's attempt are stored, and what was counted in them. */
export interface Mark {
  runId: string;
  attempt: number;
  frame: number;
  toolCalls: number;
}

export interface LogEnd {
  lastSeq: number;
  /** The length of all events so far, in bytes. */
  endBytes: number;
  /** Of the attempt that has sent frames last, or of the first one; null in a session without events. */
  mark: Mark | null;
}

interface Pending {
  end: LogEnd;
  /** Events that are not written yet, as JSON. */
  lines: string[];
}

type EndRow = {
  last_seq: number | null;
  end_bytes: number;
  run_id: string;
  attempt: number;
  frame: number;
  tool_calls: number;
};

/** Ends that are kept in memory at most. */
const ENDS_KEPT = 128;
/** An event whose JSON is this long at most fits, whatever its characters are: one takes three bytes at most. */
const SURELY_FITS = EVENT_LIMIT_BYTES / 4;

/**
 * A row of `transcript` holds the events of one transaction, with the frame up to which the attempt's frames are in
 * it: many events of one moment cost one written row. Statements are SQL, because rows have to be read one by one
 * until a bound is reached.
 */
export class TranscriptLog {
  readonly #sql: SqlStorage;
  /** What lies in R2. */
  readonly #parts: TranscriptParts;
  readonly #ends: RememberedEach<LogEnd>;
  readonly #rows = new KeptRows();
  /** The moment of the last events, as text: many share one. */
  #at = { ms: 0, text: timestamp(0) };
  /** By session, what the open transaction has appended so far. */
  readonly #pending: Draft<Map<string, Pending>>;

  constructor(sql: SqlStorage, work: Work, parts: TranscriptParts) {
    this.#sql = sql;
    this.#parts = parts;
    this.#ends = work.rememberEach((sessionId) => this.#readEnd(sessionId), ENDS_KEPT);
    work.whenForgotten(() => this.#rows.clear());
    this.#pending = work.draft(() => new Map());
    work.last((tx) => this.#write(tx));
  }

  /** Where the session's transcript ends, or null when there is no such session. */
  end(sessionId: string): LogEnd | null {
    return this.#pending.peek()?.get(sessionId)?.end ?? this.#ends.get(sessionId);
  }

  /** A session has been made: its end is known without looking. */
  begin(tx: Tx, sessionId: string): void {
    this.#ends.set(tx, sessionId, { lastSeq: 0, endBytes: 0, mark: null });
  }

  /** Appends events in their order. They are stored at the end of the transaction. */
  append(tx: Tx, sessionId: string, runId: string, attempt: number, bodies: readonly EventBody[]): void {
    const pending = this.#pendingOf(tx, sessionId);
    if (pending === null || bodies.length === 0) return;
    if (this.#at.ms !== tx.nowMs) this.#at = { ms: tx.nowMs, text: timestamp(tx.nowMs) };
    const at = this.#at.text;
    let { lastSeq } = pending.end;
    for (const body of bodies) {
      lastSeq += 1;
      pending.lines.push(lineOf(body, `"seq":${lastSeq},"at":"${at}","session_id":"${sessionId}","run_id":"${runId}"`));
    }
    // A run that waits in the queue must not end what is known of the one that is on.
    pending.end = { ...pending.end, lastSeq, mark: pending.end.mark ?? markOf(null, runId, attempt) };
  }

  /** Notes how far an attempt's frames are stored: it is stored together with their events. */
  note(tx: Tx, sessionId: string, mark: Mark): void {
    const pending = this.#pendingOf(tx, sessionId);
    if (pending !== null) pending.end = { ...pending.end, mark };
  }

  /** The session is deleted, and with it all of its events. */
  drop(tx: Tx, sessionId: string): void {
    tx.sql.exec("DELETE FROM transcript WHERE session_id = ?", sessionId);
    this.#ends.forget(sessionId);
    this.#rows.drop(sessionId);
  }

  /** Stores what was appended and noted, a row for each session. */
  #write(tx: Tx): void {
    for (const [sessionId, { end, lines }] of this.#pending.peek() ?? []) {
      const { lastSeq, mark } = end;
      if (mark === null) continue;
      let { endBytes } = end;
      let firstSeq = lastSeq - lines.length + 1;
      for (const part of chunkLines(lines)) {
        const body = part.join("\n");
        endBytes += byteLength(body) - (part.length - 1);
        const last = firstSeq + part.length - 1;
        tx.sql.exec(ADD, sessionId, last, firstSeq, endBytes, ...marked(mark), body);
        this.#rows.add(sessionId, { firstSeq, lastSeq: last, endBytes, body });
        firstSeq = last + 1;
      }
      if (lines.length === 0) tx.sql.exec(UPDATE_MARK, ...marked(mark), sessionId, lastSeq);
      this.#ends.set(tx, sessionId, { lastSeq, endBytes, mark });
    }
  }

  /**
   * Chunks with events after `after`, oldest first. The first one is given however long it is; of the others those that
   * end within the bounds. It ends before events that lie in R2 and have not been loaded: see `missing`.
   */
  read(sessionId: string, after: number, bounds: { maxSeq: number; maxEndBytes: number }): Chunk[] {
    const chunks: Chunk[] = [];
    const end = this.end(sessionId)?.lastSeq ?? 0;
    for (let at = after; at < Math.min(end, bounds.maxSeq); ) {
      const row = this.#rows.next(sessionId, at) ?? this.#readAhead(sessionId, at);
      if (row === null) break;
      const fits = row.firstSeq <= bounds.maxSeq && row.endBytes <= bounds.maxEndBytes;
      if (chunks.length > 0 && !fits) break;
      chunks.push(row);
      if (!fits) break;
      at = row.lastSeq;
    }
    return chunks;
  }

  /**
   * Reads the row with the event after `after`, and more for who goes on from there: to find a row costs more than to read
   * some, since SQLite reads all of each row that it compares with. Null where the row's events lie in R2.
   */
  #readAhead(sessionId: string, after: number): Chunk | null {
    let first: Chunk | null = null;
    let length = 0;
    let rows = 0;
    for (const row of this.#sql.exec<ReadRow>(READ, sessionId, after)) {
      const chunk = chunkOf(row, (key) => this.#parts.cached(key));
      if (chunk === null) break;
      first ??= chunk;
      this.#rows.add(sessionId, chunk);
      length += chunk.body.length;
      rows += 1;
      if (length >= AHEAD.length || rows >= AHEAD.rows) break;
    }
    return first;
  }

  /** The row with the event after `after`, for who looks at it once. Null where its events lie in R2. */
  #readRow(sessionId: string, after: number): Chunk | null {
    for (const row of this.#sql.exec<ReadRow>(READ, sessionId, after)) {
      return chunkOf(row, (key) => this.#parts.cached(key));
    }
    return null;
  }

  /** What has to be loaded before the events after this one can be read: a key in R2; null where they can be. */
  missing(sessionId: string, after: number): string | null {
    if (this.#rows.next(sessionId, after) !== null) return null;
    const [row] = this.#sql.exec<{ key: string | null }>(READ_KEY, sessionId, after).toArray();
    const key = row?.key ?? null;
    return key === null || this.#parts.cached(key) !== null ? null : key;
  }

  /** Loads what is missing. @throws Error where R2 does not give it. */
  load(key: string): Promise<void> {
    return this.#parts.load(key);
  }

  /** The events of the last rows, oldest first, as they are sent: at most so many rows. Of those that lie in R2, the last calls alone. */
  latest(sessionId: string, rows: number): string[] {
    const bodies = this.#sql.exec<{ body: string }>(READ_LATEST, sessionId, rows).toArray();
    return bodies.toReversed().flatMap(({ body }) => (body === "" ? [] : body.split("\n")));
  }

  /**
   * The length of the events up to this one, in bytes. Where they lie in R2 it is that of whole parts: less than it is, so
   * that who may have a number of bytes under way gets no more by it.
   */
  bytesUpTo(sessionId: string, seq: number): number {
    const end = this.end(sessionId);
    if (end === null || seq >= end.lastSeq) return end?.endBytes ?? 0;
    if (seq === 0) return 0;
    const inside = this.#rows.next(sessionId, seq - 1) ?? this.#readRow(sessionId, seq - 1);
    if (inside !== null) return bytesUpTo(inside, seq);
    const [row] = this.#sql.exec<{ end_bytes: number }>(READ_BYTES, sessionId, seq).toArray();
    return row?.end_bytes ?? 0;
  }

  #pendingOf(tx: Tx, sessionId: string): Pending | null {
    const pending = this.#pending.of(tx);
    const before = pending.get(sessionId);
    if (before !== undefined) return before;
    const end = this.end(sessionId);
    if (end === null) return null;
    const fresh: Pending = { end, lines: [] };
    pending.set(sessionId, fresh);
    return fresh;
  }

  #readEnd(sessionId: string): LogEnd | null {
    const [row] = this.#sql.exec<EndRow>(READ_END, sessionId).toArray();
    if (row === undefined) return null;
    if (row.last_seq === null) return { lastSeq: 0, endBytes: 0, mark: null };
    const mark = { runId: row.run_id, attempt: row.attempt, frame: row.frame, toolCalls: row.tool_calls };
    return { lastSeq: row.last_seq, endBytes: row.end_bytes, mark };
  }
}

const MARK_COLUMNS = ["run_id", "attempt", "frame", "tool_calls"];
const ADD = `INSERT INTO transcript (session_id, last_seq, first_seq, end_bytes, ${MARK_COLUMNS.join(", ")}, body)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
const UPDATE_MARK = `UPDATE transcript SET ${MARK_COLUMNS.map((name) => `${name} = ?`).join(", ")}
  WHERE session_id = ? AND last_seq = ?`;
const READ = `SELECT first_seq, last_seq, end_bytes, body, key FROM transcript
  WHERE session_id = ? AND last_seq > ? ORDER BY last_seq`;
const READ_KEY = "SELECT key FROM transcript WHERE session_id = ? AND last_seq > ? ORDER BY last_seq LIMIT 1";
const READ_LATEST = "SELECT body FROM transcript WHERE session_id = ? ORDER BY last_seq DESC LIMIT ?";
const READ_BYTES = `SELECT end_bytes FROM transcript
  WHERE session_id = ? AND last_seq <= ? ORDER BY last_seq DESC LIMIT 1`;
const READ_END = `SELECT last_seq, end_bytes, run_id, attempt, frame, tool_calls FROM sessions
  LEFT JOIN transcript ON session_id = id WHERE id = ? ORDER BY last_seq DESC LIMIT 1`;

function bytesUpTo({ firstSeq, lastSeq, endBytes, body }: Chunk, seq: number): number {
  if (seq >= lastSeq) return endBytes;
  const after = body.split("\n").slice(seq - firstSeq + 1);
  return after.reduce((bytes, line) => bytes - byteLength(line), endBytes);
}

function marked({ runId, attempt, frame, toolCalls }: Mark): [string, number, number, number] {
  return [runId, attempt, frame, toolCalls];
}

/** The mark of an attempt: what is noted of it, or its beginning. */
export function markOf(noted: Mark | null | undefined, runId: string, attempt: number): Mark {
  return noted?.runId === runId && noted.attempt === attempt ? noted : { runId, attempt, frame: 0, toolCalls: 0 };
}

/** The event as JSON, in well-formed Unicode: its envelope, then its body, which is cut when it is too long. */
function lineOf(body: EventBody, envelope: string): string {
  const text = JSON.stringify(body);
  const fitted = text.length <= SURELY_FITS ? text : JSON.stringify(fitEvent(body));
  return `{${envelope},${wellFormedJson(fitted).slice(1)}`;
}
