/**
 * What the log tells of a run's life: a line for each turn that it takes, none for anything between. That it has begun is told by
 * the line of its occurrence.
 */
import { logSoon, logTrouble } from "#protocol/log.ts";
import { isSettled } from "#protocol/run.ts";
import type { RunError } from "#protocol/run-errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import type { Finished } from "#rules/run/inputs.ts";
import type { RunRecord } from "#rules/run/record.ts";
import type { RunRow } from "./run-store.ts";

/** Whether a step is one that the log tells of: a runner has taken the run, its agent has started, or the attempt is over. */
export function isTold(before: RunRow, after: RunRow): boolean {
  return before.status !== after.status || before.doc.runner !== after.doc.runner;
}

/** @param retriedAfter what the attempt before failed with, where another follows. @param nowMs of the step, in Unix milliseconds. */
export function tellStep(before: RunRow, after: RunRow, retriedAfter: RunError | null, nowMs: number): void {
  const run = after.doc;
  const ids = attemptOf(before.doc);
  const runner_id = before.doc.runner?.id ?? null;
  const waited_ms = Math.max(0, nowMs - Date.parse(run.timings.queued_at));
  if (retriedAfter !== null) {
    const { code, phase } = retriedAfter;
    const retry_at = timestamp(after.notBefore);
    logSoon("run_retried", { ...ids, runner_id, code, phase, next_generation: run.attempt, retry_at });
  } else if (isSettled(run)) {
    const { status, result, error, cancel_reason, evidence } = run;
    const { code, phase } = error ?? { code: null, phase: null };
    const how = { status, result, code, phase, cancel_reason, model_calls: evidence.model_calls };
    logSoon("run_ended", { ...ids, runner_id, ...how, duration_ms: waited_ms });
  } else if (run.status === "waiting") {
    if (run.runner !== null) logSoon("run_waiting", { ...ids, runner_id: run.runner.id, waiting_for: run.waiting.for });
  } else if (before.doc.status === "waiting") {
    logSoon("run_continued", { ...ids, runner_id, waiting_for: before.doc.waiting.for });
  } else if (run.status === "running") {
    logSoon("run_started", { ...ids, runner_id: run.runner.id, waited_ms });
  } else if (run.status === "starting" && run.runner !== null) {
    logSoon("run_leased", { ...ids, runner_id: run.runner.id, waited_ms });
  }
}

function attemptOf({ id, session_id, routine_id, attempt }: RunRecord) {
  return { run_id: id, session_id, routine_id, generation: attempt };
}

/** Whether an agent has taken turns and its conversation was not written down. */
export function isForgotten({ turns, conversation_entries }: Finished["seen"]): boolean {
  return conversation_entries === 0 && turns > 0;
}

export function tellForgotten(lease: LeaseRef): void {
  logTrouble("conversation_not_kept", { ...lease }, "no entry came");
}
