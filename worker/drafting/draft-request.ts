/** Pure: what the model is asked for a draft, and what is read of its answer. */
import { z } from "zod";
import { UNKNOWN_SIZE } from "#protocol/call-size.ts";
import { type DraftInput, modelDraftSchema } from "#protocol/draft.ts";
import type { CallTokens } from "#protocol/model-usage.ts";
import { callCost, callPrice, callReserve } from "#rules/run/model-prices.ts";

/** An answer is a routine of this length at most: far longer than one that somebody has said in a sentence. */
const ANSWER_TOKENS = 8_192;
/** The model is asked again once, where it has written what can't be saved. */
export const DRAFT_CALLS = 2;
/** No request for a draft is longer: what a person may write, names of what there is, the schema, and an answer with its faults. */
const REQUEST_BYTES = 196_608;
const NAMES_TOLD = 100;
const NAME_LENGTH = 150;
const FAULTS_LENGTH = 4_000;

const TOOL = "draft_routine";

/** Names of what the instance has: no addresses but of repositories, and no secrets. */
export interface KnownNames {
  routines: readonly string[];
  repositories: readonly string[];
  environments: readonly string[];
}

interface Message {
  role: "user" | "assistant";
  content: string | object[];
}

const INSTRUCTIONS = `You write drafts of routines for Reveille, and answer with the tool ${TOOL} alone.

A routine is a prompt for a coding agent that works by itself in a sandbox, with repositories that are cloned for it and triggers that wake it. Nobody watches a run, so the prompt has to say what to do, what a good result is, where to leave it (a branch, a pull request, its report), and when there is nothing to do.

- Write the prompt to that agent, in the language in which the person has written, with all that the person has said and nothing that they can't have meant.
- Fill in only what was said or follows from it. Whatever is left out has a sensible default.
- Name repositories, routines and environments only as they are listed below, or as the person has written them. Invent no address, no name and no secret.
- A time of day needs a time zone. Use the person's, where it is given below.
- Ask, in questions, for what matters and had to be guessed: short, each to be answered in a sentence, at most five. Ask nothing that was answered. Make a draft also while questions are open.`;

/** The body of the first call. */
export function draftRequest(model: string, { text, answers, timezone }: DraftInput, known: KnownNames, nowMs: number) {
  const given = [
    `Now: ${new Date(nowMs).toISOString()}`,
    ...(timezone === undefined ? [] : [`The person's time zone: ${timezone}`]),
    `Routines: ${listed(known.routines)}`,
    `Repositories: ${listed(known.repositories)}`,
    `Environments: ${listed(known.environments)}`,
  ];
  const said = answers.map(({ question, answer }) => `You have asked: ${question}\nI answer: ${answer}`);
  return {
    model,
    max_tokens: ANSWER_TOKENS,
    system: `${INSTRUCTIONS}\n\n${given.join("\n")}`,
    tools: [{ name: TOOL, description: "Gives the draft and what is still to be asked.", input_schema: TOOL_SCHEMA }],
    tool_choice: { type: "tool", name: TOOL },
    messages: [{ role: "user", content: [text, ...said].join("\n\n") }] as Message[],
  };
}

export type DraftRequest = ReturnType<typeof draftRequest>;

/** The body of the second call: with what was wrong with the answer to the first. */
export function againRequest(request: DraftRequest, call: ToolCall, faults: readonly string[]): DraftRequest {
  const told = `This can't be saved:\n${faults.join("\n")}`.slice(0, FAULTS_LENGTH);
  const result = { type: "tool_result", tool_use_id: call.id, is_error: true, content: told };
  const { id, name, input } = call;
  const again: Message[] = [
    { role: "assistant", content: [{ type: "tool_use", id, name, input: asObject(input) }] },
    { role: "user", content: [result] },
  ];
  return { ...request, messages: [...request.messages, ...again] };
}

/** The routine's own schema, as far as it can be told. */
const { $schema: _dialect, ...TOOL_SCHEMA } = z.toJSONSchema(modelDraftSchema, { io: "input", unrepresentable: "any" });

function listed(names: readonly string[]): string {
  return names.length === 0
    ? "none"
    : JSON.stringify(names.slice(0, NAMES_TOLD).map((name) => name.slice(0, NAME_LENGTH)));
}

function asObject(input: unknown): object {
  return typeof input === "object" && input !== null ? input : {};
}

const count = z.int().min(0).nullish();
const callSchema = z.object({ type: z.literal("tool_use"), id: z.string(), name: z.literal(TOOL), input: z.unknown() });
export type ToolCall = z.infer<typeof callSchema>;
const answerSchema = z.object({
  content: z.array(z.unknown()),
  stop_reason: z.string().nullish(),
  usage: z.object({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
  }),
});

export interface DraftAnswer {
  /** Null where the model has not called the tool. */
  call: ToolCall | null;
  tokens: CallTokens;
  stopReason: string | null;
}

/** @returns null for what is no answer of the Messages API. */
export function readDraftAnswer(body: unknown): DraftAnswer | null {
  const { data } = answerSchema.safeParse(body);
  if (data === undefined) return null;
  const { usage, content, stop_reason } = data;
  const call = content.map((block) => callSchema.safeParse(block).data).find((one) => one !== undefined);
  return {
    call: call ?? null,
    stopReason: stop_reason ?? null,
    tokens: {
      input_tokens: usage.input_tokens ?? 0,
      output_tokens: usage.output_tokens ?? 0,
      cache_read_tokens: usage.cache_read_input_tokens ?? 0,
      cache_write_tokens: usage.cache_creation_input_tokens ?? 0,
    },
  };
}

export function draftCost(model: string, tokens: CallTokens): number {
  return callCost(callPrice(model, UNKNOWN_SIZE), tokens);
}

/** What a draft costs at most, in US dollars. */
export function draftCostAtMost(model: string): number {
  const size = { ...UNKNOWN_SIZE, bytes: REQUEST_BYTES, max_tokens: ANSWER_TOKENS };
  return DRAFT_CALLS * callReserve(callPrice(model, UNKNOWN_SIZE), size);
}

/** Whether a request is within what was promised of its cost. */
export function isWithinBounds(request: DraftRequest): boolean {
  return new TextEncoder().encode(JSON.stringify(request)).length <= REQUEST_BYTES;
}
