/** What has been decided since on what a delivery has brought: its outcomes were written before the routines' gates had answered. */
import type { DeliveryDetail, DeliveryOutcome } from "#protocol/delivery.ts";
import type { Result } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { Occurrence } from "#protocol/occurrence.ts";

/** @param askOwner for what the routine has decided. One that gives no answer in time leaves its outcomes as they are. */
export async function withDecisions(
  delivery: DeliveryDetail,
  askOwner: (routineId: string) => Promise<Result<Occurrence[]>>,
): Promise<DeliveryDetail> {
  const routines = [...new Set(delivery.outcomes.filter(isOpen).map(({ routine_id }) => routine_id))];
  const asked = routines.map(async (routineId) => {
    try {
      const answer = await askOwner(routineId);
      return answer.ok ? answer.value : [];
    } catch (error) {
      logTrouble("runs_not_asked", { routine_id: routineId }, error);
      return [];
    }
  });
  const decided = (await Promise.all(asked)).flat();
  const outcomes = delivery.outcomes.map((told): DeliveryOutcome => {
    const isMeant = (one: Occurrence) => one.routine_id === told.routine_id && one.trigger.id === told.trigger_id;
    const occurrence = isOpen(told) ? decided.find(isMeant) : undefined;
    if (occurrence === undefined) return told;
    const { id, outcome, reason, run_id, detail = "" } = occurrence;
    return { ...told, why: detail, outcome, reason, occurrence_id: id, run_id };
  });
  return { ...delivery, outcomes };
}

/** It waited for its routine's gate when it was handled. */
function isOpen({ matched, outcome }: DeliveryOutcome): boolean {
  return matched && outcome === null;
}
