/** What came and led to no work: an occurrence that could not become a run, or whose run failed before the agent had begun. */
import { z } from "zod";
import { occurrenceIdSchema, routineIdSchema, runIdSchema, sessionIdSchema } from "./ids.ts";
import { checkoutSchema, occurrenceSchema } from "./occurrence.ts";
import { runErrorSchema } from "./run-errors.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** So many of one routine are kept, the newest. */
export const DEAD_LETTERS_KEPT = 200;
/** How much of the text is shown, in characters; the whole is given again. */
export const SHOWN_TEXT_LIMIT = 4_000;

export const deadLetterSchema = z
  .object({
    id: occurrenceIdSchema.meta({ description: "Of the occurrence." }),
    routine_id: routineIdSchema,
    at: timestampSchema.meta({ description: "When it came to nothing." }),
    trigger: occurrenceSchema.shape.trigger,
    outcome: occurrenceSchema.shape.outcome,
    reason: occurrenceSchema.shape.reason,
    run_id: nullable(runIdSchema),
    error: nullable(runErrorSchema).meta({ description: "Of the run that failed; null where there was none." }),
    input: z.object({
      text: z
        .string()
        .nullable()
        .meta({ description: `What came with the trigger, ${SHOWN_TEXT_LIMIT} characters of it at most; untrusted.` }),
      truncated: z.literal(true).optional(),
      checkout: nullable(checkoutSchema),
    }),
    fired: nullable(
      z.object({
        at: timestampSchema,
        occurrence_id: occurrenceIdSchema,
        run_id: runIdSchema,
        session_id: sessionIdSchema,
      }),
    ).meta({
      description: "What became of it when it was fired again; null while it was not.",
    }),
  })
  .meta({ id: "DeadLetter", description: "What came and led to no work." });
export type DeadLetter = z.infer<typeof deadLetterSchema>;

export const deadLetterStates = ["open", "fired", "all"] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];
