/** Pure: what of a run's model calls and containers is counted in its usage. */
import type { CallTokens } from "#protocol/model-usage.ts";
import { roundDollars } from "#protocol/money.ts";
import type { ContainerUse, Tokens, Usage } from "#protocol/run.ts";
import { callCost, hasListPrice } from "./model-prices.ts";

/** @param before what of the same call has been counted already. */
export function countTokens(usage: Usage, used: Tokens, before: Tokens): Usage {
  return {
    ...usage,
    input_tokens: usage.input_tokens + used.input_tokens - before.input_tokens,
    output_tokens: usage.output_tokens + used.output_tokens - before.output_tokens,
    cache_read_tokens: usage.cache_read_tokens + used.cache_read_tokens - before.cache_read_tokens,
    cache_write_tokens: usage.cache_write_tokens + used.cache_write_tokens - before.cache_write_tokens,
  };
}

/** @param change of the number of calls of which it is not known yet what they used. */
export function countUnmetered({ unmetered_calls = 0, ...usage }: Usage, change: 1 | -1): Usage {
  const left = unmetered_calls + change;
  return left > 0 ? { ...usage, unmetered_calls: left } : usage;
}

/** What one call cost, in US dollars, and whether that may be too much. */
interface CallCost {
  usd: number;
  isEstimated: boolean;
}

/**
 * A call that was cut off costs what its answer had told and shown until then; where nothing had come, what was reserved for it.
 * @param open the call as it was when it began. @param isPart whether not all is known of what it used.
 */
export function costOfCall(
  open: { model: string; factor: number; reserved: number },
  tokens: CallTokens,
  isPart: boolean,
): CallCost {
  const known = callCost(open, tokens);
  const usd = isPart && known === 0 ? open.reserved : known;
  return { usd, isEstimated: usd > 0 && (isPart || !hasListPrice(open.model)) };
}

export function countCost(usage: Usage, { usd, isEstimated }: CallCost): Usage {
  if (usd === 0) return usage;
  const metered_cost_usd = roundDollars((usage.metered_cost_usd ?? 0) + usd);
  return { ...usage, metered_cost_usd, ...(isEstimated ? { estimated: true } : {}) };
}

/** @returns null when the attempt's container has been counted already. */
export function countContainer(usage: Usage, use: ContainerUse): Usage | null {
  const { containers = [] } = usage;
  if (containers.some(({ attempt }) => attempt === use.attempt)) return null;
  const all = [...containers, use].sort((left, right) => left.attempt - right.attempt);
  return { ...usage, containers: all };
}
