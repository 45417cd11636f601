/**
 * How a run moves from status to status. Pure: takes the run and one input; gives the next run, the events to append, and
 * the effects to carry out.
 */

import type { AttemptOutcome } from "#protocol/attempt-outcome.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { type CancelReason, isSettled, type SandboxKind } from "#protocol/run.ts";
import { isMachineryFailure, type RunError, runError } from "#protocol/run-errors.ts";
import { timestamp } from "#protocol/time.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { awaitsEnvironment, enterEnvironment } from "./begin-attempt.ts";
import {
  CANCEL_GRACE_MS,
  ENVIRONMENT_MS,
  RETRY_AFTER_MOST_MS,
  START_BACKSTOP_MS,
  TIMEOUT_GRACE_MS,
} from "./deadlines.ts";
import { close, ERROR_OF_LEASE_END, endingOf, settle } from "./ending.ts";
import type { DeadlineKind, Effect, Finished, LeaseEnd, RunInput, RunLimits, RunState, Step } from "./inputs.ts";
import { countSeen, isBetweenAttempts, queueAgain } from "./next-attempt.ts";
import type { ActiveRecord, QueuedRecord } from "./record.ts";
import { beginWaiting, closeRun, endHold, goOn, park } from "./waiting.ts";

type Leased = Extract<RunInput, { type: "leased" }>;
type Failed = Extract<AttemptOutcome, { status: "failed" }>;

/** @returns null when the input changes nothing: the run has settled, or the same has come in before. */
export function nextRun(state: RunState, input: RunInput, limits: RunLimits, nowMs: number): Step | null {
  const { run } = state;
  if (isSettled(run)) return null;
  switch (input.type) {
    case "promoted":
      return run.status === "queued" ? promote(state, run, nowMs) : null;
    case "environment":
      return enterEnvironment(state, run, input.environment, nowMs);
    case "environment_fault":
      return failByEnvironment(state, run, input.error, limits, nowMs);
    case "leased":
      return lease(state, run, input, limits, nowMs);
    case "step":
      return isBetweenAttempts(run) || state.phase === input.phase
        ? null
        : { state: { ...state, phase: input.phase }, events: [], effects: [] };
    case "running":
      return startAgent(state, run, input.sandbox, limits, nowMs);
    case "finished":
      return finish(state, run, input.frame, limits, nowMs);
    case "waiting":
      return beginWaiting(state, run, input, limits, nowMs);
    case "continued":
      return goOn(state, run, limits, nowMs);
    case "idle":
      return closeRun(state, run, input.isMessageWaiting);
    case "cancel_requested":
      return requestCancel(state, run, input.reason, nowMs);
    case "lease_ended":
      return endLease(state, run, input, limits, nowMs);
    case "overdue":
      return passDeadline(state, run, input.kind, nowMs);
  }
}

function promote(state: RunState, run: QueuedRecord, nowMs: number): Step {
  return {
    state: {
      ...state,
      phase: "provisioning",
      run: {
        ...run,
        status: "starting",
        environment: null,
        timings: { ...run.timings, starting_at: timestamp(nowMs) },
      },
    },
    events: [{ type: "run.starting", attempt: run.attempt }],
    effects: [
      { type: "clear_deadlines" },
      { type: "read_environment" },
      { type: "set_deadline", kind: "provisioning", atMs: nowMs + ENVIRONMENT_MS },
    ],
  };
}

/** A lease that it has, or has asked for, is given back. */
function failByEnvironment(
  state: RunState,
  run: ActiveRecord,
  error: RunError,
  limits: RunLimits,
  nowMs: number,
): Step | null {
  if (run.status !== "starting") return null;
  const step = end(state, run, { status: "failed", error }, null, limits, nowMs);
  return run.environment === null ? step : { ...step, effects: [...step.effects, { type: "release_lease" }] };
}

function lease(state: RunState, run: ActiveRecord, hello: Leased, limits: RunLimits, nowMs: number): Step | null {
  const { runner, boot, features } = hello;
  if (run.runner?.id === runner.id) return greetAgain(state, run, hello, limits, nowMs);
  if (run.status !== "starting" || run.runner !== null || awaitsEnvironment(run)) return null;
  return {
    state: { ...state, boot, features, run: { ...run, runner } },
    events: [{ type: "run.step", phase: "provisioning", message: `Runner ${runner.id} has taken the run` }],
    effects: [
      // Only the deadline for finding a runner is taken away: one for canceling stays in force.
      { type: "set_deadline", kind: "provisioning", atMs: Number.POSITIVE_INFINITY },
      { type: "set_deadline", kind: "start", atMs: nowMs + startBackstopMs(limits) },
    ],
  };
}

