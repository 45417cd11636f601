/** What of all that comes to nothing is kept to be fired again. Pure. */
import { isByHand, type Occurrence, type OutcomeReason, type Wake } from "#protocol/occurrence.ts";
import type { ListedRun } from "#protocol/run.ts";

/** Reasons for which what came could have been a run at another time. The others are what the routine's owner wants, or a guard. */
const PASSING: ReadonlySet<OutcomeReason> = new Set([
  "routine_paused",
  "paused_after_failures",
  "model_not_configured",
  "budget",
  "gate_failed",
  "queue_full",
  "slot_missed",
  "catch_up_limit",
]);

/** Whoever fires, writes a message or runs by hand is told by the answer, and can call again. */
export function isDeadOccurrence({ reason }: Occurrence, wake: Wake): boolean {
  return PASSING.has(reason) && wake.type !== "api" && !isByHand(wake);
}

/** A run that failed for good before the agent's first model call: nothing has been done of what came. */
export function isDeadRun(run: ListedRun): boolean {
  return run.status === "failed" && run.evidence.model_calls === 0;
}
