/** The one shape that every trigger becomes at the door, and the record that admission leaves of it. */
import { z } from "zod";
import { occurrenceIdSchema, routineIdSchema, runIdSchema, sessionIdSchema, triggerIdSchema } from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

export const FIRE_TEXT_LIMIT = 65_536;
export const IDEMPOTENCY_KEY_LIMIT = 255;
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;

export const triggerTypes = ["api", "manual"] as const;
export const triggerTypeSchema = z.enum(triggerTypes).meta({ id: "TriggerType" });
export type TriggerType = z.infer<typeof triggerTypeSchema>;

/** Something happened that could start a run. */
export interface TriggerEvent {
  type: TriggerType;
  /** One line for people, for instance "Fired through the API". */
  summary: string;
  /** Text from outside: untrusted, never parsed; null when none was sent. */
  text: string | null;
  /** The same key within 24 hours is the same occurrence; null when the source gave none. */
  dedupe_key: string | null;
  /** SHA-256 of what was sent, in hex: tells a repeat from another request under the same key. Empty without a key. */
  fingerprint: string;
}

/** What admission decided. It never changes. */
export const outcomeSchema = z
  .enum(["started", "queued", "duplicate", "skipped", "refused", "ignored", "missed"])
  .meta({ id: "Outcome" });
export type Outcome = z.infer<typeof outcomeSchema>;

/** Why, as a stable code. */
export const outcomeReasonSchema = z
  .enum([
    "admitted",
    "at_max_concurrent",
    "overlap_queue",
    "overlap_queue_latest",
    "overlap_skip",
    "overlap_cancel_running",
    "same_idempotency_key",
    "idempotency_key_reused",
    "routine_paused",
    "model_not_configured",
  ])
  .meta({ id: "OutcomeReason" });
export type OutcomeReason = z.infer<typeof outcomeReasonSchema>;

export const occurrenceSchema = z
  .object({
    id: occurrenceIdSchema,
    routine_id: routineIdSchema,
    at: timestampSchema,
    trigger: z.object({ type: triggerTypeSchema, id: nullable(triggerIdSchema), summary: z.string() }),
    outcome: outcomeSchema,
    reason: outcomeReasonSchema,
    run_id: nullable(runIdSchema),
  })
  .meta({ id: "Occurrence", description: "One thing that happened and could start a run." });
export type Occurrence = z.infer<typeof occurrenceSchema>;

/** A run that admission let in, or found under the same key. */
export const admissionSchema = z.object({
  occurrence_id: occurrenceIdSchema,
  run_id: runIdSchema,
  session_id: sessionIdSchema,
  duplicate: z.boolean(),
});
export type Admission = z.infer<typeof admissionSchema>;
