/** Pure: reads the tokens that a model call used out of its answer, while the answer passes by. */
import { z } from "zod";
import type { Usage } from "#protocol/run.ts";

export type Tokens = Omit<Usage, "cost_usd">;

export interface UsageMeter {
  push(chunk: Uint8Array): void;
  /** What has been seen so far; after an answer that was cut short, what it used up to there. */
  tokens(): Tokens;
}

const count = z.int().min(0).nullish();
const usageSchema = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
});
const withUsage = z.object({ usage: usageSchema });
const streamEventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message_start"), message: withUsage }),
  z.object({ type: z.literal("message_delta"), usage: usageSchema }),
]);

/** An answer without streaming, or a line of one with it, that is longer than this is not metered. */
const BUFFER_LIMIT = 16_777_216;

/** @param contentType of the answer: tells whether it is a stream of events or one JSON value. */
export function usageMeter(contentType: string | null): UsageMeter {
  const isStream = /^text\/event-stream\b/i.test(contentType ?? "");
  const decoder = new TextDecoder();
  const tokens: Tokens = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };
  let buffer = "";

  const readLines = () => {
    const lines = buffer.split("\n");
    buffer = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:") && line.includes('"usage"')) readEvent(tokens, line.slice("data:".length));
    }
  };

  return {
    push: (chunk) => {
      if (buffer.length > BUFFER_LIMIT) return;
      buffer += decoder.decode(chunk, { stream: true });
      if (isStream && buffer.includes("\n")) readLines();
    },
    tokens: () => {
      if (!isStream && buffer.length <= BUFFER_LIMIT) readWhole(tokens, buffer);
      return { ...tokens };
    },
  };
}

function readEvent(tokens: Tokens, json: string): void {
  const event = streamEventSchema.safeParse(parseJson(json));
  if (!event.success) return;
  take(tokens, event.data.type === "message_start" ? event.data.message.usage : event.data.usage);
}

function readWhole(tokens: Tokens, json: string): void {
  const answer = withUsage.safeParse(parseJson(json));
  if (answer.success) take(tokens, answer.data.usage);
}

/** Counts in a stream are totals: a later one takes the place of an earlier one. */
function take(tokens: Tokens, usage: z.infer<typeof usageSchema>): void {
  tokens.input_tokens = usage.input_tokens ?? tokens.input_tokens;
  tokens.output_tokens = usage.output_tokens ?? tokens.output_tokens;
  tokens.cache_read_tokens = usage.cache_read_input_tokens ?? tokens.cache_read_tokens;
  tokens.cache_write_tokens = usage.cache_creation_input_tokens ?? tokens.cache_write_tokens;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
