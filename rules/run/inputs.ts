/** What can happen to a run, and what follows from it. */

import type { ShownQuestion } from "#protocol/question.ts";
import type { CancelReason, RunnerRef, SandboxKind } from "#protocol/run.ts";
import type { RunError, RunPhase } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import type { EventBody } from "#protocol/transcript.ts";
import type { WaitingFor } from "#protocol/waiting.ts";
import type { KeptEnvironment } from "../environment/kept-environment.ts";
import type { RunRecord } from "./record.ts";

/** Why a lease has ended, as pools store it. */
export const leaseEnds = [
  "runner_lost",
  "work_ended",
  "offer_expired",
  "container_start_failed",
  "container_image_missing",
  "containers_unavailable",
] as const;
export type LeaseEnd = (typeof leaseEnds)[number];
export type DeadlineKind = "provisioning" | "start" | "timeout" | "cancel" | "retry" | "hold" | "answer";
export type Finished = Extract<FrameBody, { kind: "finished" }>;

/** What the object knows of a run beside its record. */
export interface RunState {
  run: RunRecord;
  /** How far the attempt has come. */
  phase: RunPhase;
  notBeforeMs: number;
  overdue: "start" | "timeout" | null;
  /** Of the process that works on the attempt, as it has drawn it; null until one has said hello, or where it told none. */
  boot: string | null;
  /** Options that are in force on the link of the attempt's runner. */
  features: readonly string[];
  /**
   * `closing`: its agent is done and no message waits, so none goes to this run any more. `continuing`: what it waits for has
   * come while its sandbox is given up, so another attempt follows.
   */
  ending: "closing" | "continuing" | null;
  /** What earlier attempts did that it goes on from; null for a run that has not been without a sandbox since it began. */
  before: DoneBefore | null;
}

/** What a run had done when its sandbox was given up, all attempts together. */
export interface DoneBefore {
  /** The attempt with which that sandbox went. */
  attempt: number;
  model_calls: number;
  turns: number;
  tool_calls: number;
  tools_refused: number;
  cost_usd: number;
  /** The call that the agent's program has put off, which its answer is for; null where there is none. */
  put_off: string | null;
}

/** Limits of the revision that the run was admitted with. */
export interface RunLimits {
  timeoutMs: number;
  /** How long a sandbox is kept for a run that waits. */
  holdMs: number;
  /** How long people have to answer what the agent asks. */
  answerMs: number;
  retryMax: number;
  retryBackoffMs: number;
}

/** What a process says that begins, or goes on with, the work on an attempt. */
export interface Hello {
  runner: RunnerRef;
  /** As the process has drawn it; null from an earlier version's runner. */
  boot: string | null;
  /** Options of the link that both sides know. */
  features: readonly string[];
}

export type RunInput =
  | { type: "promoted" }
  /** The attempt's environment is known. @see rules/environment/kept-environment.ts */
  | { type: "environment"; environment: KeptEnvironment }
  /** It has none, or what it needs is not there. */
  | { type: "environment_fault"; error: RunError }
  /** @see RunInput of `lease_ended`: for a process that has died. */
  | ({ type: "leased"; isUnheard?: boolean } & Hello)
  | { type: "step"; phase: RunPhase }
  | { type: "running"; sandbox: SandboxKind }
  | { type: "finished"; frame: Finished }
  /** The agent does nothing until something has come. */
  | { type: "waiting"; for: WaitingFor; untilMs: number | null; question: ShownQuestion | null; reason?: string }
  /** What the run waits for has come. */
  | { type: "continued" }
  /** The agent is done. @see RunState.ending */
  | { type: "idle"; isMessageWaiting: boolean }
  | { type: "cancel_requested"; reason: CancelReason }
  /** `isUnheard`: the answer for which the run waited has come, and come to nothing. */
  | { type: "lease_ended"; end: LeaseEnd; isUnheard?: boolean }
  | { type: "overdue"; kind: DeadlineKind };

export type Effect =
  | { type: "read_environment" }
  | { type: "ask_pool" }
  /** End the lease by force; the pool answers with `lease_ended`. */
  | { type: "release_lease" }
  | { type: "tell_cancel"; reason: CancelReason }
  | { type: "tell_park" }
  | { type: "tell_close" }
  | { type: "set_deadline"; kind: DeadlineKind; atMs: number }
  | { type: "clear_deadlines" }
  /** A place of `max_concurrent` has come free. */
  | { type: "promote" };

export interface Step {
  state: RunState;
  events: EventBody[];
  effects: Effect[];
  /** What the attempt failed with, where another follows it. */
  retriedAfter?: RunError;
}
