/** A run in each of its states, reached through the rules themselves. */

import type { AttemptOutcome } from "#protocol/attempt-outcome.ts";
import { NO_EVIDENCE, NO_USAGE } from "#protocol/run.ts";
import { runError } from "#protocol/run-errors.ts";
import { timestamp } from "#protocol/time.ts";
import type { RunInput, RunLimits, RunState, Step } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { newState } from "#rules/run/next-attempt.ts";
import { newRecord, type QueuedRecord, type RunRecord } from "#rules/run/record.ts";

export const NOW_MS = Date.UTC(2026, 10, 21, 9);
export const LIMITS: RunLimits = {
  timeoutMs: 3_600_000,
  holdMs: 300_000,
  answerMs: 86_400_000,
  retryMax: 2,
  retryBackoffMs: 30_000,
};
const RUNNER = { kind: "local", id: "runner-1" } as const;

const KEY = "0ABCDEFGHJKMNPQRSTVWXYZ012";

const QUEUED: QueuedRecord = newRecord({
  id: `run_${KEY}`,
  routine_id: `rtn_${KEY}`,
  session_id: `session_${KEY}`,
  routine: { name: "docs-sync", revision: 3, model: "claude-sonnet-5" },
  trigger: { type: "api", id: `trg_${KEY}`, occurrence_id: `occ_${KEY}`, summary: "Fired through the API" },
  pool: "default",
  attempt: 1,
  demo_model: false,
  usage: NO_USAGE,
  evidence: NO_EVIDENCE,
  cancel_requested_at: null,
  result: null,
  summary: null,
  error: null,
  cancel_reason: null,
  status: "queued",
  runner: null,
  timings: {
    queued_at: timestamp(NOW_MS),
    starting_at: null,
    running_at: null,
    first_event_at: null,
    finished_at: null,
  },
});

/** Lets things happen one after the other, each a second later. @throws Error when one of them changes nothing. */
export function through(state: RunState, ...happenings: RunInput[]): RunState {
  return happenings.reduce((before, happening, index) => apply(before, happening, NOW_MS + index * 1_000).state, state);
}

/** @throws Error when the happening changes nothing. */
export function apply(state: RunState, happening: RunInput, nowMs = NOW_MS, limits = LIMITS): Step {
  const step = nextRun(state, happening, limits, nowMs);
  if (step === null) throw new Error(`${happening.type} changes nothing in ${state.run.status}`);
  return step;
}

export function finished(outcome: AttemptOutcome, result: "done" | "blocked" | null = null): RunInput {
  return {
    type: "finished",
    frame: {
      kind: "finished",
      outcome,
      report: result === null ? null : { result, summary: "What was done." },
      seen: { turns: 4, tool_calls: 3, files_changed: 2, commits_pushed: 1, cost_usd: 0.25 },
    },
  };
}

export const SUCCEEDED = finished({ status: "succeeded" }, "done");
/** The fault of a machine: may be tried again. */
export const CLONE_STUCK = finished({ status: "failed", error: runError("clone_timed_out", "clone") });
/** The fault of what was asked: trying again would not help. */
export const AGENT_FAILED = finished({ status: "failed", error: runError("agent_failed", "agent") });
export const TIMED_OUT = finished({ status: "timed_out", error: runError("timed_out", "agent") });
export const CANCELED = finished({ status: "canceled" });
export const CANCEL: RunInput = { type: "cancel_requested", reason: "by_user" };
export const LEASED: Extract<RunInput, { type: "leased" }> = {
  type: "leased",
  runner: RUNNER,
  boot: "first-process",
  features: ["steer"],
};
export const PARKS: RunInput = { ...LEASED, features: ["steer", "park"] };
export const WAITING: RunInput = { type: "waiting", for: "message", untilMs: null, question: null };
export const CONTINUED: RunInput = { type: "continued" };
export const IDLE: RunInput = { type: "idle", isMessageWaiting: false };
export const HOLD_OVER: RunInput = { type: "overdue", kind: "hold" };
export const PARKED = finished({ status: "parked", put_off: null });
export const ENVIRONMENT: RunInput = {
  type: "environment",
  environment: {
    id: `env_${KEY}`,
    name: "ci",
    revision: 4,
    network: { level: "custom", allow: ["registry.acme.test", "*.acme.test"] },
    variables: { LOG_LEVEL: "debug" },
    setup: "true",
    instance: "standard-4",
  },
};
export const RUNNING: RunInput = { type: "running", sandbox: "sandbox-runtime" };
export const LOST: RunInput = { type: "lease_ended", end: "runner_lost" };

const queued: RunState = newState(QUEUED, 0);
const begun = through(queued, { type: "promoted" });
const starting = through(begun, ENVIRONMENT);
const leased = through(starting, LEASED);
const running = through(leased, RUNNING);
const held = through(starting, PARKS, RUNNING, WAITING);
const parking = through(held, HOLD_OVER);

/**
 * `begun` has no environment yet, `starting` has one and no runner, `leased` is starting with both. `waiting` keeps its sandbox
 * as long as it waits, `held` for a while; `parking` is giving it up, and `parked` has none.
 */
export const STATES = {
  queued,
  begun,
  starting,
  leased,
  running,
  closing: through(running, IDLE),
  waiting: through(running, WAITING),
  held,
  parking,
  parked: through(parking, PARKED),
  succeeded: through(running, SUCCEEDED),
  failed: through(running, AGENT_FAILED),
  timed_out: through(running, TIMED_OUT),
  canceled: through(running, CANCEL, CANCELED),
} satisfies Record<string, RunState>;
export type StateName = keyof typeof STATES;

/** The state after the model has been called once. */
export function withModelCall(state: RunState): RunState {
  const run: RunRecord = { ...state.run, evidence: { ...state.run.evidence, model_calls: 1 } };
  return { ...state, run };
}
