/** Files that runs have shown, in the object's SQLite; their bytes lie in R2. A row is there before its bytes are. */
import { ARTIFACTS_LIMIT, type Artifact, type SentArtifact } from "#protocol/artifact.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { timestamp } from "#protocol/time.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Remembered, Tx, Work } from "../work.ts";

type Row = {
  id: string;
  session_id: string;
  run_id: string;
  name: string;
  media_type: string;
  bytes: number;
  at: number;
  is_whole: number;
};

/** How many sessions are looked at together. */
const DUE_AT_ONCE = 50;

export class Artifacts {
  readonly #sql: SqlStorage;
  readonly #work: Work;
  readonly #outbox: Outbox;
  readonly #keptForMs: number;
  readonly #earliest: Remembered<number | null>;

  constructor(sql: SqlStorage, work: Work, outbox: Outbox, keptForMs: number) {
    this.#keptForMs = keptForMs;
    this.#sql = sql;
    this.#work = work;
    this.#outbox = outbox;
    this.#earliest = work.remember(() => sql.exec<{ at: number | null }>(EARLIEST).one().at);
  }

  /** Those of a session that are whole and not too old, in their order. */
  list(sessionId: string, nowMs: number): Artifact[] {
    return this.#sql
      .exec<Row>(LIST, sessionId, nowMs - this.#keptForMs)
      .toArray()
      .map(shown);
  }

  find(sessionId: string, id: string, nowMs: number): Artifact | null {
    return this.list(sessionId, nowMs).find((artifact) => artifact.id === id) ?? null;
  }

  /** Makes the row of a file whose bytes are about to come. Said again, it changes nothing. */
  begin(tx: Tx, of: { sessionId: string; runId: string }, id: string, sent: SentArtifact): Result<null> {
    const { count } = this.#sql.exec<{ count: number }>(COUNT, of.runId, id).one();
    if (count >= ARTIFACTS_LIMIT) return refuse("too_many_artifacts");
    const { name, media_type, bytes } = sent;
    tx.sql.exec(BEGIN, id, of.sessionId, of.runId, name, media_type, bytes, tx.nowMs);
    this.#earliest.forget();
    return success(null);
  }

  /** Its bytes are there. @returns what is to be told of it; null where that has been told, or there is no such row. */
  end(tx: Tx, sessionId: string, id: string): Artifact | null {
    const [row] = tx.sql.exec<Row>(END, sessionId, id).toArray();
    return row === undefined ? null : shown(row);
  }

  /** How many a run has shown. */
  countOf(runId: string): number {
    return this.#sql
      .exec<{ count: number }>("SELECT count(*) count FROM artifacts WHERE run_id = ? AND is_whole", runId)
      .one().count;
  }

  /** All of a session's, also those whose bytes are on their way. */
  ids(sessionId: string): Set<string> {
    const rows = this.#sql.exec<{ id: string }>("SELECT id FROM artifacts WHERE session_id = ?", sessionId).toArray();
    return new Set(rows.map(({ id }) => id));
  }

  /** Forgets a session's, and owes it to R2. */
  drop(tx: Tx, sessionId: string): void {
    const gone = tx.sql.exec("DELETE FROM artifacts WHERE session_id = ? RETURNING 1", sessionId).toArray();
    if (gone.length > 0) this.#outbox.owe(tx, "tidy_artifacts", sessionId);
    this.#earliest.forget();
  }

  /** When the first one is old enough to be forgotten, in Unix milliseconds; null where there is none. */
  next(): number | null {
    const at = this.#earliest.get();
    return at === null ? null : at + this.#keptForMs;
  }

  forgetOld(nowMs: number): void {
    this.#work.change((tx) => {
      const old = nowMs - this.#keptForMs;
      for (const { session_id: sessionId } of tx.sql.exec<{ session_id: string }>(DUE, old, DUE_AT_ONCE).toArray()) {
        tx.sql.exec("DELETE FROM artifacts WHERE session_id = ? AND at <= ?", sessionId, old);
        this.#outbox.owe(tx, "tidy_artifacts", sessionId);
      }
    });
    this.#earliest.forget();
  }
}

/** Where the bytes lie in R2: of a routine, of a session, or of one file. */
export function artifactKey(routineId: string, sessionId = "", id = ""): string {
  return `artifacts/${routineId}/${sessionId === "" ? "" : `${sessionId}/${id}`}`;
}

function shown({ id, run_id, name, media_type, bytes, at }: Row): Artifact {
  return { id, run_id, name, media_type, bytes, at: timestamp(at) };
}

const EARLIEST = "SELECT min(at) at FROM artifacts";
const LIST = "SELECT * FROM artifacts WHERE session_id = ? AND is_whole AND at > ? ORDER BY at, id";
const COUNT = "SELECT count(*) count FROM artifacts WHERE run_id = ? AND id <> ?";
const BEGIN = `INSERT OR IGNORE INTO artifacts (id, session_id, run_id, name, media_type, bytes, at, is_whole)
  VALUES (?, ?, ?, ?, ?, ?, ?, 0)`;
const END = "UPDATE artifacts SET is_whole = 1 WHERE session_id = ? AND id = ? AND NOT is_whole RETURNING *";
const DUE = "SELECT DISTINCT session_id FROM artifacts WHERE at <= ? LIMIT ?";
