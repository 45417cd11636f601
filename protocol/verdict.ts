/** What a person thinks of a run: whether its work was good, and why. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { timestampSchema } from "./time.ts";

export const VERDICT_WHY_LIMIT = 2_000;

export const verdictWordSchema = z
  .enum(["good", "poor"], "must be good or poor")
  .meta({ id: "VerdictWord", description: "Whether the work was of use." });
export type VerdictWord = z.infer<typeof verdictWordSchema>;

export const verdictInputSchema = z
  .strictObject({
    verdict: verdictWordSchema,
    why: z
      .string()
      .trim()
      .min(1, "must say something, or be left out")
      .max(VERDICT_WHY_LIMIT, `must be at most ${VERDICT_WHY_LIMIT} characters`)
      .optional(),
  })
  .meta({ id: "VerdictInput" });
export type VerdictInput = z.infer<typeof verdictInputSchema>;

export const verdictSchema = z
  .object({ verdict: verdictWordSchema, why: z.string().nullable(), actor: actorSchema, at: timestampSchema })
  .meta({ id: "Verdict", description: "What a person thinks of a run that has ended; a later one takes its place." });
