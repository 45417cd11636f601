/** Tells the routines that wait for a run's end. */

import type { ObjectEnv } from "#instance/config.ts";
import { subscribersOf } from "#instance/d1/subscribers.ts";
import { type Jurisdiction, routineObject } from "#instance/objects.ts";
import { logLine } from "#protocol/log.ts";
import type { ListedRun } from "#protocol/run.ts";
import { runEndedEvent, runEndedKeys } from "#rules/triggers/run-ended-event.ts";

const TOLD_WITHIN_MS = 23 * 3_600_000;

/** @param name of the run's routine at present. @throws when one of them can't be told: each is asked again then, and those that know take nothing in twice. */
export async function tellRunEnded(
  env: ObjectEnv,
  jurisdiction: Jurisdiction,
  run: ListedRun,
  name: string,
): Promise<void> {
  // What tells a repeat is kept for a day: told after that, an ending could wake a routine a second time.
  if (Date.now() - Date.parse(run.timings.finished_at ?? "") > TOLD_WITHIN_MS) {
    logLine("error", { what: "announce", run_id: run.id, outcome: "given_up" });
    return;
  }
  const found = await subscribersOf(env.DB, runEndedKeys(run, name));
  const routineIds = [...new Set([...found.values()].flat())];
  if (routineIds.length === 0) return;
  const event = runEndedEvent(run, name);
  const told = routineIds.map(async (id) => {
    const answer = await routineObject(env, jurisdiction, id).takeEvents([event]);
    // One that has been deleted has nothing to say.
    if (!answer.ok && answer.refusal.code !== "not_found") throw new Error(answer.refusal.code);
  });
  await Promise.all(told);
}
