/** Routines: create, list, read, change, delete, pause, resume, run now. */
import { pageSchema, pauseInputSchema, runNowInputSchema } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { routineIdSchema } from "#protocol/ids.ts";
import {
  listedRoutineSchema,
  type Routine,
  type RoutinePatch,
  type RoutineSentBack,
  routineInputSchema,
  routinePatchSchema,
  routineSchema,
} from "#protocol/routine.ts";
import { futureKeyRefusal } from "#rules/routine/not-available-yet.ts";
import { listRoutine } from "#rules/routine/present-routine.ts";
import { changesOf, isSentBack, withoutShown } from "#rules/routine/sent-back.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { createRoutine } from "./create-routine.ts";
import { ADMISSION_REFUSALS, IDEMPOTENCY_HEADER, runNowAnswer, wakeOf } from "./fire-input.ts";
import { idempotencyHeader, readIdempotencyKey } from "./idempotency.ts";
import { pageQuery, routineParams, searchText, tagFilter, toPageRequest } from "./inputs.ts";
import { routineRefusal } from "./routine-faults.ts";
import { presented, shown } from "./show-routines.ts";

const routinePage = pageSchema(listedRoutineSchema).meta({ id: "RoutinePage" });
const routinesQuery = pageQuery(routineIdSchema).extend({
  search: searchText.optional().meta({ description: "In the name or the prompt." }),
  tag: tagFilter.optional(),
  status: routineSchema.shape.status.optional(),
});
const one = { path: "/api/v1/routines/{id}", tag: "Routines", needs: "routines:write", params: routineParams } as const;

export function mountRoutines(app: App): void {
  mountCollection(app);
  mountOne(app);
  mountVerbs(app);
}

function mountCollection(app: App): void {
  const many = { path: "/api/v1/routines", tag: "Routines", needs: "routines:write" } as const;
  endpoint(
    app,
    {
      ...many,
      method: "get",
      needs: "routines:read",
      id: "listRoutines",
      summary: "List routines",
      description:
        "With the newest run of each, and when it wakes next by a schedule. A search looks at so many routines for each page: a page can have few or none and yet have a `next_cursor`.",
      query: routinesQuery,
      answer: { status: 200, schema: routinePage },
    },
    async ({ c, query: { search, tag, status, ...page } }) => {
      const { index } = c.var.deps;
      const { data, next_cursor } = await index.listRoutines({ text: search, tag, status }, toPageRequest(page));
      const [routines, lastRuns] = await Promise.all([presented(c, data), index.lastRuns(data.map(({ id }) => id))]);
      const listed = routines.map((routine) => listRoutine(routine, lastRuns.get(routine.id) ?? null));
      return success({ data: listed, next_cursor });
    },
  );
  endpoint(
    app,
    {
      ...many,
      method: "post",
      id: "createRoutine",
      refuses: ["not_available_yet", "index_behind", "idempotency_key_reused"],
      summary: "Create a routine",
      description:
        "With an Idempotency-Key a repeated request makes nothing twice: it is answered with the routine as it is now. One that was deleted meanwhile is made anew.",
      headers: [idempotencyHeader("routine")],
      body: { schema: routineInputSchema, optional: false, precheck: futureKeyRefusal },
      answer: { status: 201, schema: routineSchema },
    },
    async ({ c, principal, body }) => {
      if (principal === null) return refuse("authentication_required");
      const key = readIdempotencyKey(c);
      if (!key.ok) return key;
      const refusal = await routineRefusal(c, body, []);
      if (refusal !== null) return { ok: false, refusal };
      return shown(c, await createRoutine(c.var.deps, body, actorOf(principal), key.value));
    },
  );
}

function mountOne(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "get",
      needs: "routines:read",
      id: "readRoutine",
      summary: "Read a routine",
      answer: { status: 200, schema: routineSchema },
    },
    async ({ c, params }) => shown(c, await c.var.deps.ownerOf(params.id).read()),
  );
  endpoint(
    app,
    {
      ...one,
      method: "patch",
      id: "changeRoutine",
      refuses: ["not_available_yet", "revision_conflict", "index_behind"],
      summary: "Change a routine",
      description:
        "Only the keys that are given change; runs that were admitted before keep what they had. A routine may be sent back as it was read: what it is only shown with is ignored while it is as it was.",
      body: { schema: routinePatchSchema, optional: false, precheck: futureKeyRefusal },
      answer: { status: 200, schema: routineSchema },
    },
    async ({ c, principal, params, body }) => {
      if (principal === null) return refuse("authentication_required");
      const owner = c.var.deps.ownerOf(params.id);
      const patch = await changeMeant(body, owner);
      if (!patch.ok) return patch;
      const refusal = await routineRefusal(c, patch.value, null);
      if (refusal !== null) return { ok: false, refusal };
      return shown(c, await owner.change(patch.value, actorOf(principal)));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      id: "deleteRoutine",
      refuses: ["index_behind"],
      summary: "Delete a routine",
      description: "Revokes its token, cancels its runs, and leaves nothing that could fire.",
      answer: { status: 204 },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).remove(),
  );
}

/** Asks for the routine only where something was sent back that it is only shown with. */
async function changeMeant(
  given: RoutineSentBack,
  owner: { read(): Promise<Result<Routine>> },
): Promise<Result<RoutinePatch>> {
  if (!isSentBack(given)) return success(withoutShown(given));
  const now = await owner.read();
  return now.ok ? changesOf(given, now.value) : now;
}

function mountVerbs(app: App): void {
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/pause`,
      method: "post",
      id: "pauseRoutine",
      refuses: ["index_behind"],
      summary: "Pause a routine",
      body: { schema: pauseInputSchema, optional: true },
      answer: { status: 200, schema: routineSchema },
    },
    async ({ c, params, body }) => shown(c, await c.var.deps.ownerOf(params.id).pause(body.reason ?? null)),
  );
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/resume`,
      method: "post",
      id: "resumeRoutine",
      refuses: ["index_behind"],
      summary: "Resume a routine",
      answer: { status: 200, schema: routineSchema },
    },
    async ({ c, params }) => shown(c, await c.var.deps.ownerOf(params.id).resume()),
  );
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/run`,
      needs: "runs:write",
      method: "post",
      id: "runRoutine",
      refuses: ADMISSION_REFUSALS,
      summary: "Run a routine now, also while it is paused",
      headers: [IDEMPOTENCY_HEADER],
      body: { schema: runNowInputSchema, optional: true },
      answer: { status: 200, schema: runNowAnswer },
    },
    async ({ c, params, body }) => {
      const event = await wakeOf(c, "manual", "Started by hand", body.text);
      if (!event.ok) return event;
      const entered = await c.var.deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      const admitted = await c.var.deps.ownerOf(params.id).runNow(event.value);
      if (!admitted.ok) c.var.deps.gate.giveBack(entered.value, c.executionCtx);
      return admitted;
    },
  );
}
