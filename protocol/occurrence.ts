/** A wake, the one shape of whatever asks for a run, and the occurrence, the record that admission leaves of it. */
import { z } from "zod";
import {
  deliveryIdSchema,
  occurrenceIdSchema,
  routineIdSchema,
  runIdSchema,
  sessionIdSchema,
  triggerIdSchema,
} from "./ids.ts";
import { nullable } from "./schema.ts";
import { timestampSchema } from "./time.ts";

export const FIRE_TEXT_LIMIT = 65_536;
export const IDEMPOTENCY_KEY_LIMIT = 255;
export const IDEMPOTENCY_WINDOW_MS = 24 * 3_600_000;
/** For so long the same body under another id is a repeat, where the id is not signed and the same may happen again. */
export const ALIKE_WINDOW_MS = 5 * 60_000;

/** For how long a wake's second key counts, in milliseconds. */
export function contentWindowMs({ content_once }: Pick<Wake, "content_once">): number {
  return content_once === true ? IDEMPOTENCY_WINDOW_MS : ALIKE_WINDOW_MS;
}

export const triggerTypes = [
  "api",
  "manual",
  "schedule",
  "github",
  "webhook",
  "routine",
  "event",
  "watch",
  "message",
] as const;
export const triggerTypeSchema = z.enum(triggerTypes).meta({ id: "TriggerType" });
export type TriggerType = z.infer<typeof triggerTypeSchema>;

/** The key of the session into which something goes; or why there is none, so that it goes into one of its own. */
export type SessionKey = { key: string } | { fault: string };

/** Something happened that could start a run. */
export interface Wake {
  type: TriggerType;
  /** The trigger that it came by; null where the type alone tells. */
  trigger_id: string | null;
  /** One line for people, for instance "Fired through the API". */
  summary: string;
  /** Text from outside: untrusted, never parsed; null when none was sent. */
  text: string | null;
  /** The same key within 24 hours is the same occurrence; null when the source gave none. */
  dedupe_key: string | null;
  /** A second key that means the same: a source may send the same under another id. */
  content_key: string | null;
  /** Whether the source says the same only once, so that the second key counts as long as the first. */
  content_once?: boolean;
  /** SHA-256 of what was sent, in hex: tells a repeat from another request under the same key. Empty without a key. */
  fingerprint: string;
  /** Of the request that fires; null for everything else. */
  request_id: string | null;
  /** Of the delivery that brings it; null where none does. */
  delivery_id: string | null;
  /** Of the call that brings it: the same when the call is made again because its answer was lost. */
  call_id?: string;
  /** Whether whoever brings it brings others to the same routine just now, with which it may be written down. Absent otherwise. */
  among_others?: true;
  /** How many runs led here one after the other; 0 for what no run caused. */
  depth: number;
  /** The run of which the routine was told, by a trigger on another routine. Absent on everything else. */
  woken_by?: string;
  /** What is to be checked out; null for the newest commit of each repository's branch. */
  checkout: Checkout | null;
  /** What the item is known by that a watch has seen. Absent on everything else. */
  watched_key?: string;
  /** Of a routine with `session: keyed`: what its `session_key` has made of this. Absent on everything else. */
  session_key?: SessionKey;
  /** The run whose input a person gives again. Absent on everything else. */
  retry_of?: string;
  /** The occurrence that had come to nothing and is fired again by hand. Absent on everything else. */
  again_of?: string;
}

/** Whether a person asks for the run at this moment: then it starts also while the routine is paused. */
export function isByHand({ type, retry_of, again_of }: Pick<Wake, "type" | "retry_of" | "again_of">): boolean {
  return type === "manual" || type === "message" || retry_of !== undefined || again_of !== undefined;
}

/** The commit that an event is about. */
export const checkoutSchema = z
  .object({
    /** Of the repository as the routine names it. */
    repository: z.url(),
    /** As git fetches it from that repository, for instance `refs/pull/7/head`. */
    ref: z.string().max(1_000),
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
    /** A stranger's: settings, skills and MCP servers come from what is cloned, never from the commit. */
    is_fork: z.boolean(),
    /** What is cloned before the commit is fetched; null for the routine's branch, else the repository's default branch. */
    trusted_ref: nullable(z.string().max(1_000)),
  })
  .meta({ id: "Checkout" });
export type Checkout = z.infer<typeof checkoutSchema>;

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
    "gate_closed",
    "gate_failed",
    "session_busy",
    "given_to_run",
    "same_idempotency_key",
    "idempotency_key_reused",
    "routine_paused",
    "paused_after_failures",
    "model_not_configured",
    "budget",
    "queue_full",
    "same_delivery",
    "same_event",
    "coalesced",
    "slot_missed",
    "slot_superseded",
    "catch_up_limit",
    "stranger",
    "own_event",
    "chain_too_deep",
  ])
  .meta({ id: "OutcomeReason" });
export type OutcomeReason = z.infer<typeof outcomeReasonSchema>;

/** Of the triggers of occurrences and runs alike. */
export const wokenBy = runIdSchema.optional().meta({
  description: "Of a `routine` trigger: the run of the other routine that woke this one, where it was one.",
});

/** Of the triggers of occurrences and runs alike. */
export const broughtBy = deliveryIdSchema.optional().meta({
  description: "The delivery that has brought it, where one did; it may be deleted by now.",
});

/** Of occurrences and runs alike. */
export const retryOf = runIdSchema
  .optional()
  .meta({ description: "Of a retry that somebody has asked for: the run whose input it has." });

export const occurrenceSchema = z
  .object({
    id: occurrenceIdSchema,
    routine_id: routineIdSchema,
    at: timestampSchema,
    trigger: z.object({
      type: triggerTypeSchema,
      id: nullable(triggerIdSchema),
      summary: z.string(),
      depth: z.int().min(0).optional().meta({ description: "How many runs led here one after the other." }),
      woken_by: wokenBy,
      delivery_id: broughtBy,
    }),
    outcome: outcomeSchema,
    reason: outcomeReasonSchema,
    detail: z.string().optional().meta({
      description:
        "More of the reason: which budget is spent, and when it begins anew; what the gate has found. Absent elsewhere.",
    }),
    run_id: nullable(runIdSchema),
    session_key: z.string().optional().meta({
      description: "Of a routine with `session: keyed`: the key of the session into which it goes.",
    }),
    session_key_fault: z.string().optional().meta({
      description: "Of such a routine: why it has no key. Its run has a session of its own.",
    }),
    retry_of: retryOf,
    again_of: occurrenceIdSchema
      .optional()
      .meta({ description: "The occurrence that was fired again: a dead letter." }),
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
