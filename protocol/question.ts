/** What an agent asks people: a question of its own, or whether a call may be made that the tool policy asks about. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { atMost } from "./characters.ts";
import { jsonSchema, nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

/** In characters. */
export const QUESTION_LIMIT = 10_000;
export const CHOICES_LIMIT = 10;
const CHOICE_LIMIT = 500;
/** A call whose input is longer, as JSON, can't be shown whole, so nobody is asked to approve it. */
export const APPROVED_INPUT_LIMIT = 60_000;
const ANSWER_LIMIT = 20_000;

const questionKinds = ["question", "approval"] as const;

/** The id of the call by which the agent asks. */
export const questionIdSchema = z.string().min(1).max(180);

/**
 * The call that the agent's program has put off, and judges anew when the conversation is taken up again; null where there is none,
 * as when the sandbox was lost.
 */
export const putOffSchema = nullable(questionIdSchema).default(null);

const asked = {
  id: questionIdSchema,
  text: z
    .string()
    .min(1)
    .check(atMost(QUESTION_LIMIT))
    .meta({ description: "The question, or what the agent wants to call." }),
  choices: z
    .array(z.string().min(1).check(atMost(CHOICE_LIMIT)))
    .max(CHOICES_LIMIT)
    .meta({ description: "Answers to choose from; none where the answer is a text, and for an approval." }),
  default: nullable(z.string().check(atMost(CHOICE_LIMIT))).meta({
    description: "What counts as the answer when nobody has answered in time; null where that is none.",
  }),
  call: nullable(z.object({ tool: z.string(), input: jsonSchema })).meta({
    description: "Of an approval: the call, whole. No other is approved.",
  }),
};

/** As the runner tells it. */
export const askedQuestionSchema = z.object({
  ...asked,
  kind: z.enum(questionKinds),
  /** SHA-256 of the call's input: what is approved is this input and no other. */
  input_hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AskedQuestion = z.infer<typeof askedQuestionSchema>;

/** As the transcript and the run show it. */
export const shownQuestionSchema = z.object(asked).meta({ id: "Question" });
export type ShownQuestion = z.infer<typeof shownQuestionSchema>;

/** What a person answers: one of the three. */
export const answerInputSchema = z
  .strictObject({
    question_id: questionIdSchema,
    choice: z
      .string()
      .min(1)
      .check(atMost(CHOICE_LIMIT))
      .optional()
      .meta({ description: "One of the question's choices." }),
    text: z.string().min(1).check(atMost(ANSWER_LIMIT)).optional().meta({
      description: "An answer in one's own words; beside `approve`, why.",
    }),
    approve: z.boolean().optional().meta({ description: "Whether the call may be made." }),
  })
  .meta({ id: "AnswerInput" });
export type AnswerInput = z.infer<typeof answerInputSchema>;

/** An answer as it counts. */
export const answerSchema = z
  .object({
    choice: z.string().optional(),
    text: z.string().optional(),
    approve: z.boolean().optional(),
    by: nullable(actorSchema).meta({ description: "Who answered; null when the time was over." }),
    at: timestampSchema,
  })
  .meta({ id: "Answer", description: "With none of choice, text and approve, nobody has answered in time." });
export type Answer = z.infer<typeof answerSchema>;

/** An answer for the runner, with what it is the answer to. */
export const givenAnswerSchema = z.object({
  question_id: questionIdSchema,
  input_hash: askedQuestionSchema.shape.input_hash,
  /** Of an approval: the tool that the agent wants to call. Null for a question, and from an earlier version's instance. */
  tool: z.string().nullable().default(null),
  answer: answerSchema,
});
export type GivenAnswer = z.infer<typeof givenAnswerSchema>;
