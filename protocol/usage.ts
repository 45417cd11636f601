/** What a run has used: tokens, money, and containers. */
import { z } from "zod";
import { dollarsSchema } from "./money.ts";

export const tokensSchema = z.object({
  input_tokens: z.int().min(0),
  output_tokens: z.int().min(0),
  cache_read_tokens: z.int().min(0),
  cache_write_tokens: z.int().min(0),
});
export type Tokens = z.infer<typeof tokensSchema>;

/** The container of one attempt, from its start until it was gone. */
const containerUseSchema = z
  .object({
    attempt: z.int().min(1),
    size: z.string().meta({ description: "As Cloudflare names it, for instance standard-2." }),
    seconds: z.number().min(0),
    cost_usd: dollarsSchema.meta({
      description:
        "By list price, as if its processor had been busy all the time: at most so much. Not in the usage's own cost_usd.",
    }),
  })
  .meta({ id: "ContainerUse" });
export type ContainerUse = z.infer<typeof containerUseSchema>;

/** Tokens as the model proxy metered them, and what they cost. */
export const usageSchema = tokensSchema
  .extend({
    cost_usd: dollarsSchema.meta({
      description: "By list price as the agent reports it at the end of an attempt; 0 for the demo model.",
    }),
    metered_cost_usd: dollarsSchema.optional().meta({
      description:
        "By list price as the instance metered it, call by call: what budgets count. Left out before the first call has ended, and for the demo model.",
    }),
    estimated: z.literal(true).optional().meta({
      description:
        "Whether metered_cost_usd is an estimate: a model's price is not known, so the dearest was taken, or a call was cut off, so its answer was counted by the length that had come, or where nothing had, as the longest. Left out otherwise.",
    }),
    unmetered_calls: z.int().min(1).optional().meta({
      description:
        "Model calls that are not in these counts as a whole: under way, or cut off before it was known what they used. Left out when there are none.",
    }),
    containers: z
      .array(containerUseSchema)
      .optional()
      .meta({ description: "Of attempts that worked in containers of the instance, told as each has gone." }),
  })
  .meta({ id: "Usage" });
export type Usage = z.infer<typeof usageSchema>;

export const NO_USAGE: Usage = {
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  cost_usd: 0,
};
