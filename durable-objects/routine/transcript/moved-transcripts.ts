/**
 * Which events of a transcript lie in R2. One row stands for all events of a part: it keeps their numbers, the length of
 * the session up to their end, and what the last of their rows knew of the attempt; so cursors and ends need no call to R2.
 */
import { byteLength, type TranscriptEvent } from "#protocol/transcript.ts";
import { parseJson } from "#rules/json.ts";
import { lastCallLines } from "#rules/run/last-calls.ts";
import type { Chunk } from "#rules/transcript-chunk.ts";
import type { Tx } from "../work.ts";
import { partAt } from "./transcript-parts.ts";

/** Rows that become one part. */
export interface Movable {
  first: number;
  last: number;
  rows: number;
  text: string;
}

type Row = { first_seq: number; last_seq: number; end_bytes: number; body: string };

/** Of a part, before it is compressed; a single row may be longer. */
const PART_BYTES = 524_288;
/** How many rows a part replaces at most: so many are deleted by one transaction. */
const PART_ROWS = 1_000;

export class MovedTranscripts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether events of the session are still in the object. */
  isHere(sessionId: string): boolean {
    return this.#sql.exec(FIRST_HERE, sessionId).toArray().length > 0;
  }

  /** The oldest events that are here and can lie in R2 together; null where none is. */
  movable(sessionId: string): Movable | null {
    const rows: Row[] = [];
    let bytes = 0;
    for (const row of this.#sql.exec<Row>(READ_HERE, sessionId, PART_ROWS)) {
      bytes += byteLength(row.body);
      if (rows.length > 0 && bytes > PART_BYTES) break;
      rows.push(row);
    }
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return null;
    const text = rows.map(({ body }) => body).join("\n");
    return { first: first.first_seq, last: last.last_seq, rows: rows.length, text };
  }

  /** Whether none of these rows has been moved or deleted meanwhile. */
  areHere(sessionId: string, { first, last, rows }: Pick<Movable, "first" | "last" | "rows">): boolean {
    return this.#sql.exec<{ count: number }>(COUNT_HERE, sessionId, first, last).one().count === rows;
  }

  /**
   * They lie in R2 under this key. @returns false where they are not all here any more: nothing changes then, and what
   * was written is nobody's.
   */
  moved(tx: Tx, sessionId: string, { first, last, rows, text }: Movable, key: string): boolean {
    if (!this.areHere(sessionId, { first, last, rows })) return false;
    tx.sql.exec(DELETE_BUT_LAST, sessionId, first, last);
    // A run that goes on from here is told what the last one has called, and can't wait for R2.
    tx.sql.exec(FORGET_CALLS, sessionId, first);
    const events = text.split("\n").map((line) => parseJson(line) as TranscriptEvent);
    tx.sql.exec(MOVED, first, key, lastCallLines(events).join("\n"), sessionId, last);
    return true;
  }

  /** All keys in R2 that the session's rows name. */
  keys(sessionId: string): Set<string> {
    return new Set([...this.#sql.exec<{ key: string }>(KEYS, sessionId)].map(({ key }) => key));
  }

  /** Those of these keys that rows name. Each is looked up: all rows are many, and their text would be read with them. */
  named(keys: readonly string[]): Set<string> {
    const isNamed = (key: string) => {
      const part = partAt(key);
      return part !== null && this.#sql.exec(IS_NAMED, part.sessionId, part.last, key).toArray().length > 0;
    };
    return new Set(keys.filter(isNamed));
  }
}

export type ReadRow = Row & { key: string | null };

/** A stored row as its events; null while they lie in R2 and have not been loaded. */
export function chunkOf(
  { first_seq, last_seq, end_bytes, body, key }: ReadRow,
  cached: (key: string) => string | null,
): Chunk | null {
  const text = key === null ? body : cached(key);
  return text === null ? null : { firstSeq: first_seq, lastSeq: last_seq, endBytes: end_bytes, body: text };
}

const FIRST_HERE = "SELECT 1 FROM transcript WHERE session_id = ? AND key IS NULL LIMIT 1";
const READ_HERE = `SELECT first_seq, last_seq, end_bytes, body FROM transcript
  WHERE session_id = ? AND key IS NULL ORDER BY last_seq LIMIT ?`;
const IS_PART = "session_id = ? AND key IS NULL AND last_seq >= ? AND last_seq";
const COUNT_HERE = `SELECT COUNT(*) AS count FROM transcript WHERE ${IS_PART} <= ?`;
const DELETE_BUT_LAST = `DELETE FROM transcript WHERE ${IS_PART} < ?`;
/** What was moved before lies before it. What lies behind it is much, and not to be read. */
const FORGET_CALLS = `UPDATE transcript SET body = ''
  WHERE session_id = ? AND last_seq < ? AND key IS NOT NULL AND body <> ''`;
const MOVED = "UPDATE transcript SET first_seq = ?, key = ?, body = ? WHERE session_id = ? AND last_seq = ?";
const KEYS = "SELECT key FROM transcript WHERE session_id = ? AND key IS NOT NULL";
const IS_NAMED = "SELECT 1 FROM transcript WHERE session_id = ? AND last_seq = ? AND key = ?";
