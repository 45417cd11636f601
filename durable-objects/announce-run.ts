/** Tells the routines that wait for a run's end. */
import { ownerKeyOf } from "#protocol/ids.ts";
import type { Run } from "#protocol/run.ts";
import type { ObjectEnv } from "./environment.ts";
import { routineObject } from "./object-ids.ts";
import { subscribedRoutines } from "./projection/writes.ts";
import { endingEvent, endingKeys } from "./triggers/ending-event.ts";

/** @throws when one of them can't be told: each is asked again then, and those that know take nothing in twice. */
export async function announceRun(env: ObjectEnv, jurisdiction: "eu" | "fedramp" | null, run: Run): Promise<void> {
  const routineIds = await subscribedRoutines(env.DB, endingKeys(run));
  if (routineIds.length === 0) return;
  const event = endingEvent(run);
  await Promise.all(routineIds.map((id) => routineObject(env, jurisdiction, ownerKeyOf(id) ?? "").offer([event])));
}
