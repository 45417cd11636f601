/** Gives events to all routines that wait for them, with one call to each routine's object. */

import { withinDeadline } from "#instance/in-time.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { logTrouble } from "#protocol/log.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { RoutineStub } from "../bindings.ts";
import type { Matching } from "../store/matching.ts";
import { keysOf } from "./read-delivery.ts";

interface Given {
  /** What became of each event, by its `event_id`. */
  outcomes: Map<string, DeliveryOutcome[]>;
  /** By `event_id`: events that a routine could not be given. */
  failed: Set<string>;
  calls: number;
}

export async function giveToRoutines(
  { matching, ownerOf }: { matching: Matching; ownerOf(id: string): RoutineStub },
  events: readonly SourceEvent[],
): Promise<Given> {
  const outcomes = new Map<string, DeliveryOutcome[]>();
  const failed = new Set<string>();
  const byRoutine = await routinesOf(matching, events);
  // All workers take from this one iterator, so that each routine is called once.
  const left = byRoutine.entries();
  const giveEach = async () => {
    for (const [id, given] of left) {
      try {
        const answer = await withinDeadline(ownerOf(id).takeEvents(given), TAKE_DEADLINE_MS);
        if (!answer.ok && answer.refusal.code !== "not_found") throw new Error(answer.refusal.code);
        // A routine that has been deleted takes nothing: its events have no outcome there.
        for (const [place, { event_id }] of given.entries()) {
          const outcomesOfEvent = answer.ok ? (answer.value[place] ?? []) : [];
          outcomes.set(event_id, [...(outcomes.get(event_id) ?? []), ...outcomesOfEvent]);
        }
      } catch (error) {
        logTrouble("event_not_taken", { routine_id: id, events: given.length }, error);
        for (const { event_id } of given) failed.add(event_id);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(OBJECTS_AT_ONCE, byRoutine.size) }, giveEach));
  return { outcomes, failed, calls: byRoutine.size };
}

/** An object that has not answered by then is given its events again later, and holds up no other. */
const TAKE_DEADLINE_MS = 10_000;
/** How many objects are called at the same time: few, so that requests whose answers are awaited come in between. */
const OBJECTS_AT_ONCE = 2;

/** For each id by which an object is found, the events that it may have a trigger for. */
async function routinesOf(matching: Matching, events: readonly SourceEvent[]): Promise<Map<string, SourceEvent[]>> {
  const keys = events.map(keysOf);
  const found = await matching.subscribers([...new Set(keys.flat())]);
  const byRoutine = new Map<string, SourceEvent[]>();
  for (const [place, event] of events.entries()) {
    const waiting = (keys[place] ?? []).flatMap((key) => found.get(key) ?? []);
    for (const id of event.trigger_id === null ? new Set(waiting) : [event.trigger_id]) {
      const given = byRoutine.get(id) ?? [];
      given.push(event);
      byRoutine.set(id, given);
    }
  }
  return byRoutine;
}
