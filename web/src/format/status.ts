/** Pure: the words and the tone of statuses, results and outcomes. */

import type { Outcome, OutcomeReason, TriggerType } from "#protocol/occurrence.ts";
import type { Routine } from "#protocol/routine.ts";
import type { CancelReason, ListedRun, Run, RunResult, RunStatus } from "#protocol/run.ts";
import type { RunStates } from "#protocol/run-states.ts";
import type { VerdictWord } from "#protocol/verdict.ts";
import type { WaitingFor } from "#protocol/waiting.ts";

/** What a colour means. `active` is what goes on at this moment. */
export type Tone = "neutral" | "active" | "success" | "warning" | "danger";

export interface Label {
  text: string;
  tone: Tone;
}

export const RUN_STATUS_LABELS: Record<RunStatus, Label> = {
  queued: { text: "Queued", tone: "neutral" },
  starting: { text: "Starting", tone: "active" },
  running: { text: "Running", tone: "active" },
  waiting: { text: "Waiting", tone: "warning" },
  succeeded: { text: "Succeeded", tone: "success" },
  failed: { text: "Failed", tone: "danger" },
  timed_out: { text: "Timed out", tone: "danger" },
  canceled: { text: "Canceled", tone: "neutral" },
};

const NO_RUNNER_LABEL: Label = { text: "Waits for a runner", tone: "neutral" };

/** What is told of its status, and whether it is known. */
export interface StatusOfRun {
  status: RunStatus;
  /** Undefined where it is not known. */
  runner?: Run["runner"] | undefined;
}

/** Whether its start was asked for, and no runner has taken it yet. */
export function isUntaken({ status, runner }: StatusOfRun): boolean {
  return status === "starting" && runner === null;
}

export function runLabel(run: StatusOfRun): Label {
  return isUntaken(run) ? NO_RUNNER_LABEL : RUN_STATUS_LABELS[run.status];
}

/** What a run waits for. */
export const WAITING_TEXTS: Record<WaitingFor, string> = {
  message: "Waits for a message",
  question: "Waits for an answer",
  approval: "Waits for an approval",
  budget: "Waits: its budget is used up",
};

export const RESULT_LABELS: Record<RunResult, Label> = {
  done: { text: "Done", tone: "success" },
  nothing_to_do: { text: "Nothing to do", tone: "neutral" },
  blocked: { text: "Blocked", tone: "warning" },
  unknown: { text: "Result unknown", tone: "neutral" },
};

/** Of a run that is reported as done, and of which nothing was seen. */
export const NO_EVIDENCE_LABEL: Label = { text: "No evidence", tone: "warning" };

export const VERDICT_LABELS: Record<VerdictWord, Label> = {
  good: { text: "Good", tone: "success" },
  poor: { text: "Poor", tone: "warning" },
};

export const OUTCOME_LABELS: Record<Outcome, Label> = {
  started: { text: "Started", tone: "success" },
  queued: { text: "Queued", tone: "neutral" },
  duplicate: { text: "Duplicate", tone: "neutral" },
  skipped: { text: "Skipped", tone: "warning" },
  refused: { text: "Refused", tone: "danger" },
  ignored: { text: "Ignored", tone: "neutral" },
  missed: { text: "Missed", tone: "warning" },
};

export const ROUTINE_STATUS_LABELS: Record<Routine["status"], Label> = {
  active: { text: "Active", tone: "success" },
  paused: { text: "Paused", tone: "warning" },
};

/** Why admission decided so, as a sentence. */
export const REASON_TEXTS: Record<OutcomeReason, string> = {
  admitted: "A place was free.",
  at_max_concurrent: "As many runs as the routine allows were on.",
  overlap_queue: "A run was on: it waits for that to end.",
  overlap_queue_latest: "A run was on: it waits, until a newer one takes its place.",
  overlap_skip: "A run was on, and the routine skips what comes meanwhile.",
  overlap_cancel_running: "The runs that were on are canceled first.",
  gate_closed: "The routine's gate was closed.",
  gate_failed: "The routine's gate could not be asked, again and again.",
  session_busy: "Another run of the session had not ended.",
  given_to_run: "A run of its session had not ended: its agent gets it as a message.",
  same_idempotency_key: "The same Idempotency-Key had been used for the same request.",
  idempotency_key_reused: "The Idempotency-Key had been used for another request.",
  routine_paused: "The routine was paused.",
  paused_after_failures: "The routine had paused itself, because run after run had failed.",
  model_not_configured: "The instance had no model key.",
  budget: "The budget of the month was spent.",
  queue_full: "As many runs were waiting as a routine may have.",
  same_delivery: "The same delivery had been taken in before.",
  same_event: "The same event had come before, under another delivery id.",
  coalesced: "It waits, with others, for one run.",
  slot_missed: "The time had passed by more than five minutes, and catch_up is none.",
  slot_superseded: "The time had passed by more than five minutes, and a newer one was made up for.",
  catch_up_limit: "The time had passed by more than five minutes, and 24 newer ones were made up for.",
  stranger: "A stranger did it, and allow_public is off.",
  own_event: "A run of this routine caused it, and the trigger does not allow that.",
  chain_too_deep: "More than eight runs had led here, one after the other.",
};

export const CANCEL_TEXTS: Record<CancelReason, string> = {
  by_user: "Canceled by a person.",
  superseded: "A newer run took its place.",
  routine_deleted: "The routine was deleted.",
};

export const TRIGGER_LABELS: Record<TriggerType, string> = {
  api: "API",
  manual: "Run now",
  schedule: "Schedule",
  github: "GitHub",
  webhook: "Webhook",
  routine: "Routine",
  event: "Event",
  watch: "Watch",
  message: "Message",
};

/** As the table of states has it: its type says so, since the pages take nothing else from it. */
const IS_SETTLED: { [Status in RunStatus]: RunStates[Status]["isSettled"] } = {
  queued: false,
  starting: false,
  running: false,
  waiting: false,
  succeeded: true,
  failed: true,
  timed_out: true,
  canceled: true,
};

/** Whether a run with this status goes on or waits. */
export function isActiveStatus(status: RunStatus): boolean {
  return !IS_SETTLED[status];
}

/** What a run waits for; of a budget which one, and how much of it is spent. */
export function waitingLine({ for: what, reason }: Extract<ListedRun, { status: "waiting" }>["waiting"]): string {
  return reason === undefined ? `${WAITING_TEXTS[what]}.` : `Waits: ${reason}.`;
}

/** One line that says how the run went, or what started it while it goes on. */
export function runHeadline(run: ListedRun): string {
  if (run.error !== null) return run.error.message;
  if (run.summary !== null) return run.summary;
  if (run.status === "waiting") return waitingLine(run.waiting);
  if (run.status === "canceled") return CANCEL_TEXTS[run.cancel_reason];
  return run.trigger.summary;
}
