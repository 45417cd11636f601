/** Transcripts in the object's SQLite: append with gapless `seq`, read after a cursor. */
import { and, asc, eq, gt, lte, or } from "drizzle-orm";
import { timestamp } from "#protocol/time.ts";
import { byteLength, type EventBody, fitEvent } from "#protocol/transcript.ts";
import type { Database } from "./routine-database.ts";
import { events, sessions } from "./routine-schema.ts";

export interface StoredEvent {
  seq: number;
  /** Length of the session's events up to the end of this one, in bytes. */
  endBytes: number;
  /** The event as JSON. */
  body: string;
}

export interface ReadBounds {
  limit: number;
  maxEndBytes: number;
  alwaysFirst: boolean;
}

export interface LogEnd {
  lastSeq: number;
  totalBytes: number;
}

export class TranscriptLog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Where the session's transcript ends, or null when there is no such session. */
  end(sessionId: string): LogEnd | null {
    const row = this.#database
      .select({ lastSeq: sessions.lastSeq, totalBytes: sessions.totalBytes })
      .from(sessions)
      .where(eq(sessions.id, sessionId))
      .get();
    return row ?? null;
  }

  /** Appends events in their order. Call it inside a transaction, so that `seq` and rows agree. */
  append(sessionId: string, runId: string, bodies: readonly EventBody[], nowMs: number): void {
    const end = this.end(sessionId);
    if (end === null || bodies.length === 0) return;
    let { lastSeq, totalBytes } = end;
    const at = timestamp(nowMs);
    for (const eventBody of bodies) {
      lastSeq += 1;
      const envelope = { seq: lastSeq, at, session_id: sessionId, run_id: runId };
      const body = JSON.stringify({ ...envelope, ...fitEvent(eventBody) });
      totalBytes += byteLength(body);
      this.#database.insert(events).values({ sessionId, seq: lastSeq, endBytes: totalBytes, body }).run();
    }
    this.#database.update(sessions).set({ lastSeq, totalBytes }).where(eq(sessions.id, sessionId)).run();
  }

  /**
   * Events after `after`, oldest first: at most `limit`, and none that ends beyond `maxEndBytes`, so that little is read
   * in vain. @param alwaysFirst gives the first one however long it is.
   */
  read(sessionId: string, after: number, bounds: ReadBounds): StoredEvent[] {
    const fits = lte(events.endBytes, bounds.maxEndBytes);
    return this.#database
      .select({ seq: events.seq, endBytes: events.endBytes, body: events.body })
      .from(events)
      .where(
        and(
          eq(events.sessionId, sessionId),
          gt(events.seq, after),
          bounds.alwaysFirst ? or(fits, eq(events.seq, after + 1)) : fits,
        ),
      )
      .orderBy(asc(events.seq))
      .limit(bounds.limit)
      .all();
  }

  /** Where the event with this seq ends, in bytes; 0 before the first. */
  endBytes(sessionId: string, seq: number): number {
    const row = this.#database
      .select({ endBytes: events.endBytes })
      .from(events)
      .where(and(eq(events.sessionId, sessionId), eq(events.seq, seq)))
      .get();
    return row?.endBytes ?? 0;
  }
}
