/** How an attempt counts once it is over, and the settled form of its run. Pure. */

import type { AttemptOutcome } from "#protocol/attempt-outcome.ts";
import type { CancelReason, RunResult } from "#protocol/run.ts";
import { type RunErrorCode, runError } from "#protocol/run-errors.ts";
import { timestamp } from "#protocol/time.ts";
import type { LeaseEnd, RunState, Step } from "./inputs.ts";
import { lacksEvidence } from "./lacks-evidence.ts";
import type { ActiveRecord, SettledRecord } from "./record.ts";

/** Why a run failed whose lease ended before its runner had said how. */
export const ERROR_OF_LEASE_END = {
  runner_lost: "runner_lost",
  offer_expired: "runner_lost",
  work_ended: "runner_failed",
  container_start_failed: "container_start_failed",
  container_image_missing: "container_image_missing",
  containers_unavailable: "containers_unavailable",
} as const satisfies Record<LeaseEnd, RunErrorCode>;

type Ending =
  | Exclude<AttemptOutcome, { status: "canceled" | "parked" }>
  | { status: "canceled"; reason: CancelReason; requestedAt: string };

/**
 * How the attempt counts, given what the runner saw and what it was told: one that failed after it was to be canceled is
 * canceled.
 */
export function endingOf(state: RunState, run: ActiveRecord, outcome: AttemptOutcome): Ending {
  if (outcome.status === "succeeded") return outcome;
  if (run.cancel_reason !== null && run.cancel_requested_at !== null) {
    return { status: "canceled", reason: run.cancel_reason, requestedAt: run.cancel_requested_at };
  }
  if (state.overdue === "timeout") return { status: "timed_out", error: runError("timed_out", state.phase) };
  if (outcome.status === "canceled" || outcome.status === "parked")
    return { status: "failed", error: runError("runner_failed", state.phase) };
  return outcome;
}

/** The settled form of a run: the one place where an ending becomes a status. */
export function close(
  run: ActiveRecord,
  ending: Ending,
  result: RunResult,
  summary: string | null,
  nowMs: number,
): SettledRecord {
  const settled = {
    ...withoutWaiting(run),
    result,
    summary,
    timings: { ...run.timings, finished_at: timestamp(nowMs) },
  };
  switch (ending.status) {
    case "succeeded":
      return { ...settled, status: "succeeded", error: null, cancel_reason: null };
    case "failed":
    case "timed_out":
      return { ...settled, status: ending.status, error: ending.error, cancel_reason: null };
    case "canceled":
      return {
        ...settled,
        status: "canceled",
        error: null,
        cancel_reason: ending.reason,
        cancel_requested_at: ending.requestedAt,
      };
  }
}

/** The record of a run that waits no longer. */
export function withoutWaiting<Any extends ActiveRecord>(run: Any): Omit<Any, "waiting"> {
  if (!("waiting" in run)) return run;
  const { waiting: _over, ...rest } = run;
  return rest as Omit<Any, "waiting">;
}

/** The last step of a run. */
export function settle(state: RunState, run: SettledRecord): Step {
  return {
    state: { ...state, run },
    events: [
      {
        type: "run.finished",
        status: run.status,
        result: run.result,
        ...(lacksEvidence(run.result, run.evidence) ? { evidence_missing: true } : {}),
        summary: run.summary,
        error: run.error,
        cancel_reason: run.cancel_reason,
        evidence: run.evidence,
        usage: run.usage,
      },
    ],
    effects: [{ type: "clear_deadlines" }, { type: "promote" }],
  };
}
