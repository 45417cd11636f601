/** Has routines' objects look at their schedules, here for messages of the queue: D1 is told when each is due again. */

import type { DueChange } from "#instance/d1/due.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { DueAnswer } from "#instance/object-contracts.ts";
import type { Result } from "#protocol/errors.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import { logTrouble } from "#protocol/log.ts";
import type { ClockMessage } from "../bindings.ts";
import type { Deps } from "../deps.ts";

/** An object that has not answered by then holds up no other. */
const LOOK_DEADLINE_MS = 30_000;
/** An object fires a part at a time; after so many the next sweep goes on. */
const PARTS = 50;

export interface LookDeps {
  ownerOf(routineId: string): { lookAtSchedules(quietMs?: number): Promise<Result<DueAnswer>> };
}

/**
 * Looks at routines as their objects say, and notes when each has to be looked at next.
 * @returns the ids of those that could not be looked at. @throws Error when D1 does not take it in: look at all again.
 */
export async function lookAt(
  deps: LookDeps & Pick<Deps, "due">,
  messages: readonly ClockMessage[],
): Promise<Set<string>> {
  const ids = [...new Set(messages.map(({ routine_id }) => routine_id))];
  const failed = new Set<string>();
  const changes = await Promise.all(
    ids.map(async (routineId) => {
      try {
        return await look(deps, routineId, 0);
      } catch (error) {
        logTrouble("schedules_not_looked_at", { routine_id: routineId }, error);
        failed.add(routineId);
        return null;
      }
    }),
  );
  await deps.due.settle(changes.filter((change) => change !== null));
  return failed;
}

/**
 * Has a routine's object look at its schedules. @param quietMs what follows from the runs may wait for so long.
 * @returns when to look again. @throws Error when it does not answer as it should.
 */
export async function look({ ownerOf }: LookDeps, routineId: string, quietMs: number): Promise<DueChange> {
  for (let part = 1; ; part += 1) {
    const answer = await withinDeadline(ownerOf(routineId).lookAtSchedules(quietMs), LOOK_DEADLINE_MS);
    if (!answer.ok && answer.refusal.code !== "not_found") throw new Error(answer.refusal.code);
    // The routine has been deleted for good: its row here is removed.
    if (!answer.ok) return { routine_id: routineId, due_at: null, version: Number.MAX_SAFE_INTEGER };
    const { due_at, version, faults } = answer.value;
    for (const { outcome, ...fault } of faults) {
      logTrouble("alarm_goes_on_failing", { object: ownerKeyOf(routineId) ?? routineId, ...fault }, outcome);
    }
    if (due_at === null || due_at > Date.now() || part === PARTS) return { routine_id: routineId, due_at, version };
  }
}
