/**
 * What model calls cost: Anthropic's list prices, as of 29 November 2026. Pure.
 * https://platform.claude.com/docs/en/about-claude/pricing, and each model's page there. A new model is a row here.
 */

import type { CallSize } from "#protocol/call-size.ts";
import type { CallTokens } from "#protocol/model-usage.ts";
import { roundDollars } from "#protocol/money.ts";
import { sentName } from "./model-rule.ts";

/** US dollars for a million tokens. What is written to the cache costs a fixed part more than what is read anew. */
interface Price {
  input: number;
  output: number;
  cacheRead: number;
}
interface ModelPrice extends Price {
  /** Of a call whose question has more tokens than this, read and written ones together: all of it costs so much. */
  long?: Price & { over: number };
}

const MODEL_PRICES: Readonly<Record<string, ModelPrice>> = {
  "claude-fable-5-2": { input: 8, output: 40, cacheRead: 0.2 },
  "claude-fable-5-1": { input: 10, output: 50, cacheRead: 0.25 },
  "claude-fable-5": { input: 10, output: 50, cacheRead: 1 },
  "claude-mythos-5-1": { input: 10, output: 50, cacheRead: 0.25 },
  "claude-mythos-5": { input: 10, output: 50, cacheRead: 1 },
  "claude-opus-5-5": { input: 4, output: 20, cacheRead: 0.2 },
  "claude-opus-5": { input: 5, output: 25, cacheRead: 0.5 },
  "claude-opus-4-8": { input: 5, output: 25, cacheRead: 0.5 },
  "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5 },
  "claude-opus-4-6": { input: 5, output: 25, cacheRead: 0.5 },
  "claude-opus-4-5": { input: 5, output: 25, cacheRead: 0.5 },
  "claude-opus-4-1": { input: 15, output: 75, cacheRead: 1.5 },
  "claude-opus-4": { input: 15, output: 75, cacheRead: 1.5 },
  "claude-sonnet-5-5": { input: 2, output: 10, cacheRead: 0.1 },
  "claude-sonnet-5": { input: 2, output: 10, cacheRead: 0.2 },
  "claude-sonnet-4-6": { input: 3, output: 15, cacheRead: 0.3 },
  "claude-sonnet-4-5": { input: 3, output: 15, cacheRead: 0.3 },
  "claude-sonnet-4": { input: 3, output: 15, cacheRead: 0.3 },
  "claude-haiku-5-5": {
    input: 0.1,
    output: 0.5,
    cacheRead: 0.01,
    long: { over: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05 },
  },
  "claude-haiku-4-5": { input: 1, output: 5, cacheRead: 0.1 },
};
/** No model of the table costs more: what a model costs that is not in it. */
const DEAREST = Object.values(MODEL_PRICES).reduce((one, other) => (other.output > one.output ? other : one));
/** What is written to the cache costs so many times as much as input: kept for five minutes, and for an hour. */
const CACHE_WRITE = { short: 1.25, long: 2 };
/** `speed: "fast"`, where a model has it. */
const FAST = 2;
/** `inference_geo: "us"`. */
const US_ONLY = 1.1;
/** So many bytes of a request are taken for a token before it is known: text has more of them, pictures far more. */
const BYTES_OF_TOKEN = 3;
/** Where a request does not say how long its answer may become: what no model's answer exceeds. */
const LONGEST_ANSWER = 128_000;
const MILLION = 1_000_000;

/** What a call costs a token: by its model, and by how it is asked for. */
export interface CallPrice {
  /** As it is sent to the Messages API. */
  model: string;
  /** Times the list price; 0 where the model is the demo's. */
  factor: number;
  /** Whether the list does not tell the price: a model that is not in it, or its fast mode. */
  isEstimated: boolean;
}

/** @param size how the call is asked for. */
export function callPrice(model: string, { speed, geo }: CallSize): CallPrice {
  const isFast = speed === "fast";
  const factor = (isFast ? FAST : 1) * (geo === "us" ? US_ONLY : 1);
  return { model, factor, isEstimated: isFast || !hasListPrice(model) };
}

/** Whether the table has the model. */
export function hasListPrice(model: string): boolean {
  return listed(model) !== null;
}

/** What a call has cost, in US dollars. */
export function callCost({ model, factor }: Pick<CallPrice, "model" | "factor">, tokens: CallTokens): number {
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cache_write_1h_tokens = 0 } = tokens;
  const { input, output, cacheRead } = priceFor(model, input_tokens + cache_read_tokens + cache_write_tokens);
  const forHour = Math.min(cache_write_1h_tokens, cache_write_tokens);
  const written = (cache_write_tokens - forHour) * CACHE_WRITE.short + forHour * CACHE_WRITE.long;
  const dollars = (input_tokens + written) * input + output_tokens * output + cache_read_tokens * cacheRead;
  return roundDollars((dollars * factor) / MILLION);
}

/** What a call may cost that is about to be made: its whole request as if it were written to the cache, and the longest answer that it allows. */
export function callReserve(price: Pick<CallPrice, "model" | "factor">, size: CallSize): number {
  const written = Math.ceil(size.bytes / BYTES_OF_TOKEN);
  return callCost(price, {
    input_tokens: 0,
    output_tokens: size.max_tokens ?? LONGEST_ANSWER,
    cache_read_tokens: 0,
    cache_write_tokens: written,
    ...(size.caches_for_hour === true ? { cache_write_1h_tokens: written } : {}),
  });
}

function priceFor(model: string, questionTokens: number): Price {
  const price = listed(model) ?? DEAREST;
  return price.long !== undefined && questionTokens > price.long.over ? price.long : price;
}

/** Names may end with the day of their release. */
function listed(model: string): ModelPrice | null {
  const name = sentName(model)
    .toLowerCase()
    .replace(/-\d{8}$/, "");
  return Object.hasOwn(MODEL_PRICES, name) ? (MODEL_PRICES[name] ?? null) : null;
}