/** A clone may take all of the attempt's time while it receives; nobody hears of it but the runner, which bounds it. */
function startBackstopMs({ timeoutMs }: RunLimits): number {
  return Math.max(START_BACKSTOP_MS, timeoutMs + TIMEOUT_GRACE_MS);
}

/**
 * The runner dials again. Another process of it has not what the first one had in hand: that one has died, and its attempt
 * with it. An engine starts a container anew whose process has failed, with the same tokens.
 */
function greetAgain(
  state: RunState,
  run: ActiveRecord,
  { boot, features, isUnheard = false }: Leased,
  limits: RunLimits,
  nowMs: number,
): Step | null {
  if (boot === null || boot === state.boot || state.boot === null) {
    // The instance may know more options, or fewer, than when this process said hello before.
    const isSame = (boot ?? state.boot) === state.boot && features.join() === state.features.join();
    return isSame ? null : { state: { ...state, boot: boot ?? state.boot, features }, events: [], effects: [] };
  }
  const step = endLease(state, run, { end: "runner_lost", isUnheard }, limits, nowMs);
  return step === null ? null : { ...step, effects: [...step.effects, { type: "release_lease" }] };
}

function startAgent(
  state: RunState,
  run: ActiveRecord,
  sandbox: SandboxKind,
  limits: RunLimits,
  nowMs: number,
): Step | null {
  if (run.status !== "starting" || run.runner === null) return null;
  const { runner } = run;
  return {
    state: {
      ...state,
      phase: "agent",
      run: { ...run, status: "running", runner, timings: { ...run.timings, running_at: timestamp(nowMs) } },
    },
    events: [{ type: "run.running", attempt: run.attempt, sandbox, model: run.routine.model }],
    effects: [
      { type: "set_deadline", kind: "start", atMs: Number.POSITIVE_INFINITY },
      { type: "set_deadline", kind: "timeout", atMs: nowMs + limits.timeoutMs + TIMEOUT_GRACE_MS },
    ],
  };
}

function finish(state: RunState, run: ActiveRecord, frame: Finished, limits: RunLimits, nowMs: number): Step | null {
  if (isBetweenAttempts(run)) return null;
  const { outcome, report, seen } = frame;
  const counted = countSeen(run, seen, state.before);
  const step =
    park(state, counted, outcome) ?? end({ ...state, run: counted }, counted, outcome, report, limits, nowMs);
  // A runner says by itself that its work is over; a container is there for this attempt alone, and ends with it.
  if (run.runner?.kind !== "container") return step;
  return { ...step, effects: [...step.effects, { type: "release_lease" }] };
}

function endLease(
  state: RunState,
  run: ActiveRecord,
  { end: leaseEnd, isUnheard = false }: { end: LeaseEnd; isUnheard?: boolean },
  limits: RunLimits,
  nowMs: number,
): Step | null {
  if (isBetweenAttempts(run)) return null;
  const waits = park(state, run, null, isUnheard);
  if (waits !== null) return waits;
  const error = runError(ERROR_OF_LEASE_END[leaseEnd], state.phase);
  return end(state, run, { status: "failed", error }, null, limits, nowMs);
}

/** The attempt is over: settle the run, or put it back into the queue for another attempt. */
function end(
  state: RunState,
  run: ActiveRecord,
  outcome: AttemptOutcome,
  report: Finished["report"],
  limits: RunLimits,
  nowMs: number,
): Step {
  const ending = endingOf(state, run, outcome);
  if (ending.status === "failed" && mayRetry(state, run, ending.error, limits)) {
    return retry(state, run, ending, limits, nowMs);
  }
  return settle(state, close(run, ending, report?.result ?? "unknown", report?.summary ?? null, nowMs));
}

