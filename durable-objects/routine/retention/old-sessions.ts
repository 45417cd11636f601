/**
 * Sessions whose last run has ended long ago, which go with that run; and those that have rested for some days, whose
 * transcripts go to R2. Nothing of a session with a run that has not ended is touched.
 */
import type { Keep } from "#instance/keep-variables.ts";
import { isSettled } from "#protocol/run.ts";
import { appliedAtMs } from "../../migrate.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { MovedTranscripts } from "../transcript/moved-transcripts.ts";
import type { Tx } from "../work.ts";
import { forgetRun, forgetSession, type SessionParts } from "./forget.ts";
import type { OldRuns } from "./old-runs.ts";
import { NEVER_YOUNGER_MS, pastUnreadable, type Slice } from "./slice.ts";

interface Parts extends SessionParts {
  sql: SqlStorage;
  runs: RunStore;
  moved: MovedTranscripts;
  oldRuns: OldRuns;
  keep: Keep;
}

type Looked = "here" | "gone" | "long";

/** How many sessions are looked at in one slice. */
const AT_ONCE = 50;
/** A session with more runs than these is for another day: by then they are fewer. */
const RUNS_AT_ONCE = 20;
/** One with more rows of its transcript is the last of its slice. */
const ROWS_AT_ONCE = 1_000;
/** While so many wait for R2, no more are to be moved. */
const MOVES_OWED = 100;
const MESSAGES_AT_ONCE = 500;
/** The first version that reads what has been moved is one that has applied this. */
const READS_MOVED = "0038_retention";
/** For so long a version can be taken back, also where an object is large. */
const TAKEN_BACK_WITHIN_MS = 7 * 24 * 3_600_000;

export class OldSessions implements Slice {
  readonly #parts: Parts;
  /** When this object first could read what is moved; null where that is not known, or has not been looked up yet. */
  #readsMovedSinceMs: number | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  look(tx: Tx, cursor: string): string | null {
    const ids = this.#parts.sql.exec<{ id: string }>(READ, cursor, AT_ONCE).toArray();
    for (const { id } of ids) {
      if (pastUnreadable(tx, this.#parts.work, () => this.#lookAt(tx, id)) === "long") return id;
    }
    return ids.length < AT_ONCE ? null : (ids.at(-1)?.id ?? null);
  }

  /** @returns `long` where it took out so much that the slice ends with it. */
  #lookAt(tx: Tx, id: string): Looked {
    const { runs, oldRuns, keep } = this.#parts;
    const newest = runs.newest(id);
    if (newest === null || !isSettled(newest.doc) || runs.hasUnsettledRun(id)) return "here";
    // Not while a run is on: the next message has the number after the last one that is kept, and runners drop a number that they had.
    tx.sql.exec(FORGET_MESSAGES, id, tx.nowMs - keep.forMs, MESSAGES_AT_ONCE);
    const restsMs = tx.nowMs - Date.parse(newest.doc.timings.finished_at);
    const removed = oldRuns.isOld(newest, tx.nowMs) ? this.#remove(tx, id) : "here";
    if (removed !== "here") return removed;
    if (restsMs >= this.#hereForMs() && this.#mayMove(tx.nowMs)) this.#move(tx, id);
    return "here";
  }

  #remove(tx: Tx, id: string): Looked {
    const { sql, runs, oldRuns } = this.#parts;
    const all = runs.sessions.runsOf(id, RUNS_AT_ONCE + 1).flatMap((one) => runs.get(one.id) ?? []);
    if (all.length > RUNS_AT_ONCE || !all.every((row) => oldRuns.isOld(row, tx.nowMs))) return "here";
    const isLong = sql.exec(ROWS, id, ROWS_AT_ONCE).toArray().length > 0;
    forgetSession(tx, this.#parts, id);
    for (const row of all) forgetRun(tx, this.#parts, row.id);
    return isLong ? "long" : "gone";
  }

  #move(tx: Tx, id: string): void {
    const { moved, outbox } = this.#parts;
    if (moved.isHere(id) && outbox.count("move_transcript") < MOVES_OWED) outbox.owe(tx, "move_transcript", id);
  }

  /**
   * The version before can't read what is moved. So nothing is until this one has been here for as long as transcripts stay:
   * until then it can be taken back.
   */
  #mayMove(nowMs: number): boolean {
    this.#readsMovedSinceMs ??= appliedAtMs(this.#parts.sql, READS_MOVED);
    const sinceMs = this.#readsMovedSinceMs;
    const { transcriptsHereForMs } = this.#parts.keep;
    const waitMs = this.#isLarge() ? Math.min(transcriptsHereForMs, TAKEN_BACK_WITHIN_MS) : transcriptsHereForMs;
    return sinceMs !== null && nowMs >= sinceMs + waitMs;
  }

  /** Where the object has grown large, sessions need not rest so long. */
  #hereForMs(): number {
    const { transcriptsHereForMs } = this.#parts.keep;
    return this.#isLarge() ? Math.min(transcriptsHereForMs, NEVER_YOUNGER_MS) : transcriptsHereForMs;
  }

  #isLarge(): boolean {
    const { sql, keep } = this.#parts;
    return sql.databaseSize > keep.transcriptsHereBytes;
  }
}

const READ = "SELECT id FROM sessions WHERE id > ? ORDER BY id LIMIT ?";
const ROWS = "SELECT 1 FROM transcript WHERE session_id = ? LIMIT 1 OFFSET ?";
/** The transcript has what they said; that a sender's id is one that has come before need not be known for so long. */
const FORGET_MESSAGES = `DELETE FROM messages WHERE (session_id, n) IN (
  SELECT session_id, n FROM messages WHERE session_id = ? AND taken_at <= ? ORDER BY n LIMIT ?)`;
