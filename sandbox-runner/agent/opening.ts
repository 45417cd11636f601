/** How the agent's conversation begins in an attempt, or goes on. No I/O. */
import type { SDKUserMessage } from "@anthropic-ai/claude-agent-sdk";
import type { GivenAnswer } from "#protocol/question.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { answerWords } from "./ask-tool.ts";

/**
 * `call`: with the call that was put off, by itself. `message`: with the first message that a person has sent, or with `otherwise`
 * where there is none.
 */
export type Opening =
  | { by: "call" }
  | { by: "text"; text: string }
  | { by: "message"; told: string; otherwise: string };

type Ordered = Pick<RunOrder, "task" | "answer" | "continues" | "conversation">;

/** @param told what the agent has to know before all else; may be empty. */
export function openingOf({ task, answer, continues, conversation }: Ordered, told: string): Opening {
  const isBegun = conversation?.resume != null;
  if (continues === null) return { by: "text", text: told + (isBegun ? asWords(task) : task) };
  const said = answer === null ? "" : wordsOf(answer);
  // Nothing of the conversation was kept.
  if (!isBegun) return { by: "text", text: [told + task, said].filter(Boolean).join("\n\n") };
  if (answer === null) return { by: "message", told, otherwise: "Go on with your task." };
  if (answer.question_id !== continues.put_off) return { by: "text", text: told + said };
  // The runner's own tools are there only once a message has come, and the agent's own are called before one is read.
  return answer.answer.approve === undefined ? { by: "text", text: told || "Go on." } : { by: "call" };
}

/** Of an answer whose question the conversation shows without a result, or not at all. */
function wordsOf({ answer }: GivenAnswer): string {
  if (answer.approve === undefined) return `You had asked a question. ${answerWords(answer)}`;
  const who = answer.by === null ? "Nobody approved it in time" : `${answer.by.name} ${decided(answer.approve)} it`;
  const why = answer.text === undefined ? "" : `: ${answer.text}`;
  const then = answer.approve
    ? " Make it again, with the same input, if it is still needed: nobody is asked once more."
    : "";
  return `The call that you had asked about was not made, because its machine was lost. ${who}${why}.${then}`;
}

function decided(isApproved: boolean): string {
  return isApproved ? "approved" : "refused";
}

/** What a person says is for the agent: its program takes a text that begins with a slash as a command for itself. */
export function asWords(text: string): string {
  return text.startsWith("/") ? `\n${text}` : text;
}

export function userMessage(text: string): SDKUserMessage {
  return { type: "user", message: { role: "user", content: text }, parent_tool_use_id: null };
}

/** Whether the agent's program takes it as a command for itself, which may run others before any call is made. */
export function isCommand({ message: { content } }: Pick<SDKUserMessage, "message">): boolean {
  return typeof content === "string" && content.startsWith("/");
}
