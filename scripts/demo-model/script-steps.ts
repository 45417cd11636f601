/** Pure: what the demo model's scripts have in common: steps that are found again in a conversation, and endings. */
import type { Exchange } from "./conversation.ts";
import type { MessagePlan } from "./reply-wire.ts";

const REPORT_TOOL = "mcp__reveille__report_result";

/** The working folder is the repository, or the folder with it. */
export const ENTER_REPOSITORY = 'for d in . */; do [ -e "$d/.git" ] && cd "$d" && break; done';

export type Ending = "done" | "nothing_to_do" | "blocked";

/** @param step the description, by which `findStep` knows it again. */
export function bash(step: string, command: string) {
  return { name: "Bash", input: { command, description: step } };
}

export function findStep(turn: Exchange[], step: string): Exchange | undefined {
  return turn.find(({ name, input }) => name === "Bash" && input["description"] === step);
}

export function findReport(turn: Exchange[]): Exchange | undefined {
  return turn.find(({ name }) => name === REPORT_TOOL);
}

/** Reports by the runner's tool; without it, in words. */
export function finish(tools: Set<string>, result: Ending, summary: string): MessagePlan {
  if (!tools.has(REPORT_TOOL)) return { text: summary };
  return {
    text: "That settles it; I report the result.",
    toolCalls: [{ name: REPORT_TOOL, input: { result, summary } }],
  };
}

/** Ends the work because a step failed. */
export function stop(tools: Set<string>, what: string, { text }: Exchange): MessagePlan {
  return finish(tools, "blocked", `${what}: ${errorLine(text)}`);
}

/** The last words, after the report. */
export function closingText({ input, isError, text }: Exchange): string {
  const summary = typeof input["summary"] === "string" ? input["summary"] : "The work is over.";
  return isError ? `${summary} (The report was not accepted: ${errorLine(text)})` : summary;
}

/** The line that says what went wrong. */
function errorLine(text: string): string {
  const lines = text.split("\n").map((line) => line.trim());
  const telling = lines.find((line) => /^(?:fatal|error|remote): */i.test(line)) ?? lines.filter(Boolean).at(-1);
  return (telling ?? "no message").slice(0, 300);
}
