/** Plays the agent against the demo model's scripts: each tool call is answered from a table, until there are no more. */

import type { Message } from "#scripts/demo-model/messages-request.ts";
import { nextReply } from "#scripts/demo-model/next-reply.ts";

export const TOOLS = ["Bash", "Edit", "Glob", "Grep", "Read", "Write", "mcp__reveille__report_result"];

const STEP_OF_DESCRIPTION = new Map([
  ["Find the last release", "release"],
  ["List the commits since the last release", "log"],
  ["Read the changelog", "cat"],
  ["Commit the changelog on a new branch", "commit"],
  ["Push the branch", "push"],
  ["List the commits that were pushed", "commits"],
  ["Read what they change", "diff"],
  ["Look for the commits that the changelog names", "check"],
]);

type Answer = string | { error: string };

interface Conversation {
  /** Steps of Bash by their short names, other tools by their own. */
  steps: string[];
  calls: Record<string, unknown>[];
  closing: string | undefined;
  messages: Message[];
}

/** @param answers by step; the report is always accepted. */
export function converse(
  answers: Record<string, Answer>,
  { task = "Keep the changelog up to date.", tools = TOOLS, ids = "abcdef", before = [] as Message[] } = {},
): Conversation {
  const messages: Message[] = [...before, { role: "user", content: [{ type: "text", text: task }] }];
  const steps: string[] = [];
  const calls: Record<string, unknown>[] = [];
  while (true) {
    const request = { model: "claude-test", messages, tools: tools.map((name) => ({ name })) };
    const { text, toolCalls = [] } = nextReply(request);
    const [call] = toolCalls;
    if (call === undefined) {
      messages.push({ role: "assistant", content: text ?? "" });
      return { steps, calls, closing: text, messages };
    }
    const step = STEP_OF_DESCRIPTION.get(String(call.input["description"])) ?? call.name;
    const id = `toolu_${messages.length}${ids}`;
    steps.push(step);
    calls.push(call.input);
    messages.push({
      role: "assistant",
      content: [
        { type: "text", text: text ?? "" },
        { type: "tool_use", id, ...call },
      ],
    });
    messages.push({ role: "user", content: [toolResult(id, answers[step] ?? "Recorded.")] });
    if (steps.length > 20) throw new Error(`no end: ${steps.join(", ")}`);
  }
}

/** With the reminder that the agent appends to results. */
function toolResult(id: string, answer: Answer) {
  const reminder = "\n\n<system-reminder>\nKeep going.\n</system-reminder>";
  const isError = typeof answer !== "string";
  const text = `${isError ? answer.error : answer}${reminder}`;
  return { type: "tool_result" as const, tool_use_id: id, is_error: isError, content: [{ type: "text", text }] };
}
