/** Writes the record of a wake: what admission has decided on it. */
import type { Occurrence, Outcome, OutcomeReason, Wake } from "#protocol/occurrence.ts";
import { timestamp } from "#protocol/time.ts";
import { spentWords } from "#rules/run/budget.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { AdmissionContext } from "./admission-context.ts";

export function record(
  context: AdmissionContext,
  event: Wake,
  verdict: { outcome: Outcome; reason: OutcomeReason; detail?: string },
  runId: string | null,
): Occurrence {
  const { routine, occurrences, ids, tx } = context;
  const occurrence: Occurrence = {
    id: ids.make("occurrence", tx.nowMs),
    routine_id: routine.id,
    at: timestamp(tx.nowMs),
    trigger: { type: event.type, id: triggerIdOf(routine, event), summary: event.summary, ...ledHere(event) },
    outcome: verdict.outcome,
    reason: verdict.reason,
    ...detailOf(context, verdict),
    run_id: runId,
    ...keyOf(event),
    ...retryOf(event),
    ...(event.again_of === undefined ? {} : { again_of: event.again_of }),
  };
  occurrences.insert(tx, occurrence, event);
  context.deadLetters.note(tx, occurrence, event);
  return occurrence;
}

/** A budget is told by its name. */
function detailOf(
  { budgets, tx }: AdmissionContext,
  { reason, detail }: { reason: OutcomeReason; detail?: string },
): { detail?: string } {
  if (detail !== undefined) return { detail };
  const spent = reason === "budget" ? budgets.spentForMonth(tx.nowMs) : null;
  return spent === null ? {} : { detail: spentWords(spent) };
}

/** Stored only where runs have led to the wake, or a delivery has brought it. */
export function ledHere({ depth, woken_by, delivery_id }: Wake) {
  return {
    ...(depth === 0 ? {} : { depth }),
    ...wokenBy(woken_by),
    ...(delivery_id === null ? {} : { delivery_id }),
  };
}

export function wokenBy(runId: string | undefined): { woken_by?: string } {
  return runId === undefined ? {} : { woken_by: runId };
}

export function retryOf({ retry_of }: Wake): { retry_of?: string } {
  return retry_of === undefined ? {} : { retry_of };
}

export function triggerIdOf(routine: RoutineRow, event: Wake): string | null {
  if (event.trigger_id !== null) return event.trigger_id;
  return routine.definition.triggers.find((trigger) => trigger.type === event.type)?.id ?? null;
}

function keyOf({ session_key: made }: Wake): Pick<Occurrence, "session_key" | "session_key_fault"> {
  if (made === undefined) return {};
  return "key" in made ? { session_key: made.key } : { session_key_fault: made.fault };
}
