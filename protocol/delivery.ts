/** One request to a listener as it arrived, and what became of it. */
import { z } from "zod";
import { filterCheckSchema } from "./filters.ts";
import { deliveryIdSchema, occurrenceIdSchema, routineIdSchema, runIdSchema, triggerIdSchema } from "./ids.ts";
import { outcomeReasonSchema, outcomeSchema } from "./occurrence.ts";
import { nullable } from "./schema.ts";
import { eventSourceSchema } from "./source-event.ts";
import { timestampSchema } from "./time.ts";

/** Why a request was not believed. The sender hears the same words for each. */
export const verificationFailures = [
  "no_secret",
  "secret_unconfirmed",
  "secret_unreadable",
  "signature_missing",
  "signature_malformed",
  "signature_wrong",
  "time_missing",
  "time_out_of_range",
  "token_missing",
  "token_wrong",
  "keys_unreachable",
] as const;
export const verificationFailureSchema = z.enum(verificationFailures).meta({ id: "VerificationFailure" });
export type VerificationFailure = z.infer<typeof verificationFailureSchema>;

/** What one trigger made of an event, and what followed. */
export const deliveryOutcomeSchema = z
  .object({
    routine_id: routineIdSchema,
    trigger_id: triggerIdSchema,
    matched: z.boolean(),
    /** For people: why it did not match, or what stands against it. */
    why: z.string(),
    filters: z.array(filterCheckSchema),
    /** Null when the trigger did not match, and while what came waits for the gate of its routine. */
    outcome: nullable(outcomeSchema),
    reason: nullable(outcomeReasonSchema),
    occurrence_id: nullable(occurrenceIdSchema),
    run_id: nullable(runIdSchema),
  })
  .meta({ id: "DeliveryOutcome" });
export type DeliveryOutcome = z.infer<typeof deliveryOutcomeSchema>;

export const deliveryStatuses = ["stored", "handled", "ignored", "duplicate", "failed"] as const;

export const deliverySchema = z
  .object({
    id: deliveryIdSchema,
    source: eventSourceSchema,
    /** The trigger whose endpoint it came to; null for GitHub and internal events. */
    trigger_id: nullable(triggerIdSchema),
    received_at: timestampSchema,
    verification: z.literal("verified"),
    /**
     * `stored` is not handled yet; `ignored` says nothing that a trigger can wait for; `duplicate` came before; `failed`
     * could not be handled for most of a day, and is not tried again by itself.
     */
    status: z.enum(deliveryStatuses),
    /** Why it was ignored, or which delivery it repeats. */
    note: z.string().nullable(),
    event: z.string().nullable(),
    action: z.string().nullable(),
    summary: z.string().nullable(),
    /** The source's own id. */
    provider_id: z.string().nullable(),
    size_bytes: z.int().min(0),
    outcomes: z.array(deliveryOutcomeSchema),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof deliverySchema>;

/** With what arrived: headers without credentials, and the body while it is kept (7 days). */
export const deliveryDetailSchema = deliverySchema
  .extend({ headers: z.record(z.string(), z.string()), body: z.string().nullable() })
  .meta({ id: "DeliveryDetail" });
export type DeliveryDetail = z.infer<typeof deliveryDetailSchema>;
