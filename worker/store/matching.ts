/** Finds in D1 what an event is about: the routines that wait for it, and the run that caused it. */
import type { Cause } from "#protocol/incoming-event.ts";

export interface Matching {
  /** Which routines wait for which of the keys. */
  subscribers(keys: readonly string[]): Promise<Map<string, string[]>>;
  /** The run that pushed a commit, the newest where several did. */
  causes(commits: readonly string[]): Promise<Map<string, Cause>>;
  /** Notes what a run is about to push. Resolves when it can't be lost any more. */
  notePush(commits: readonly string[], cause: Cause, nowMs: number): Promise<void>;
}

export function matching(binding: D1Database): Matching {
  return {
    subscribers: async (keys) => {
      const found = new Map<string, string[]>();
      if (keys.length === 0) return found;
      const { results } = await binding.prepare(SUBSCRIBERS).bind(JSON.stringify(keys)).all<SubscriberRow>();
      for (const { key, routine_id } of results) {
        const known = found.get(key);
        if (known === undefined) found.set(key, [routine_id]);
        else known.push(routine_id);
      }
      return found;
    },
    causes: async (commits) => {
      if (commits.length === 0) return new Map();
      const { results } = await binding.prepare(CAUSES).bind(JSON.stringify(commits)).all<CauseRow>();
      return new Map(results.map(({ commit, ...cause }) => [commit, cause]));
    },
    notePush: async (commits, { routine_id, run_id, depth }, nowMs) => {
      await binding.prepare(NOTE_PUSH).bind(run_id, routine_id, depth, nowMs, JSON.stringify(commits)).run();
    },
  };
}

interface SubscriberRow {
  key: string;
  routine_id: string;
}

interface CauseRow extends Cause {
  commit: string;
}

const SUBSCRIBERS = `SELECT DISTINCT key, routine_id FROM subscriptions
  WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key, routine_id`;
const CAUSES = `SELECT "commit", run_id, routine_id, depth FROM pushed_commits
  WHERE "commit" IN (SELECT value FROM json_each(?)) ORDER BY at`;
const NOTE_PUSH = `INSERT OR IGNORE INTO pushed_commits ("commit", run_id, routine_id, depth, at)
  SELECT value, ?1, ?2, ?3, ?4 FROM json_each(?5)`;
