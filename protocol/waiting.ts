/** What a run that is `waiting` waits for, and how long. */
import { z } from "zod";
import { shownQuestionSchema } from "./question.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

export const waitingFor = ["message", "question", "approval", "budget"] as const;
export type WaitingFor = (typeof waitingFor)[number];

export const waitingSchema = z
  .object({
    for: z.enum(waitingFor),
    since: timestampSchema,
    until: nullable(timestampSchema).meta({
      description: "When it waits no longer; null where it waits without an end.",
    }),
    reason: z.string().optional().meta({
      description:
        "Of a run that waits for a budget: which one is spent, how much of it, and when it begins anew. Absent elsewhere.",
    }),
    question: shownQuestionSchema.omit({ call: true }).optional().meta({
      description: "What people are asked; absent where it waits for something else. The transcript has the call, too.",
    }),
    held_until: nullable(timestampSchema).meta({
      description:
        "Until when its sandbox is kept for it, as limits.hold says. Null once that is over: what comes then begins another attempt.",
    }),
  })
  .meta({ id: "Waiting" });
