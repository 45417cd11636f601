/** How an attempt ended: from the agent's result, and from what stopped it. No I/O. */
import type { SDKResultMessage } from "@anthropic-ai/claude-agent-sdk";
import type { AttemptOutcome } from "#protocol/attempt-outcome.ts";
import { type RunError, type RunPhase, runError } from "#protocol/run-errors.ts";
import { modelFailure, modelWords } from "./model-failure.ts";

/**
 * Why an attempt was stopped from outside: `exceeded` when it used more than it may, `runner_stopped` when the runner itself
 * ends, `ended` when nobody waits any more.
 */
export type StopReason = "canceled" | "timed_out" | "exceeded" | "runner_stopped" | "ended";

/**
 * @param failure null when every step went well. @param stopped null when nothing stopped the attempt.
 * @param retryAfterS for how long whoever was asked in vain wants to be left alone; null where that is not known.
 */
export function outcomeOf(
  stopped: StopReason | null,
  phase: RunPhase,
  failure: RunError | null,
  retryAfterS: number | null,
): AttemptOutcome {
  if (stopped === "canceled") return { status: "canceled" };
  if (stopped === "timed_out") return { status: "timed_out", error: runError("timed_out", phase) };
  if (stopped !== null && stopped !== "exceeded")
    return { status: "failed", error: runError("runner_lost", phase, "The runner was stopped.") };
  if (failure === null) return { status: "succeeded" };
  return { status: "failed", error: failure, ...(retryAfterS === null ? {} : { retry_after_s: retryAfterS }) };
}

/** What an unforeseen fault of the runner itself is called, by where it came. */
export function faultOf(phase: RunPhase, error: unknown): RunError {
  const words = oneLine(error instanceof Error ? error.message : String(error));
  if (phase === "agent") return runError("agent_failed", phase, words);
  if (phase === "finish") return runError("finish_failed", phase, words);
  return runError("runner_failed", phase, words);
}

/**
 * @param result the agent's last result, or null when it ended without one.
 * @param lastWords the end of what its program wrote to its error output.
 * @returns null when the agent ended as it should.
 */
export function agentError(result: SDKResultMessage | null, lastWords: string): RunError | null {
  if (result === null)
    return runError("agent_failed", "agent", oneLine(lastWords) || "Its program ended without a result.");
  if (!result.is_error) return null;
  if (result.subtype === "error_max_turns") return runError("turns_exhausted", "agent");
  const words = oneLine(modelWords(result.subtype === "success" ? result.result : result.errors.join(" ")));
  const { code, detail } = modelFailure(result, words) ?? { code: "agent_failed", detail: words };
  return runError(code, "agent", detail || undefined);
}

const DETAIL_CHARACTERS = 600;

/** A text for the message of an error. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, DETAIL_CHARACTERS);
}
