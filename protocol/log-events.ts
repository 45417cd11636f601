/**
 * What a line of the log tells, but for troubles (`troubles.ts`): a line by its `what`, with the ids that it always carries, by
 * which lines of one story are found. `docs/operations.md` has a heading per line; a test holds the two together.
 *
 * Ids, codes, counts and durations alone: no text that people, sources, agents or upstreams wrote, and no token.
 */
import { z } from "zod";
import { deliveryStatuses, verificationFailureSchema } from "./delivery.ts";
import { type ApiErrorCode, apiErrorCodes } from "./errors.ts";
import {
  deliveryIdSchema,
  occurrenceIdSchema,
  routineIdSchema,
  runIdSchema,
  sessionIdSchema,
  triggerIdSchema,
} from "./ids.ts";
import { outcomeReasonSchema, outcomeSchema, triggerTypeSchema } from "./occurrence.ts";
import { cancelReasonSchema, runResultSchema, tokensSchema } from "./run.ts";
import { runErrorSchema } from "./run-errors.ts";
import { settledStatuses } from "./run-states.ts";
import { nullable } from "./schema.ts";
import { eventSourceSchema } from "./source-event.ts";
import { timestampSchema } from "./time.ts";
import { healthChanges } from "./triggers.ts";
import { waitingFor } from "./waiting.ts";

const count = z.int().min(0);
const requestId = z.string().regex(/^req_[0-9a-f]{32}$/);
const runnerId = z.string();

/** Of one attempt at a run. */
const attempt = {
  run_id: runIdSchema,
  session_id: sessionIdSchema,
  routine_id: routineIdSchema,
  /** The attempt's number, as leases carry it. */
  generation: z.int().min(1),
};

export const LOG_EVENTS = {
  occurrence_decided: z.strictObject({
    occurrence_id: occurrenceIdSchema,
    routine_id: routineIdSchema,
    trigger_id: nullable(triggerIdSchema),
    /** Of the request that fired; null for everything else. */
    request_id: nullable(requestId),
    /** Null for what no delivery brought: fires, schedules, ends of runs. */
    delivery_id: nullable(deliveryIdSchema),
    run_id: nullable(runIdSchema),
    trigger: triggerTypeSchema,
    outcome: outcomeSchema,
    reason: outcomeReasonSchema,
  }),
  run_leased: z.strictObject({
    ...attempt,
    runner_id: runnerId,
    /** Since the run was admitted. */
    waited_ms: count,
  }),
  run_started: z.strictObject({ ...attempt, runner_id: runnerId, waited_ms: count }),
  run_waiting: z.strictObject({ ...attempt, runner_id: runnerId, waiting_for: z.enum(waitingFor) }),
  run_continued: z.strictObject({
    ...attempt,
    /** Null where it went on without the sandbox in which it had waited: another attempt follows. */
    runner_id: nullable(runnerId),
    waiting_for: z.enum(waitingFor),
  }),
  run_retried: z.strictObject({
    /** Of the attempt that failed. */
    ...attempt,
    runner_id: nullable(runnerId),
    code: runErrorSchema.shape.code,
    phase: runErrorSchema.shape.phase,
    next_generation: z.int().min(2),
    retry_at: timestampSchema,
  }),
  run_ended: z.strictObject({
    ...attempt,
    runner_id: nullable(runnerId),
    status: z.enum(settledStatuses),
    result: runResultSchema,
    code: nullable(runErrorSchema.shape.code),
    phase: nullable(runErrorSchema.shape.phase),
    cancel_reason: nullable(cancelReasonSchema),
    model_calls: count,
    /** Since the run was admitted. */
    duration_ms: count,
  }),
  routine_health: z.strictObject({
    routine_id: routineIdSchema,
    /** Null where no run's end has changed it. */
    run_id: nullable(runIdSchema),
    change: z.enum([...healthChanges, "paused"]),
    failures: count,
  }),
  container_ended: z.strictObject({
    run_id: runIdSchema,
    generation: z.int().min(1),
    /** As its pool was told. */
    end: z.string(),
    /** Since its start was asked for. */
    lasted_ms: count,
  }),
  delivery_handled: z.strictObject({
    delivery_id: deliveryIdSchema,
    trigger_id: nullable(triggerIdSchema),
    source: eventSourceSchema,
    status: z.enum(deliveryStatuses),
    /** How many triggers looked at it, and how many occurrences and runs it led to. */
    triggers: count,
    occurrences: count,
    runs: count,
  }),
  fire_refused: z.strictObject({
    request_id: requestId,
    routine_id: routineIdSchema,
    code: z.enum(apiErrorCodes as [ApiErrorCode, ...ApiErrorCode[]]),
  }),
  webhook_refused: z.strictObject({
    request_id: requestId,
    trigger_id: nullable(triggerIdSchema),
    source: eventSourceSchema,
    reason: verificationFailureSchema,
  }),
  model_call: z.strictObject({
    request_id: requestId,
    run_id: runIdSchema,
    generation: z.int().min(1),
    call: z.int().min(1),
    /** 0 where the upstream gave no answer. */
    upstream_status: count,
    outcome: z.enum(["metered", "owed", "refused"]),
    ...tokensSchema.shape,
    /** Whether its answer broke off, so that it used more than the tokens tell. */
    is_part: z.boolean(),
  }),
  usage_counted: z.strictObject({
    run_id: runIdSchema,
    generation: z.int().min(1),
    call: z.int().min(1),
    outcome: z.enum(["metered", "refused"]),
  }),
  push_recorded: z.strictObject({
    request_id: requestId,
    run_id: runIdSchema,
    generation: z.int().min(1),
    repository: count,
    branches: count,
    outcome: z.enum(["recorded", "refused"]),
  }),
  push_looked_up: z.strictObject({
    run_id: runIdSchema,
    generation: z.int().min(1),
    outcome: z.enum(["settled", "open", "given_up"]),
  }),
} as const;

export type LogEvent = keyof typeof LOG_EVENTS;
export type LogFields<What extends LogEvent> = z.infer<(typeof LOG_EVENTS)[What]>;
