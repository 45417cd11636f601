/** Pure: what has been tried and seen in the turn that a request asks to continue. */
import { type Message, toolResults, toolUses } from "./messages-request.ts";

/** A tool call with its result. */
export interface Exchange {
  id: string;
  name: string;
  input: Record<string, unknown>;
  isError: boolean;
  text: string;
}

/**
 * The exchanges since the last message of a person: a user message without tool results that opens the conversation or
 * follows a reply without tool calls. A call without a result counts as failed.
 */
export function currentTurn(messages: Message[]): Exchange[] {
  const turn = messages.slice(turnStart(messages));
  const results = new Map(turn.flatMap(toolResults).map((result) => [result.toolUseId, result]));
  return turn
    .filter(({ role }) => role === "assistant")
    .flatMap(toolUses)
    .map(({ id, name, input }) => {
      const { isError, text } = results.get(id) ?? { isError: true, text: "There was no result." };
      return { id, name, input, isError, text: withoutReminders(text) };
    });
}

function turnStart(messages: Message[]): number {
  let start = 0;
  let previousCalledTools = false;
  for (const [index, message] of messages.entries()) {
    if (message.role === "assistant") previousCalledTools = toolUses(message).length > 0;
    if (message.role === "user" && !previousCalledTools && toolResults(message).length === 0) start = index;
  }
  return start;
}

/** The agent appends reminders to results; they are no part of what the tool said. */
function withoutReminders(text: string): string {
  return text.replace(/\n*<system-reminder>[\s\S]*?<\/system-reminder>\s*/g, "");
}
