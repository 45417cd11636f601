/** Routines that have come due, in D1. */

export interface DueChange {
  routine_id: string;
  due_at: number | null;
  written_at: number;
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
      if (changes.length > 0) await binding.prepare(SETTLE).bind(JSON.stringify(changes)).run();
      const ended = changes.filter(({ due_at }) => due_at === null);
      if (ended.length > 0) await binding.prepare(END).bind(JSON.stringify(ended)).run();
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
const SETTLE = `UPDATE due_routines
  SET due_at = told.value ->> 'due_at', written_at = told.value ->> 'written_at' FROM json_each(?1) AS told
  WHERE due_routines.routine_id = told.value ->> 'routine_id' AND told.value ->> 'due_at' IS NOT NULL
    AND due_routines.written_at <= told.value ->> 'written_at'`;
const END = `DELETE FROM due_routines WHERE EXISTS (SELECT 1 FROM json_each(?1) AS told
  WHERE due_routines.routine_id = told.value ->> 'routine_id'
    AND due_routines.written_at <= told.value ->> 'written_at')`;
