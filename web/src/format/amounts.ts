/** Pure: money, tokens and counts as people read them. */
import type { Usage } from "#protocol/run.ts";

/** US dollars: `$0`, `< $0.01`, `$0.24`, `$1,204.50`. */
export function formatCost(usd: number): string {
  if (usd === 0) return "$0";
  if (usd < 0.01) return "< $0.01";
  return usd.toLocaleString("en-US", { style: "currency", currency: "USD" });
}

/** `940`, `12.3k`, `4.1M`. */
export function formatTokens(count: number): string {
  if (count < 1_000) return String(count);
  if (count < 999_950) return `${trimZero((count / 1_000).toFixed(1))}k`;
  return `${trimZero((count / 1_000_000).toFixed(1))}M`;
}

/** All tokens that a run has used, whatever their kind. */
export function totalTokens(usage: Usage): number {
  return usage.input_tokens + usage.output_tokens + usage.cache_read_tokens + usage.cache_write_tokens;
}

/** `1 run`, `2 runs`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

function trimZero(text: string): string {
  return text.replace(/\.0$/, "");
}
