/** Rows of runs in the object's SQLite. */
import { and, desc, eq, gte, lt, notInArray, sql } from "drizzle-orm";
import { pageBounds, pageEndSchema } from "#instance/d1/page-bounds.ts";
import type { RunDocument } from "#instance/d1/routine-index.ts";
import type { Page, PageRequest } from "#protocol/api.ts";
import { isSettled, type ListedRun, type RunStatus } from "#protocol/run.ts";
import { unsettledStatuses } from "#protocol/run-states.ts";
import type { RunState } from "#rules/run/inputs.ts";
import { type RunRecord, readRecord, recordText, type SettledRecord, showListed } from "#rules/run/record.ts";
import { unsettledIn } from "#rules/run/status-condition.ts";
import type { Database } from "../database.ts";
import { runs } from "../schema.ts";
import { markOf, type TranscriptLog } from "../transcript/transcript-log.ts";
import type { RememberedEach, Tx, Work } from "../work.ts";
import { RunQueue } from "./run-queue.ts";
import { SessionStore } from "./session-store.ts";

type StoredRun = typeof runs.$inferSelect;
export type RunRow = Omit<StoredRun, "doc"> & { doc: RunRecord };

/** What a run is given beside its record. What came with the trigger is untrusted. */
export interface GivenToRun extends Pick<RunRow, "text" | "checkout"> {
  /** Whether its session was made for it, so that nothing has to be read to know that; else it may be there already. */
  hasNewSession: boolean;
}

/** What is stored of a run is not what any version has stored. */
export class UnreadableRun extends Error {
  readonly runId: string;

  constructor(runId: string, cause: SyntaxError) {
    super("the run can't be read", { cause });
    this.runId = runId;
  }
}

/** Rows that are kept in memory at most. */
const ROWS_KEPT = 128;

export class RunStore {
  readonly queue: RunQueue;
  readonly sessions: SessionStore;
  readonly #database: Database;
  readonly #sql: SqlStorage;
  readonly #log: TranscriptLog;
  /** Rows as they were last read or written: frames come too often to read and parse a run's document for each. */
  readonly #rows: RememberedEach<RunRow>;

  /** @param sql of the same database, for what every fire writes. */
  constructor(database: Database, sql: SqlStorage, log: TranscriptLog, work: Work) {
    this.queue = new RunQueue(sql, work);
    this.sessions = new SessionStore(database, log);
    this.#database = database;
    this.#sql = sql;
    this.#log = log;
    this.#rows = work.rememberEach((runId) => this.#read(runId), ROWS_KEPT);
  }

  /** @throws UnreadableRun */
  get(runId: string): RunRow | null {
    return this.#rows.get(runId);
  }

