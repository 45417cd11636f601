/**
 * Which routines wait for which events, in D1: each trigger is found by its keys, as `rules/triggers/subscriptions.ts` makes
 * them.
 */

import { composed, spellings } from "#protocol/characters.ts";

interface SubscriberRow {
  key: string;
  routine_id: string;
}

/** @param keys composed; rows may be of before keys were. @returns the routines that wait for each of the keys; no entry for a key that nobody waits for. */
export async function subscribersOf(binding: D1Database, keys: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (keys.length === 0) return found;
  const { results } = await binding
    .prepare(SUBSCRIBERS)
    .bind(JSON.stringify(keys.flatMap(spellings)))
    .all<SubscriberRow>();
  for (const { key: stored, routine_id } of results) {
    const key = composed(stored);
    const known = found.get(key);
    if (known === undefined) found.set(key, [routine_id]);
    else known.push(routine_id);
  }
  return found;
}

/** All keys are bound as one text: D1 binds a hundred values at most, and the statement is the same for any number. */
const SUBSCRIBERS = `SELECT DISTINCT key, routine_id FROM subscriptions
  WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key, routine_id`;
