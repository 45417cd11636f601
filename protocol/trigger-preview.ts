/** What a trigger would do, before it is saved: when a schedule fires, and which of the last deliveries it would take. */
import { z } from "zod";
import { filterCheckSchema } from "./filters.ts";
import { deliveryIdSchema, routineIdSchema } from "./ids.ts";
import { clonedRepositorySchema } from "./repository.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";
import { scheduleInputSchema, triggerInputSchema } from "./triggers.ts";

const TIMES_AT_MOST = 20;
const TIMES = 5;

export const schedulePreviewInputSchema = z
  .strictObject({ trigger: scheduleInputSchema, count: z.int().min(1).max(TIMES_AT_MOST).default(TIMES) })
  .meta({ id: "SchedulePreviewInput" });

export const schedulePreviewSchema = z
  .object({ next_fire_times: z.array(timestampSchema).meta({ description: "Without jitter, which only delays." }) })
  .meta({ id: "SchedulePreview" });

/** How many deliveries a trigger is tried on: each is read with its body. */
export const TRIED_DELIVERIES = 10;

export const triggerTrialInputSchema = z
  .strictObject({
    trigger: triggerInputSchema,
    repositories: z
      .array(z.looseObject({ url: clonedRepositorySchema.shape.url }))
      .max(20)
      .default([])
      .meta({ description: "Those of the routine, from which GitHub's events may come." }),
    routine_id: routineIdSchema.optional().meta({ description: "Of the routine, where it is saved already." }),
  })
  .meta({ id: "TriggerTrialInput" });

/** What a trigger would make of one delivery. */
export const triggerTrialSchema = z
  .object({
    delivery_id: deliveryIdSchema,
    received_at: timestampSchema,
    event: z.string(),
    action: nullable(z.string()),
    summary: z.string(),
    matched: z.boolean().meta({ description: "Whether it is what the trigger waits for." }),
    starts: z.boolean().meta({ description: "Whether a run would start: what matched can meet an objection." }),
    why: z.string().meta({ description: "For people." }),
    filters: z.array(filterCheckSchema),
  })
  .meta({ id: "TriggerTrial" });
export type TriggerTrial = z.infer<typeof triggerTrialSchema>;

export const triggerTrialsSchema = z
  .object({
    data: z.array(triggerTrialSchema).meta({ description: `Newest first, ${TRIED_DELIVERIES} at most.` }),
    next_cursor: z.null(),
  })
  .meta({ id: "TriggerTrials" });
