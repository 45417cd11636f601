/** Routines that have to be looked at, in D1: those that have come due, and those with runs that have not settled. */
import { unsettledStatuses } from "#protocol/run-states.ts";

/** What an object says of its routine. */
export interface DueChange {
  routine_id: string;
  /** Unix milliseconds; null when nothing is scheduled any more. */
  due_at: number | null;
  /** The version of the routine for which this was worked out. */
  version: number;
}

export interface DueStore {
  /** Routines that are due, earliest first, a page at a time. @param after the last of the page before. */
  due(nowMs: number, limit: number, after: DueRow | null): Promise<DueRow[]>;
  /** Puts off routines whose messages have been sent: they come again later, in case a message is lost. */
  postpone(rows: readonly DueRow[], untilMs: number): Promise<void>;
  /** When they have to be looked at next, as their objects say. */
  settle(changes: readonly DueChange[]): Promise<void>;
  /**
   * Routines with runs that have not settled, at most so many: where there are more, others each time.
   * @param random from 0 to just below 1: where to begin.
   */
  unsettled(limit: number, random: number): Promise<string[]>;
  /**
   * Routines that have runs from before one that would have this id, at most so many: where there are more, others each time.
   * @param random from 0 to just below 1: where to begin.
   */
  withRunsBefore(runId: string, limit: number, random: number): Promise<string[]>;
  /** Forgets commits that were pushed before. */
  forgetPushes(beforeMs: number): Promise<void>;
}

export interface DueRow {
  routine_id: string;
  due_at: number;
}

export function dueStore(binding: D1Database): DueStore {
  return {
    due: async (nowMs, limit, after) => {
      const { results } = await binding
        .prepare(DUE)
        .bind(nowMs, after?.due_at ?? Number.MIN_SAFE_INTEGER, after?.routine_id ?? "", limit)
        .all<DueRow>();
      return results;
    },
    postpone: async (rows, untilMs) => {
      const list = JSON.stringify(rows.map(({ routine_id, due_at }) => [routine_id, due_at]));
      await binding.prepare(POSTPONE).bind(untilMs, list).run();
    },
    settle: async (changes) => {
      if (changes.length === 0) return;
      const list = JSON.stringify(changes);
      await binding.batch([SETTLE, END].map((statement) => binding.prepare(statement).bind(list)));
    },
    unsettled: async (limit, random) => {
      const bounds = await binding.prepare(BOUNDS).all<{ first: number | null; last: number | null }>();
      const { first = null, last = null } = bounds.results[0] ?? {};
      if (first === null || last === null) return [];
      const from = first + Math.floor(random * (last - first + 1));
      const found = await binding.batch<{ routine_id: string }>([
        binding.prepare(unsettledWhere(">=")).bind(from, limit),
        binding.prepare(unsettledWhere("<")).bind(from, limit),
      ]);
      const ids = found.flatMap(({ results }) => results.map(({ routine_id }) => routine_id));
      return [...new Set(ids)].slice(0, limit);
    },
    withRunsBefore: async (runId, limit, random) => {
      const bounds = await binding.prepare(OLD_BOUNDS).bind(runId).all<{ first: number | null; last: number | null }>();
      const { first = null, last = null } = bounds.results[0] ?? {};
      if (first === null || last === null) return [];
      const from = first + Math.floor(random * (last - first + 1));
      const { results } = await binding.prepare(OLD).bind(from, runId, limit).all<{ routine_id: string }>();
      return [...new Set(results.map(({ routine_id }) => routine_id))];
    },
    forgetPushes: async (beforeMs) => {
      await binding.prepare("DELETE FROM push_marks WHERE at < ?").bind(beforeMs).run();
    },
  };
}

const ofEach = (textOf: (status: string) => string) => unsettledStatuses.map(textOf).join(" UNION ALL ");
/**
 * Rows are numbered as they come in. A number between the oldest run that has not settled and the newest of all is a place
 * to begin at which every run is as likely as another, however many there are, and costs one row.
 */
const BOUNDS = `SELECT (SELECT MAX(rowid) FROM runs) AS last, (SELECT rowid FROM runs WHERE id = (SELECT MIN(id) FROM (
  ${ofEach((status) => `SELECT MIN(id) AS id FROM runs WHERE status = '${status}'`)}))) AS first`;
const unsettledWhere = (side: ">=" | "<") =>
  `WITH place AS (SELECT id FROM runs WHERE rowid >= ?1 ORDER BY rowid LIMIT 1)
  ${ofEach(
    (status) => `SELECT id, routine_id FROM (SELECT id, routine_id FROM runs
    WHERE status = '${status}' AND id ${side} (SELECT id FROM place) ORDER BY id LIMIT ?2)`,
  )} ORDER BY id`;

/** Rows come in with their runs, so that those of old runs lie between the first of all and the last of the old ones. */
const OLD_BOUNDS = `SELECT (SELECT rowid FROM runs WHERE id < ?1 ORDER BY id LIMIT 1) AS first,
  (SELECT rowid FROM runs WHERE id < ?1 ORDER BY id DESC LIMIT 1) AS last`;
const OLD = `SELECT routine_id FROM runs
  WHERE id >= (SELECT id FROM runs WHERE rowid >= ?1 ORDER BY rowid LIMIT 1) AND id < ?2 ORDER BY id LIMIT ?3`;

const DUE = `SELECT routine_id, due_at FROM due_routines
  WHERE due_at <= ?1 AND (due_at, routine_id) > (?2, ?3) ORDER BY due_at, routine_id LIMIT ?4`;
/** A row that the routine's object has moved meanwhile stays as it is. */
const POSTPONE = `UPDATE due_routines SET due_at = ?1 FROM json_each(?2) AS moved
  WHERE due_routines.routine_id = moved.value ->> 0 AND due_routines.due_at = moved.value ->> 1`;
/**
 * An answer about an older version than the row's changes nothing. Of two about one version the earlier moment counts:
 * looking early does no harm.
 */
const SETTLE = `UPDATE due_routines
  SET due_at = told.value ->> 'due_at', version = told.value ->> 'version' FROM json_each(?1) AS told
  WHERE due_routines.routine_id = told.value ->> 'routine_id' AND told.value ->> 'due_at' IS NOT NULL
    AND due_routines.version <= told.value ->> 'version'
    AND (due_routines.due_at, due_routines.version) IS NOT (told.value ->> 'due_at', told.value ->> 'version')`;
const END = `DELETE FROM due_routines WHERE routine_id IN (
  SELECT ended.routine_id FROM json_each(?1) AS told CROSS JOIN due_routines AS ended
  ON ended.routine_id = told.value ->> 'routine_id' AND ended.version <= told.value ->> 'version'
  WHERE told.value ->> 'due_at' IS NULL)`;
