/** Pure: what of a run's model calls and containers is counted in its usage. */
import type { ContainerUse, Tokens, Usage } from "#protocol/run.ts";

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

/** @returns null when the attempt's container has been counted already. */
export function countContainer(usage: Usage, use: ContainerUse): Usage | null {
  const { containers = [] } = usage;
  if (containers.some(({ attempt }) => attempt === use.attempt)) return null;
  const all = [...containers, use].sort((left, right) => left.attempt - right.attempt);
  return { ...usage, containers: all };
}
