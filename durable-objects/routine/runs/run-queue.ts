/** Who holds a place and who waits for one: what admission and promotion ask of the runs that have not settled. */
import type { RunStatus } from "#protocol/run.ts";
import type { Remembered, Tx, Work } from "../work.ts";

export interface Places {
  /** How many runs hold a place. */
  active: number;
  /** How many wait for one. */
  queued: number;
}

/**
 * Counts are kept in memory and follow each change of a status; the queue is read from an index that holds the runs that
 * have not settled and nothing else. Neither looks at the whole queue.
 */
export class RunQueue {
  readonly #sql: SqlStorage;
  readonly #places: Remembered<Readonly<Places>>;

  constructor(sql: SqlStorage, work: Work) {
    this.#sql = sql;
    this.#places = work.remember(() => this.#count());
  }

  places(): Readonly<Places> {
    return this.#places.get();
  }

  /** The row of a run is about to be written. @param before null for a new run. */
  move(tx: Tx, before: RunStatus | null, after: RunStatus): void {
    if (before === after) return;
    const places = { ...this.#places.get() };
    const left = before === null ? null : holdOf(before);
    const taken = holdOf(after);
    if (left !== null) places[left] -= 1;
    if (taken !== null) places[taken] += 1;
    this.#places.set(tx, places);
  }

  /** Waiting runs that may start at this moment, oldest first, at most so many. */
  due(nowMs: number, limit: number): string[] {
    return this.#ids(DUE, nowMs, limit);
  }

  isAnyDue(nowMs: number): boolean {
    return this.due(nowMs, 1).length > 0;
  }

  /** Ids of all runs that wait, oldest first. */
  queued(): string[] {
    return this.#ids(QUEUED);
  }

  /** Ids of all runs that hold a place, oldest first. */
  active(): string[] {
    return this.#ids(ACTIVE);
  }

  #ids(query: string, ...bindings: number[]): string[] {
    return this.#sql
      .exec<{ id: string }>(query, ...bindings)
      .toArray()
      .map(({ id }) => id);
  }

  #count(): Places {
    const places: Places = { active: 0, queued: 0 };
    for (const { status, count } of this.#sql.exec<{ status: RunStatus; count: number }>(COUNT)) {
      const hold = holdOf(status);
      if (hold !== null) places[hold] += count;
    }
    return places;
  }
}

function holdOf(status: RunStatus): keyof Places | null {
  if (status === "queued") return "queued";
  return status === "starting" || status === "running" ? "active" : null;
}

/** The condition of the index `runs_unsettled`, word for word: else SQLite does not see that the index will do. */
const UNSETTLED = "status IN ('queued', 'starting', 'running')";
const COUNT = `SELECT status, COUNT(*) AS count FROM runs WHERE ${UNSETTLED} GROUP BY status`;
const DUE = `SELECT id FROM runs WHERE ${UNSETTLED} AND status = 'queued' AND not_before <= ? ORDER BY id LIMIT ?`;
const QUEUED = `SELECT id FROM runs WHERE ${UNSETTLED} AND status = 'queued' ORDER BY id`;
const ACTIVE = `SELECT id FROM runs WHERE ${UNSETTLED} AND status IN ('starting', 'running') ORDER BY id`;
