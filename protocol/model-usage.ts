/** What a model call used, as the proxy tells the object of its run: by way of a queue where the object does not take it in. */
import { z } from "zod";
import { tokensSchema } from "./run.ts";
import { leaseRefSchema } from "./runner-link.ts";

/** What one call used. What it writes to the cache for an hour costs more than the rest. */
export const callTokensSchema = tokensSchema.extend({
  /** Of its `cache_write_tokens`; absent where there are none. */
  cache_write_1h_tokens: z.int().min(0).optional(),
});
export type CallTokens = z.infer<typeof callTokensSchema>;

export const modelUsageSchema = z.object({
  kind: z.literal("model_usage"),
  lease: leaseRefSchema,
  /** The call's number in its run: however often it is told, it counts once. */
  call: z.int().min(1),
  tokens: callTokensSchema,
  /** Of a call that was cut off: what is known of it, and not all. */
  is_part: z.boolean().optional(),
});
export type ModelUsage = z.infer<typeof modelUsageSchema>;
