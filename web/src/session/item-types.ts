/** What a transcript is shown as: each durable event is in exactly one item. */
import type { Answer, ShownQuestion } from "#protocol/question.ts";
import type { CancelReason, Evidence, RunResult, RunStatus, SandboxKind, Usage } from "#protocol/run.ts";
import type { RunError, RunPhase } from "#protocol/run-errors.ts";
import type { Json } from "#protocol/schema.ts";
import type { WaitingFor } from "#protocol/waiting.ts";

interface ItemBase {
  /** Stays the same for as long as the item is shown. */
  key: string;
  /** The events that the item shows; none while it is being written. */
  seqs: readonly number[];
  runId: string;
  /** When its first event happened, in Unix milliseconds. */
  atMs: number;
}

/** Text that the instance cut: the length that it had, in bytes. */
export interface Cut {
  bytes: number | null;
}

export interface RunStep {
  phase: RunPhase;
  message: string;
  atMs: number;
}

/** One attempt of a run, up to the agent's first step. */
export interface RunItem extends ItemBase {
  kind: "run";
  /** Null when the beginning lies outside of what is loaded. */
  attempt: number | null;
  summary: string | null;
  queuedAtMs: number | null;
  startingAtMs: number | null;
  runningAtMs: number | null;
  /** When the attempt ended, if that was before the agent was on. */
  endedAtMs: number | null;
  steps: readonly RunStep[];
  sandbox: SandboxKind | null;
  model: string | null;
}

export interface UserItem extends ItemBase {
  kind: "user";
  source: "routine" | "trigger" | "context" | "person";
  /** Whose message it is; null for what no person said. */
  by: string | null;
  /** The run ended before its agent got it. */
  isUndelivered: boolean;
  text: string;
  cut: Cut | null;
}

/** The agent's words, or its thinking. */
export interface AgentItem extends ItemBase {
  kind: "agent" | "thinking";
  text: string;
  cut: Cut | null;
  /** The model is at it: the text grows. */
  writing: boolean;
  /** The text has holes, or its beginning is missing, because not all of it came live. */
  partial: boolean;
}

export interface ToolResult {
  text: string;
  isError: boolean;
  cut: Cut | null;
  atMs: number;
}

/** A tool call with its result. `stopped`: the run ended without one. */
export interface ToolItem extends ItemBase {
  kind: "tool";
  toolCallId: string;
  /** The call that has started the subagent whose call this is; null for the agent's own. */
  parent: string | null;
  name: string;
  input: Json;
  inputCut: Cut | null;
  state: "running" | "ok" | "error" | "stopped";
  result: ToolResult | null;
}

/** A result whose call lies outside of what is loaded. */
export interface ResultItem extends ItemBase {
  kind: "result";
  toolCallId: string;
  result: ToolResult;
}

export interface NoticeItem extends ItemBase {
  kind: "notice";
  level: "info" | "warning";
  code: string;
  message: string;
  cut: Cut | null;
}

/** A step of the machinery when the agent is on or has ended. */
export interface StepItem extends ItemBase {
  kind: "step";
  message: string;
}

/** What the run waits for, and, once it has come, the answer. */
export interface WaitItem extends ItemBase {
  kind: "wait";
  what: WaitingFor;
  until: string | null;
  question: ShownQuestion | null;
  answer: Answer | null;
  isOpen: boolean;
}

/** An answer whose question lies outside of what is loaded. */
export interface AnswerItem extends ItemBase {
  kind: "answer";
  questionId: string;
  answer: Answer;
}

/** What a run waited for has come. */
export interface ContinuedItem extends ItemBase {
  kind: "continued";
}

export interface PushItem extends ItemBase {
  kind: "push";
  repository: string;
  branch: string;
  commit: string;
  previous: string | null;
}

export interface PullRequestItem extends ItemBase {
  kind: "pull_request";
  repository: string;
  branch: string;
  base: string;
  number: number;
  url: string;
  /** Null where the run's agent did it. */
  by: string | null;
  change: "opened" | "updated";
}

/** What the run has said at GitHub. */
export interface CommentItem extends ItemBase {
  kind: "comment";
  of: "comment" | "review" | "issue";
  repository: string;
  number: number;
  url: string;
}

/** A file that the run shows. */
export interface ArtifactItem extends ItemBase {
  kind: "artifact";
  sessionId: string;
  artifactId: string;
  name: string;
  isImage: boolean;
  bytes: number;
}

export interface UsageItem extends ItemBase {
  kind: "usage";
  usage: Usage;
}

export interface CancelItem extends ItemBase {
  kind: "cancel";
  reason: CancelReason;
}

export interface FinishedItem extends ItemBase {
  kind: "finished";
  status: RunStatus;
  result: RunResult;
  isEvidenceMissing: boolean;
  summary: string | null;
  error: RunError | null;
  cancelReason: CancelReason | null;
  evidence: Evidence;
  usage: Usage;
}

/** An event of a type that this version of the app does not know. */
export interface UnknownItem extends ItemBase {
  kind: "unknown";
  type: string;
}

export type Item =
  | RunItem
  | UserItem
  | AgentItem
  | ToolItem
  | ResultItem
  | NoticeItem
  | StepItem
  | WaitItem
  | AnswerItem
  | ContinuedItem
  | PushItem
  | PullRequestItem
  | CommentItem
  | ArtifactItem
  | UsageItem
  | CancelItem
  | FinishedItem
  | UnknownItem;
