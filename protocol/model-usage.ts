/** What a model call used, as the proxy tells the object of its run: by way of a queue where the object does not take it in. */
import { z } from "zod";
import { tokensSchema } from "./run.ts";
import { leaseRefSchema } from "./runner-link.ts";

export const modelUsageSchema = z.object({
  kind: z.literal("model_usage"),
  lease: leaseRefSchema,
  /** The call's number in its run: however often it is told, it counts once. */
  call: z.int().min(1),
  tokens: tokensSchema,
  /** Of a call that was cut off: what is known of it, and not all. */
  is_part: z.boolean().optional(),
});
export type ModelUsage = z.infer<typeof modelUsageSchema>;
