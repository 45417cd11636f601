/** What an attempt tells people beside what its agent does, as pure text. */
import { type RunError, runError } from "#protocol/run-errors.ts";
import type { RunnerEvent } from "#protocol/transcript.ts";
import type { LivingTask } from "../agent/agent-end.ts";

type Notice = Extract<RunnerEvent, { type: "notice" }>;

export const DEMO_MODEL: Notice = {
  type: "notice",
  level: "info",
  code: "demo_model",
  message:
    "The offline demo model answers instead of a real one: the agent's words are a script, its tool calls are real.",
};

export function settingsOverridden(names: readonly string[]): Notice {
  const message = `The repository's .claude/settings.json decides neither how a run reaches its model, nor what it may do without asking, nor its sandbox. Without effect: ${names.join(", ")}.`;
  return { type: "notice", level: "warning", code: "settings_overridden", message };
}

/** @param told what becomes of each server, in sentences. */
export function serversNotStarted(url: string, told: string): Notice {
  const message = `No MCP server is started from the .mcp.json of ${url}. ${told}`;
  return { type: "notice", level: "info", code: "mcp_json", message };
}

/** @param tasks that were ended in the background. @param hasReported whether the agent had reported before. */
export function tasksLeft(tasks: readonly LivingTask[], hasReported: boolean): Notice {
  const names = tasks.map(({ description }) => description).join("; ");
  const message = hasReported
    ? `Ended together with the run, in the background: ${names}.`
    : `The agent ended its turn without a report, and waited for what still ran in the background: ${names}. There was no news of it, so the run was ended.`;
  return { type: "notice", level: hasReported ? "info" : "warning", code: "background_ended", message };
}

/** The agent would have had rights that it must not have. */
export function privileged(fault: string): RunError {
  return runError("agent_privileged", "provisioning", fault);
}
