/** The runner's tool by which the agent asks people. The answer comes by way of the gate, which holds the call until then. */
import { createHash } from "node:crypto";
import { tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import { type Answer, type AskedQuestion, CHOICES_LIMIT, QUESTION_LIMIT } from "#protocol/question.ts";
import type { RunnerTools } from "./report-tool.ts";

const DESCRIPTION =
  "Ask the people who run this routine, and wait for the answer; that may take hours. Only for what you can't find out or " +
  "decide yourself, and what would be costly to get wrong. question: whole, for somebody who has not followed your work. " +
  "choices: answers to choose from, if there are such. default: which of them, or which text, counts when nobody answers in " +
  "time. One question at a time, and none by subagents.";

const input = {
  question: z.string().min(1).max(QUESTION_LIMIT),
  choices: z.array(z.string().min(1).max(500)).max(CHOICES_LIMIT).optional(),
  default: z.string().min(1).max(500).optional(),
};
const inputSchema = z.object(input);

/** The question that a call of the tool puts; null where its input is none. */
export function questionOf(id: string, callInput: unknown): AskedQuestion | null {
  const { data } = inputSchema.safeParse(callInput);
  if (data === undefined) return null;
  const { question: text, choices = [], default: fallback = null } = data;
  return { id, kind: "question", text, choices, default: fallback, call: null, input_hash: hashOf(callInput) };
}

/** Of a call's input as JSON, whatever the order of its keys. */
export function hashOf(callInput: unknown): string {
  return createHash("sha256").update(JSON.stringify(callInput, sorted)).digest("hex");
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @param takeAnswer gives the answer to the question for which the gate has let the call through. */
export function askTool(takeAnswer: () => Answer | null): RunnerTools[number] {
  return tool("ask", DESCRIPTION, input, async () => {
    const answer = takeAnswer();
    const text = answer === null ? "There is no answer: nobody was asked." : answerWords(answer);
    return { content: [{ type: "text", text }], ...(answer === null ? { isError: true } : {}) };
  });
}

/** For the agent. */
export function answerWords({ choice, text, by }: Answer): string {
  const said = choice ?? text;
  if (by !== null) return `${by.name} answered: ${said ?? ""}`;
  if (said !== undefined) return `Nobody answered in time, so your default counts: ${said}`;
  return "Nobody answered in time. Decide for yourself where that does no harm; else report that you are blocked.";
}