function mayRetry({ before, phase }: RunState, run: ActiveRecord, error: RunError, limits: RunLimits): boolean {
  // An attempt that goes on begins with the call that people have approved, before it asks the model anything.
  const hasBegun = before !== null && phase === "agent";
  const isUntouched = run.evidence.model_calls === (before?.model_calls ?? 0) && !hasBegun;
  return isMachineryFailure(error.code) && isUntouched && triesOf(run, before) <= limits.retryMax;
}

/** How many attempts there have been since the run began, or went on. */
function triesOf({ attempt }: ActiveRecord, before: RunState["before"]): number {
  return attempt - (before?.attempt ?? 0);
}

function retry(
  { before }: RunState,
  run: ActiveRecord,
  { error, retry_after_s = 0 }: Failed,
  limits: RunLimits,
  nowMs: number,
): Step {
  // Each further attempt waits twice as long as the one before, and no less than a server has asked for.
  const backoffMs = limits.retryBackoffMs * 2 ** (triesOf(run, before) - 1);
  const askedMs = Math.min(retry_after_s * 1_000, RETRY_AFTER_MOST_MS);
  const notBeforeMs = nowMs + Math.max(backoffMs, askedMs);
  const why = askedMs > backoffMs ? "as long as the server wants to be left alone" : "as the routine's retry says";
  const attempt = run.attempt + 1;
  return {
    state: { ...queueAgain(run), notBeforeMs, before },
    events: [
      {
        type: "notice",
        level: "warning",
        code: "retrying",
        message: `Attempt ${run.attempt} failed before the model was called: ${error.message} The next one waits until ${timestamp(notBeforeMs)}, ${why}.`,
      },
      { type: "run.queued", attempt, summary: run.trigger.summary },
    ],
    effects: [
      { type: "clear_deadlines" },
      { type: "set_deadline", kind: "retry", atMs: notBeforeMs },
      { type: "promote" },
    ],
    retriedAfter: error,
  };
}

function requestCancel(state: RunState, run: ActiveRecord, reason: CancelReason, nowMs: number): Step | null {
  if (run.cancel_reason !== null) return null;
  const requestedAt = timestamp(nowMs);
  const asked = { ...run, cancel_reason: reason, cancel_requested_at: requestedAt };
  const event: EventBody = { type: "run.cancel_requested", reason };
  if (isBetweenAttempts(asked)) {
    const step = settle(
      { ...state, run: asked },
      close(asked, { status: "canceled", reason, requestedAt }, "unknown", null, nowMs),
    );
    return { ...step, events: [event, ...step.events] };
  }
  const told: Effect[] = [
    { type: "tell_cancel", reason },
    { type: "set_deadline", kind: "cancel", atMs: nowMs + CANCEL_GRACE_MS },
  ];
  // Before a runner has dialed there is nobody to tell: the pool takes the lease back.
  const effects: Effect[] = asked.runner === null ? [{ type: "release_lease" }] : told;
  return { state: { ...state, run: asked }, events: [event], effects };
}

function passDeadline(state: RunState, run: ActiveRecord, kind: DeadlineKind, nowMs: number): Step | null {
  switch (kind) {
    case "retry":
      return { state, events: [], effects: [{ type: "promote" }] };
    case "answer":
      return null;
    case "cancel":
      return isBetweenAttempts(run) ? null : { state, events: [], effects: [{ type: "release_lease" }] };
    case "hold":
      return run.status === "waiting" ? endHold(state, run, nowMs) : null;
    case "start":
    case "timeout":
      if (isBetweenAttempts(run) || (run.status === "starting") !== (kind === "start")) return null;
      return { state: { ...state, overdue: kind }, events: [], effects: [{ type: "release_lease" }] };
    case "provisioning": {
      if (run.status !== "starting" || run.runner !== null) return null;
      const error = awaitsEnvironment(run)
        ? runError("environment_unreadable", "provisioning", "The database did not answer for an hour.")
        : runError("no_runner", "provisioning", waitedFor(run));
      const ending = endingOf(state, run, { status: "failed", error });
      const step = settle(state, close(run, ending, "unknown", null, nowMs));
      return { ...step, effects: [...step.effects, { type: "release_lease" }] };
    }
  }
}

/** Which pool had none, unless it is the one that every instance has. */
function waitedFor({ pool }: ActiveRecord): string | undefined {
  return pool === DEFAULT_POOL ? undefined : `It waited for the pool "${pool}".`;
}
