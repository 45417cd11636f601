/** Who holds a place and who waits for one: what admission and promotion ask of the runs that have not settled. */
import type { RunStatus } from "#protocol/run.ts";
import { holdOf, statusesThatHold } from "#protocol/run-states.ts";
import { IS_UNSETTLED, statusIn, unsettledIn } from "#rules/run/status-condition.ts";
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
    const left = before === null ? null : countedAs(before);
    const taken = countedAs(after);
    if (left !== null) places[left] -= 1;
    if (taken !== null) places[taken] += 1;
    this.#places.set(tx, places);
  }

  /** Waiting runs that may start at this moment, oldest first, at most so many. */
  due(nowMs: number, limit: number): string[] {
    return this.#ids(DUE, nowMs, limit);
  }

  /** Ids of runs that wait, oldest first; all of them without a limit. */
  queued(limit = -1): string[] {
    return this.#ids(QUEUED, limit);
  }

  hasUnsettled(): boolean {
    return this.#ids(ANY_UNSETTLED).length > 0;
  }

  /** Ids of all runs that hold a place, oldest first. */
  active(): string[] {
    return this.#ids(ACTIVE);
  }

  /** Ids of all runs that wait for a person, oldest first. */
  waiting(): string[] {
    return this.#ids(WAITING);
  }

  /** Ids of all runs that have not settled, those that wait for a place last. */
  unsettled(): string[] {
    return this.#ids(UNSETTLED);
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
      const place = countedAs(status);
      if (place !== null) places[place] += count;
    }
    return places;
  }
}

function countedAs(status: RunStatus): keyof Places | null {
  const hold = holdOf(status);
  if (hold === "nothing") return null;
  return hold === "queue" ? "queued" : "active";
}

const IS_QUEUED = statusIn(statusesThatHold("queue"));
const HAS_PLACE = statusIn(statusesThatHold("place"));
const COUNT = `SELECT status, COUNT(*) AS count FROM runs WHERE ${IS_UNSETTLED} GROUP BY status`;
/** One run of a session at a time. */
const DUE = `SELECT id FROM runs WHERE ${IS_UNSETTLED} AND ${IS_QUEUED} AND not_before <= ? AND NOT EXISTS (
  SELECT 1 FROM runs AS before WHERE before.session_id = runs.session_id AND ${unsettledIn("before")} = 1
  AND before.id < runs.id) ORDER BY id LIMIT ?`;
const QUEUED = `SELECT id FROM runs WHERE ${IS_UNSETTLED} AND ${IS_QUEUED} ORDER BY id LIMIT ?`;
const ANY_UNSETTLED = `SELECT id FROM runs WHERE ${IS_UNSETTLED} LIMIT 1`;
const ACTIVE = `SELECT id FROM runs WHERE ${IS_UNSETTLED} AND ${HAS_PLACE} ORDER BY id`;
const WAITING = `SELECT id FROM runs WHERE ${IS_UNSETTLED} AND ${statusIn(["waiting"])} ORDER BY id`;
/** Runs that wait for a place come last. */
const UNSETTLED = `SELECT id FROM runs WHERE ${IS_UNSETTLED} ORDER BY ${IS_QUEUED}, id`;
