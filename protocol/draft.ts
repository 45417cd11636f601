/** One sentence that becomes the draft of a routine: what is asked, and what is answered. Nothing of it is saved. */
import { z } from "zod";
import { atMost } from "./characters.ts";
import { dollarsSchema } from "./money.ts";
import { routineInputSchema } from "./routine.ts";
import { nullable } from "./schema.ts";
import { timezoneSchema } from "./triggers.ts";
import { warningSchema } from "./warning.ts";

export const DRAFT_TEXT_LENGTH = 4_000;
export const DRAFT_QUESTIONS = 5;
const QUESTION_LENGTH = 300;
const ANSWER_LENGTH = 1_000;

const questionSchema = z.string().trim().min(1).check(atMost(QUESTION_LENGTH));

export const draftInputSchema = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1)
      .check(atMost(DRAFT_TEXT_LENGTH))
      .meta({ description: "What the routine is to do, and when." }),
    answers: z
      .array(z.strictObject({ question: questionSchema, answer: z.string().trim().min(1).max(ANSWER_LENGTH) }))
      .max(DRAFT_QUESTIONS)
      .default([])
      .meta({ description: "To questions that an earlier draft came with." }),
    timezone: timezoneSchema.optional().meta({ description: "Of whoever asks: times of day are meant in it." }),
  })
  .meta({ id: "DraftInput" });
export type DraftInput = z.infer<typeof draftInputSchema>;

/** What the model fills in: the rest has its defaults. */
export const modelDraftSchema = z.strictObject({
  draft: routineInputSchema.pick({
    name: true,
    prompt: true,
    repositories: true,
    triggers: true,
    environment: true,
    overlap: true,
    session: true,
    session_key: true,
    context_from: true,
    limits: true,
    notify: true,
  }),
  questions: z.array(questionSchema).max(DRAFT_QUESTIONS),
});

export const draftUsageSchema = z
  .object({
    calls: z.int().min(1),
    input_tokens: z.int().min(0),
    output_tokens: z.int().min(0),
    cost_usd: dollarsSchema,
  })
  .meta({ id: "DraftUsage", description: "By list price, as for runs. No budget counts it." });
export type DraftUsage = z.infer<typeof draftUsageSchema>;

export const draftedSchema = z
  .object({
    draft: routineInputSchema.meta({
      id: "WholeRoutineInput",
      description: "As `POST /api/v1/routines` takes it, with its defaults.",
    }),
    questions: z.array(z.string()).meta({ description: "What had to be guessed; none where nothing is missing." }),
    warnings: z.array(warningSchema),
    model: z.string(),
    usage: draftUsageSchema,
  })
  .meta({ id: "Drafted" });
export type Drafted = z.infer<typeof draftedSchema>;

/** Whether this instance can draft, by which model, and what a draft costs at most. */
export const draftingSchema = z
  .object({
    available: z.boolean().meta({ description: "Whether there is a model key." }),
    model: nullable(z.string()),
    max_cost_usd: nullable(dollarsSchema),
  })
  .meta({ id: "Drafting" });
export type Drafting = z.infer<typeof draftingSchema>;
