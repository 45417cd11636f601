/** Finds in D1 what an event is about: the routines that wait for it, and the run that caused it. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { pushMarks } from "#instance/d1/schema.ts";
import { subscribersOf } from "#instance/d1/subscribers.ts";
import type { Cause } from "#protocol/source-event.ts";

export interface Matching {
  /** Which routines wait for which of the keys. */
  subscribers(keys: readonly string[]): Promise<Map<string, string[]>>;
  /** The runs whose pushes have these marks, the newest where several have. */
  causes(marks: readonly string[]): Promise<Map<string, Cause>>;
  /** Notes what a run is about to push. @returns the marks that it did not have yet, when they can't be lost any more. */
  notePush(marks: readonly string[], cause: Cause, nowMs: number): Promise<string[]>;
  /** Takes back what was noted of a run and did not come about. */
  forgetPush(marks: readonly string[], cause: Cause): Promise<void>;
}

/** @param binding that may ask twice, should an answer be lost. */
export function matching(binding: D1Database): Matching {
  return {
    subscribers: (keys) => subscribersOf(binding, keys),
    causes: async (marks) => {
      if (marks.length === 0) return new Map();
      const { mark, runId, routineId, depth, at } = pushMarks;
      const rows = await drizzle(binding)
        .select({ mark, run_id: runId, routine_id: routineId, depth })
        .from(pushMarks)
        .where(sql`${mark} IN (SELECT value FROM json_each(${JSON.stringify(marks)}))`)
        .orderBy(at);
      return new Map(rows.map(({ mark, ...cause }) => [mark, cause]));
    },
    notePush: async (marks, { routine_id, run_id, depth }, nowMs) => {
      if (marks.length === 0) return [];
      const note = binding.prepare(NOTE_PUSH).bind(run_id, routine_id, depth, nowMs, JSON.stringify(marks));
      return (await note.all<{ mark: string }>()).results.map(({ mark }) => mark);
    },
    forgetPush: async (marks, { run_id }) => {
      if (marks.length > 0) await binding.prepare(FORGET_PUSH).bind(run_id, JSON.stringify(marks)).run();
    },
  };
}

/** Asked again, because its answer was lost, it tells the same: those that it has noted then, and none from before. */
const NOTE_PUSH = `INSERT INTO push_marks (mark, run_id, routine_id, depth, at)
  SELECT value, ?1, ?2, ?3, ?4 FROM json_each(?5) WHERE true
  ON CONFLICT (mark, run_id) DO UPDATE SET at = excluded.at WHERE at = excluded.at RETURNING mark`;
const FORGET_PUSH = "DELETE FROM push_marks WHERE run_id = ?1 AND mark IN (SELECT value FROM json_each(?2))";
