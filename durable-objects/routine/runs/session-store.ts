/** Rows of sessions in the object's SQLite, with the runs of each. */
import { and, asc, desc, eq, isNotNull, isNull, lt } from "drizzle-orm";
import type { Page, PageRequest } from "#protocol/api.ts";
import type { ArchivedFilter, Session, SessionPatch } from "#protocol/session.ts";
import { timestamp } from "#protocol/time.ts";
import { titleOf } from "#rules/run/session-title.ts";
import type { Database } from "../database.ts";
import { runs, sessions } from "../schema.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Tx } from "../work.ts";
import { pageOf } from "./page-of.ts";

const ARCHIVED = { true: isNotNull(sessions.archivedAt), false: isNull(sessions.archivedAt), all: undefined };

export class SessionStore {
  readonly #database: Database;
  readonly #log: TranscriptLog;

  constructor(database: Database, log: TranscriptLog) {
    this.#database = database;
    this.#log = log;
  }

  get(sessionId: string, routineId: string): Session | null {
    const row = this.#database.select().from(sessions).where(eq(sessions.id, sessionId)).get();
    return row === undefined ? null : this.#shown(row, routineId);
  }

  list({ limit, cursor }: PageRequest, archived: ArchivedFilter, routineId: string): Page<Session> {
    const rows = this.#database
      .select()
      .from(sessions)
      .where(and(cursor === null ? undefined : lt(sessions.id, cursor), ARCHIVED[archived]))
      .orderBy(desc(sessions.id))
      .limit(limit + 1)
      .all();
    return pageOf(rows, limit, (row) => this.#shown(row, routineId));
  }

  /** Changes what a person says of it. Said again, it changes nothing. */
  change(tx: Tx, sessionId: string, { title, archived }: SessionPatch): void {
    const at = archived === undefined ? {} : { archivedAt: archived ? tx.nowMs : null };
    const named = title === undefined ? {} : { title, titleFrom: "person" as const };
    const change = { ...named, ...at };
    if (Object.keys(change).length === 0) return;
    tx.database.update(sessions).set(change).where(eq(sessions.id, sessionId)).run();
  }

  /** Another run of it begins: what has news is not in the archive. */
  bringBack(tx: Tx, sessionId: string): void {
    const isArchived = and(eq(sessions.id, sessionId), isNotNull(sessions.archivedAt));
    tx.database.update(sessions).set({ archivedAt: null }).where(isArchived).run();
  }

  /** A run has ended: the first report gives the session its title, unless a person has. */
  nameAfter(tx: Tx, sessionId: string, summary: string | null): void {
    const title = summary === null ? null : titleOf(summary);
    if (title === null) return;
    tx.database
      .update(sessions)
      .set({ title, titleFrom: "report" })
      .where(and(eq(sessions.id, sessionId), eq(sessions.titleFrom, "routine")))
      .run();
  }

  has(sessionId: string): boolean {
    return (
      this.#database.select({ id: sessions.id }).from(sessions).where(eq(sessions.id, sessionId)).get() !== undefined
    );
  }

  /** Its runs, oldest first. */
  runsOf(sessionId: string, limit = -1): Session["runs"] {
    return this.#database
      .select({ id: runs.id, status: runs.status })
      .from(runs)
      .where(eq(runs.sessionId, sessionId))
      .orderBy(asc(runs.id))
      .limit(limit)
      .all();
  }

  #shown(row: typeof sessions.$inferSelect, routineId: string): Session {
    return {
      id: row.id,
      routine_id: routineId,
      title: row.title,
      archived: row.archivedAt !== null,
      created_at: timestamp(row.createdAt),
      last_seq: this.#log.end(row.id)?.lastSeq ?? 0,
      runs: this.runsOf(row.id),
    };
  }
}