  /** A new run, and its session if that is new too. */
  insert(tx: Tx, state: RunState, { text, checkout, hasNewSession }: GivenToRun): RunRow {
    const { run, phase, notBeforeMs, overdue, boot, features, ending, before } = state;
    const { id, session_id: sessionId, status } = run;
    const version = 1;
    this.queue.move(tx, null, status);
    const isNew = hasNewSession || this.#log.end(sessionId) === null;
    if (isNew) tx.sql.exec(INSERT_SESSION, sessionId, run.routine.name, tx.nowMs);
    else this.sessions.bringBack(tx, sessionId);
    const doc = JSON.stringify(run);
    const at = checkout === null ? null : JSON.stringify(checkout);
    tx.sql.exec(INSERT_RUN, id, sessionId, status, doc, text, at, phase, notBeforeMs, overdue, version);
    if (isNew) this.#log.begin(tx, sessionId);
    return this.#keep(tx, {
      id,
      sessionId,
      status,
      doc: run,
      text,
      checkout,
      phase,
      notBefore: notBeforeMs,
      overdue,
      boot,
      features,
      ending,
      before,
      version,
    });
  }

  /** Saves what the rules made of the run. */
  save(tx: Tx, row: RunRow, state: RunState): RunRow {
    const { run, phase, notBeforeMs: notBefore, overdue, boot, features, ending, before } = state;
    const { status } = run;
    const change = { phase, overdue, boot, features, ending, before, version: row.version + 1 };
    this.queue.move(tx, row.status, status);
    const done = before === null ? null : JSON.stringify(before);
    const kept = [JSON.stringify(run), phase, overdue, boot, JSON.stringify(features), ending, done, change.version];
    // Columns are named only when they change: SQLite writes the indexes of every column that is named.
    const isMoved = status !== row.status || notBefore !== row.notBefore;
    if (isMoved) tx.sql.exec(MOVE_RUN, ...kept, status, notBefore, row.id);
    else tx.sql.exec(SAVE_RUN, ...kept, row.id);
    return this.#keep(tx, { ...row, ...change, doc: run, status, notBefore });
  }

  /** What came with its trigger is another than before: more has joined it, or it is forgotten. */
  rewrite(tx: Tx, row: RunRow, change: Pick<RunRow, "doc" | "text" | "checkout" | "notBefore">): void {
    const saved = { ...change, version: row.version + 1 };
    tx.database
      .update(runs)
      .set({ ...saved, doc: JSON.stringify(saved.doc) })
      .where(eq(runs.id, row.id))
      .run();
    this.#keep(tx, { ...row, ...saved });
  }

  /** A run that has ended is gone. */
  remove(tx: Tx, runId: string): void {
    tx.sql.exec("DELETE FROM runs WHERE id = ?", runId);
    this.#rows.forget(runId);
  }

  /** A run goes whatever it was doing, where what is stored of it can't be read. */
  removeUnread(tx: Tx, runId: string): void {
    const [gone] = tx.sql.exec<{ status: RunStatus }>("DELETE FROM runs WHERE id = ? RETURNING status", runId);
    if (gone !== undefined) this.queue.move(tx, gone.status, "canceled");
  }

  /** The record with what is counted of the run and written with its transcript alone. */
  seen({ id, sessionId, doc, before }: Pick<RunRow, "id" | "sessionId" | "doc" | "before">): RunRecord {
    if (isSettled(doc)) return doc;
    const mark = markOf(this.#log.end(sessionId)?.mark, id, doc.attempt);
    const toolCalls = mark.toolCalls + (before?.tool_calls ?? 0);
    return toolCalls <= doc.evidence.tool_calls
      ? doc
      : { ...doc, evidence: { ...doc.evidence, tool_calls: toolCalls } };
  }

  /**
   * Records as this version stores them, in the order of their ids, until they are this long together; the first however
   * long it is.
   */
  documents(ids: readonly string[], maxLength: number): RunDocument[] {
    const documents: RunDocument[] = [];
    let length = 0;
    for (const row of this.#sql.exec<RunDocument & Record<string, SqlStorageValue>>(DOCUMENTS, JSON.stringify(ids))) {
      const doc = recordText(row.doc);
      length += doc.length;
      if (documents.length > 0 && length > maxLength) break;
      documents.push({ ...row, doc });
    }
    return documents;
  }

  /** Which of these ids are of no run that there is. */
  unknown(ids: readonly string[]): string[] {
    const rows = this.#sql.exec<{ id: string }>(UNKNOWN, JSON.stringify(ids)).toArray();
    return rows.map(({ id }) => id);
  }

  list({ limit, cursor }: PageRequest): Page<ListedRun> {
    const where = cursor === null ? undefined : lt(runs.id, cursor);
    const query = pageBounds({ table: runs, key: runs.id, doc: runs.doc, where, limit });
    const { last, has_more } = pageEndSchema.parse(this.#database.get(query));
    const rows = this.#database
      .select({ id: runs.id, sessionId: runs.sessionId, doc: runs.doc, before: runs.before })
      .from(runs)
      .where(and(where, last === null ? sql`0` : gte(runs.id, String(last))))
      .orderBy(desc(runs.id))
      .all();
    const data = rows.map((row) => showListed(this.seen(rowOf(row))));
    return { data, next_cursor: has_more ? String(last) : null };
  }

  /** Those that have ended last, newest first. */
  lastSettled(limit: number): SettledRecord[] {
    const rows = this.#database
      .select({ doc: runs.doc })
      .from(runs)
      .where(notInArray(runs.status, [...unsettledStatuses]))
      .orderBy(desc(runs.id))
      .limit(limit)
      .all();
    return rows.map(({ doc }) => readRecord(doc)).filter((record): record is SettledRecord => isSettled(record));
  }

  /** Those that hold a place, as lists show them. */
  active(): ListedRun[] {
    return this.queue.active().flatMap((id) => {
      const row = this.get(id);
      return row === null ? [] : [showListed(this.seen(row))];
    });
  }

  /** The newest run of a session; null where there is no such session. */
  newest(sessionId: string): RunRow | null {
    const { id } = this.#sql.exec<{ id: string | null }>(NEWEST, sessionId).one();
    return id === null ? null : this.get(id);
  }

  hasUnsettledRun(sessionId: string): boolean {
    return this.unsettledOf(sessionId, 1).length > 0;
  }

  /** Ids of a session's runs that have not ended, oldest first. */
  unsettledOf(sessionId: string, limit = -1): string[] {
    const rows = this.#sql.exec<{ id: string }>(UNSETTLED_OF, sessionId, limit).toArray();
    return rows.map(({ id }) => id);
  }

  #read(runId: string): RunRow | null {
    try {
      const row = this.#database.select().from(runs).where(eq(runs.id, runId)).get();
      return row === undefined ? null : rowOf(row);
    } catch (error) {
      throw error instanceof SyntaxError ? new UnreadableRun(runId, error) : error;
    }
  }

  #keep(tx: Tx, row: RunRow): RunRow {
    this.#rows.set(tx, row.id, row);
    return row;
  }
}

function rowOf<Stored extends { doc: string }>(stored: Stored): Omit<Stored, "doc"> & { doc: RunRecord } {
  return { ...stored, doc: readRecord(stored.doc) };
}

const UNSETTLED_OF = `SELECT id FROM runs WHERE session_id = ? AND ${unsettledIn("runs")} = 1 ORDER BY id LIMIT ?`;
/** The index by session has the settled ones by themselves: the newest of each kind is found at once. */
const NEWEST = `SELECT MAX(id) AS id FROM (
  SELECT MAX(id) AS id FROM runs WHERE session_id = ?1 AND ${unsettledIn("runs")} = 0
  UNION ALL SELECT MAX(id) FROM runs WHERE session_id = ?1 AND ${unsettledIn("runs")} = 1)`;
const UNKNOWN = "SELECT value AS id FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = value)";
const DOCUMENTS = "SELECT id, status, doc, version FROM runs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id";
const INSERT_SESSION = "INSERT INTO sessions (id, title, created_at) VALUES (?, ?, ?)";
const SAVED = "doc = ?, phase = ?, overdue = ?, boot = ?, features = ?, ending = ?, before = ?, version = ?";
const SAVE_RUN = `UPDATE runs SET ${SAVED} WHERE id = ?`;
const MOVE_RUN = `UPDATE runs SET ${SAVED}, status = ?, not_before = ? WHERE id = ?`;
const INSERT_RUN = `INSERT INTO runs (id, session_id, status, doc, text, checkout, phase, not_before, overdue, version)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
