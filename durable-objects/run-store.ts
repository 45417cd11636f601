/** Rows of runs, sessions and occurrences in the object's SQLite. */
import { and, asc, desc, eq, gte, inArray, lt, notInArray, sql } from "drizzle-orm";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { Run, Session } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import type { Occurrence } from "#protocol/trigger-event.ts";
import { pageEnd, pageEndSchema } from "./page-end.ts";
import type { Database } from "./routine-database.ts";
import { idempotencyKeys, occurrences, runs, sessions } from "./routine-schema.ts";
import type { RunState } from "./run-happenings.ts";
import type { TranscriptLog } from "./transcript-log.ts";

export type RunRow = typeof runs.$inferSelect;

const SETTLED = ["succeeded", "failed", "timed_out", "canceled"] as const;

/** Rows that are kept in memory at most. */
const ROWS_KEPT = 128;

export class RunStore {
  readonly #database: Database;
  readonly #log: TranscriptLog;
  /** Rows as they were last read or written: frames come too often to read and parse a run's document for each. */
  readonly #kept = new Map<string, RunRow>();

  constructor(database: Database, log: TranscriptLog) {
    this.#database = database;
    this.#log = log;
  }

  get(runId: string): RunRow | null {
    const kept = this.#kept.get(runId);
    if (kept !== undefined) return kept;
    const row = this.#database.select().from(runs).where(eq(runs.id, runId)).get();
    return row === undefined ? null : this.#keep(row);
  }

  /** After a transaction that was rolled back: what is kept of it is wrong. */
  forget(): void {
    this.#kept.clear();
  }

  /** A new run with a session of its own. */
  insert(run: Run, text: string | null, nowMs: number): RunRow {
    this.#database.insert(sessions).values({ id: run.session_id, title: run.routine.name, createdAt: nowMs }).run();
    const row = this.#database
      .insert(runs)
      .values({
        id: run.id,
        sessionId: run.session_id,
        status: run.status,
        doc: run,
        text,
        phase: "admission",
        version: 1,
      })
      .returning()
      .get();
    return this.#keep(row);
  }

  /** Saves what the rules made of the run. */
  save(row: RunRow, state: RunState): RunRow {
    const change = {
      doc: state.run,
      phase: state.phase,
      notBefore: state.notBeforeMs,
      overdue: state.overdue,
      version: row.version + 1,
    };
    const { status } = state.run;
    // Naming a column writes the indexes that it is in, also when its value stays.
    const set = status === row.status ? change : { ...change, status };
    this.#database.update(runs).set(set).where(eq(runs.id, row.id)).run();
    return this.#keep({ ...row, ...change, status });
  }

  /** Ids of all runs that have not settled, those that are on first. */
  unsettled(): string[] {
    const { active, queued } = this.places();
    return [...active, ...queued.map(({ id }) => id)];
  }

  /** Ids of runs that have not settled, oldest first: what admission and promotion look at. */
  places(): { active: string[]; queued: { id: string; notBeforeMs: number }[] } {
    const rows = this.#database
      .select({ id: runs.id, status: runs.status, notBeforeMs: runs.notBefore })
      .from(runs)
      .where(inArray(runs.status, ["queued", "starting", "running"]))
      .orderBy(asc(runs.id))
      .all();
    return {
      active: rows.filter((row) => row.status !== "queued").map((row) => row.id),
      queued: rows.filter((row) => row.status === "queued").map(({ id, notBeforeMs }) => ({ id, notBeforeMs })),
    };
  }

  list({ limit, cursor }: PageRequest): Page<Run> {
    const where = cursor === null ? undefined : lt(runs.id, cursor);
    const query = pageEnd({ table: runs, key: runs.id, doc: runs.doc, where, limit });
    const { last, has_more } = pageEndSchema.parse(this.#database.get(query));
    const rows = this.#database
      .select({ doc: runs.doc })
      .from(runs)
      .where(and(where, last === null ? sql`0` : gte(runs.id, String(last))))
      .orderBy(desc(runs.id))
      .all();
    return { data: rows.map(({ doc }) => doc), next_cursor: has_more ? String(last) : null };
  }

  hasUnsettledRun(sessionId: string): boolean {
    const row = this.#database
      .select({ id: runs.id })
      .from(runs)
      .where(and(eq(runs.sessionId, sessionId), notInArray(runs.status, [...SETTLED])))
      .get();
    return row !== undefined;
  }

  session(sessionId: string, routineId: string): Session | null {
    const row = this.#database.select().from(sessions).where(eq(sessions.id, sessionId)).get();
    return row === undefined ? null : this.#sessionOf(row, routineId);
  }

  listSessions(request: PageRequest, routineId: string): Page<Session> {
    const rows = this.#database
      .select()
      .from(sessions)
      .where(request.cursor === null ? undefined : lt(sessions.id, request.cursor))
      .orderBy(desc(sessions.id))
      .limit(request.limit + 1)
      .all();
    return pageOf(rows, request.limit, (row) => this.#sessionOf(row, routineId));
  }

  #keep(row: RunRow): RunRow {
    if (this.#kept.size >= ROWS_KEPT) this.#kept.clear();
    this.#kept.set(row.id, row);
    return row;
  }

  #sessionOf(row: typeof sessions.$inferSelect, routineId: string): Session {
    return {
      id: row.id,
      routine_id: routineId,
      title: row.title,
      created_at: timestamp(row.createdAt),
      last_seq: this.#log.end(row.id)?.lastSeq ?? 0,
      runs: this.#database
        .select({ id: runs.id, status: runs.status })
        .from(runs)
        .where(eq(runs.sessionId, row.id))
        .orderBy(asc(runs.id))
        .all(),
    };
  }

  insertOccurrence(occurrence: Occurrence): void {
    this.#database.insert(occurrences).values({ id: occurrence.id, doc: occurrence }).run();
  }

  listOccurrences(request: PageRequest): Page<Occurrence> {
    const rows = this.#database
      .select()
      .from(occurrences)
      .where(request.cursor === null ? undefined : lt(occurrences.id, request.cursor))
      .orderBy(desc(occurrences.id))
      .limit(request.limit + 1)
      .all();
    return pageOf(rows, request.limit, (row) => row.doc);
  }

  /** The occurrence that came first under this key. */
  findKey(key: string): { occurrence: Occurrence; fingerprint: string; atMs: number } | null {
    const row = this.#database
      .select({ occurrence: occurrences.doc, fingerprint: idempotencyKeys.fingerprint, atMs: idempotencyKeys.at })
      .from(idempotencyKeys)
      .innerJoin(occurrences, eq(occurrences.id, idempotencyKeys.occurrenceId))
      .where(eq(idempotencyKeys.key, key))
      .get();
    return row ?? null;
  }

  /** Remembers a key; one that is past its time makes room for its new use. */
  keepKey(key: string, fingerprint: string, occurrenceId: string, nowMs: number, windowMs: number): void {
    this.#database
      .delete(idempotencyKeys)
      .where(lt(idempotencyKeys.at, nowMs - windowMs + 1))
      .run();
    this.#database.insert(idempotencyKeys).values({ key, fingerprint, occurrenceId, at: nowMs }).run();
  }
}

/** @param rows one more than the page holds, when there is a next page. */
export function pageOf<Row extends { id: string }, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const shown = rows.slice(0, limit);
  return { data: shown.map(toItem), next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
