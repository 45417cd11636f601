/** Routines that have come due, in D1. */

/** What an object says of its routine. */
export interface DueChange {
  routine_id: string;
  /** Unix milliseconds; null when nothing is scheduled any more. */
  due_at: number | null;
  /** Of the routine that this was worked out for. */
  version: number;
}

export interface DueStore {
  /** Routines that are due, earliest first, a page at a time. @param after the last of the page before. */
  due(nowMs: number, limit: number, after: DueRow | null): Promise<DueRow[]>;
  /** They are on their way to be looked at: they come again later, should that be lost. */
  postpone(rows: readonly DueRow[], untilMs: number): Promise<void>;
  /** When they have to be looked at next, as their objects say. */
  settle(changes: readonly DueChange[]): Promise<void>;
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
    forgetPushes: async (beforeMs) => {
      await binding.prepare("DELETE FROM push_marks WHERE at < ?").bind(beforeMs).run();
    },
  };
}

const DUE = `SELECT routine_id, due_at FROM due_routines
  WHERE due_at <= ?1 AND (due_at, routine_id) > (?2, ?3) ORDER BY due_at, routine_id LIMIT ?4`;
/** One that its object has moved meanwhile stays where that put it. */
const POSTPONE = `UPDATE due_routines SET due_at = ?1 FROM json_each(?2) AS moved
  WHERE due_routines.routine_id = moved.value ->> 0 AND due_routines.due_at = moved.value ->> 1`;
/** An answer about an older version than the row's comes late. Two about one version: to look early does no harm. */
const SETTLE = `UPDATE due_routines
  SET due_at = told.value ->> 'due_at', version = told.value ->> 'version' FROM json_each(?1) AS told
  WHERE due_routines.routine_id = told.value ->> 'routine_id' AND told.value ->> 'due_at' IS NOT NULL
    AND due_routines.version <= told.value ->> 'version'`;
const END = `DELETE FROM due_routines WHERE routine_id IN (
  SELECT ended.routine_id FROM json_each(?1) AS told CROSS JOIN due_routines AS ended
  ON ended.routine_id = told.value ->> 'routine_id' AND ended.version <= told.value ->> 'version'
  WHERE told.value ->> 'due_at' IS NULL)`;
