/** A routine that is being written: what is wrong with it, what can't be meant, and when it would wake. Nothing is saved. */
import { z } from "zod";
import { type Refusal, type Result, success } from "#protocol/errors.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import { type Routine, type RoutineInput, routineInputSchema } from "#protocol/routine.ts";
import { timestamp } from "#protocol/time.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { type Validation, validationSchema } from "#protocol/warning.ts";
import { futureKeyRefusal } from "#rules/routine/not-available-yet.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { nextSlots } from "#rules/schedules/schedule.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { routineRefusal } from "./routine-faults.ts";
import { presented } from "./show-routines.ts";

const draftSchema = withExample(
  z.any().meta({
    id: "RoutineDraft",
    description: "A routine as `POST /api/v1/routines` takes it, finished or not.",
  }),
  { name: "docs-sync", prompt: "Compare the documentation with what was merged this week." },
);
const query = z.object({
  routine: routineIdSchema.optional().meta({ description: "The routine that it changes: its triggers are known." }),
});

const SHOWN_TIMES = 5;
const UNSAVED_ROUTINE = `rtn_${"0".repeat(26)}`;

export function mountValidateRoutine(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/routines/validate",
      tag: "Routines",
      needs: "routines:write",
      id: "validateRoutine",
      summary: "Tell what is wrong with a routine, and when it would wake, without saving it",
      query,
      body: { schema: draftSchema, optional: false },
      answer: { status: 200, schema: validationSchema },
    },
    async ({ c, query: { routine }, body }) => {
      const before = routine === undefined ? success(null) : await c.var.deps.ownerOf(routine).read();
      return before.ok ? validateDraft(c, body, before.value) : before;
    },
  );
}

/** @param before the routine that it changes; null for a new one. */
export async function validateDraft(
  c: HttpContext,
  body: unknown,
  before: Routine | null,
): Promise<Result<Validation>> {
  const future = futureKeyRefusal(body);
  if (future !== null) return success(withFaults(future));
  const parsed = routineInputSchema.safeParse(body);
  if (!parsed.success) return success(withFaults(schemaRefusal(routineInputSchema, body, parsed.error)));
  const kept = before?.triggers ?? [];
  const refusal = await routineRefusal(c, parsed.data, kept);
  if (refusal !== null) return success(withFaults(refusal));
  const [shown] = await presented(c, [asSaved(parsed.data, before)]);
  const nowMs = Date.now();
  const next = (shown?.triggers ?? []).flatMap((trigger, place) =>
    trigger.type === "schedule"
      ? [{ trigger: place, times: nextSlots(trigger, nowMs, SHOWN_TIMES).map(timestamp) }]
      : [],
  );
  return success({ faults: [], warnings: shown?.warnings ?? [], next });
}

/** The routine as it would be, were it saved now. */
function asSaved(input: RoutineInput, before: Routine | null): Routine {
  const now = timestamp(Date.now());
  const prepared = prepareTriggers(input.triggers, before?.triggers.map(plain) ?? [], nextId(), Date.now());
  const endpoints = new Map(before?.triggers.map(({ id, endpoint: known }) => [id, known]));
  return {
    ...input,
    id: before?.id ?? UNSAVED_ROUTINE,
    model: input.model ?? null,
    session_key: input.session_key ?? null,
    gate: input.gate ?? null,
    gate_state: null,
    triggers: (prepared.ok ? prepared.value : []).map((trigger) => ({
      ...trigger,
      status: "active" as const,
      next_fire_times: [],
      endpoint: endpoints.get(trigger.id) ?? null,
    })),
    revision: 1,
    status: "active",
    paused_reason: null,
    paused_by: null,
    warnings: [],
    has_token: false,
    token_may_read: false,
    created_at: now,
    updated_at: now,
  };
}

/** A trigger as it is kept, without what it is shown with. */
function plain({
  status: _status,
  next_fire_times: _times,
  endpoint: _endpoint,
  ...trigger
}: Routine["triggers"][number]) {
  const { unseen_repositories: _unseen, repository_ids: _ids, look: _look, ...kept } = trigger;
  return kept satisfies Trigger;
}

function nextId(): () => string {
  let drawn = 0;
  return () => `trg_${String(drawn++).padStart(26, "0")}`;
}

function withFaults({ field = "body", message = "is not valid", issues }: Refusal): Validation {
  return { faults: issues ?? [{ field, message }], warnings: [], next: [] };
}
