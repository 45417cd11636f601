/** Turns of the scripted model beyond a plain command, and what a run's transcript says of them. */
import type { RunnerEvent } from "#protocol/transcript.ts";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import type { FakeRun } from "./fake-run.ts";

type Notice = Extract<RunnerEvent, { type: "notice" }>;

/** A command in the background, or one that the agent's program moves there by itself after so many milliseconds. */
export function background(
  command: string,
  how: { run_in_background: true } | { timeout: number } = { run_in_background: true },
): ReplyPlan {
  return call("Bash", { command, description: `Keep ${command}`, ...how });
}

export function call(name: string, input: Record<string, unknown>): ReplyPlan {
  return { kind: "message", toolCalls: [{ name, input }] };
}

/** The run's notices of a code. */
export function noticesOf(run: FakeRun, code: string): Notice[] {
  return run.events.filter((event) => event.type === "notice").filter((notice) => notice.code === code);
}
