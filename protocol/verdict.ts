/** What a person, or a run of a reviewing routine, thinks of a run: whether its work was good, and why. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { atMost } from "./characters.ts";
import { routineIdSchema, runIdSchema } from "./ids.ts";
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
      .check(atMost(VERDICT_WHY_LIMIT, `must be at most ${VERDICT_WHY_LIMIT} characters`))
      .optional(),
  })
  .meta({ id: "VerdictInput" });
export type VerdictInput = z.infer<typeof verdictInputSchema>;

export const verdictSchema = z
  .object({ verdict: verdictWordSchema, why: z.string().nullable(), actor: actorSchema, at: timestampSchema })
  .meta({ id: "Verdict", description: "What a person thinks of a run that has ended; a later one takes its place." });

/** How many a run keeps, the latest ones. */
export const REVIEWS_KEPT = 20;

const reviewerSchema = z
  .object({ kind: z.literal("run"), id: runIdSchema, routine_id: routineIdSchema, name: z.string() })
  .meta({ id: "Reviewer", description: "The run that reviewed; its routine, and what that was called." });
export type Reviewer = z.infer<typeof reviewerSchema>;

export const reviewSchema = z
  .object({ verdict: verdictWordSchema, why: z.string().nullable(), by: reviewerSchema, at: timestampSchema })
  .meta({ id: "Review", description: "What a run thinks of the run that woke it; a later one of it takes its place." });
