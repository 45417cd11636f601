/** Runs: list across routines, read, cancel. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { routineIdSchema, runIdSchema } from "#protocol/ids.ts";
import { logTrouble } from "#protocol/log.ts";
import { triggerTypes } from "#protocol/occurrence.ts";
import { type ListedRun, runResultSchema, runSchema } from "#protocol/run.ts";
import { holdOf, runStatuses } from "#protocol/run-states.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { ADMISSION_REFUSALS, IDEMPOTENCY_HEADER, runNowAnswer, wakeOf } from "./fire-input.ts";
import { momentField, pageQuery, runParams, searchText, severalOf, tagFilter, toPageRequest } from "./inputs.ts";
import { runPage } from "./routine-lists.ts";

const runsQuery = pageQuery(runIdSchema).extend({
  routine: routineIdSchema.optional(),
  status: severalOf(runStatuses).optional(),
  result: severalOf(runResultSchema.options).optional(),
  trigger: severalOf(triggerTypes).optional(),
  tag: tagFilter.optional().meta({ description: "A tag of its routine as it is now." }),
  search: searchText.optional().meta({ description: "In the routine's name, the summary, and what woke it." }),
  woken_by: runIdSchema.optional().meta({
    description: "The run that has woken them, by a `routine` trigger; with `from` and `to` it is found at once.",
  }),
  from: momentField.optional().meta({ description: "Admitted then or later." }),
  to: momentField.optional().meta({ description: "Admitted before." }),
});

export function mountRuns(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/runs",
      tag: "Runs",
      id: "listRuns",
      summary: "List runs across routines",
      description:
        "Read from the index, which follows the routines' objects closely; runs that are on are asked of their objects. Lists leave `routine.prompt` out. A search looks at so many runs for each page: a page can have few or none and yet have a `next_cursor`.",
      needs: "runs:read",
      query: runsQuery,
      answer: { status: 200, schema: runPage },
    },
    async ({ c, query }) => {
      const { routine, status, result, trigger, tag, search, woken_by, from, to } = query;
      const filter = {
        routineId: routine,
        statuses: status,
        results: result,
        triggers: trigger,
        tag,
        text: search,
        wokenBy: woken_by,
      };
      const { index, ownerOf } = c.var.deps;
      const page = await index.listRuns({ ...filter, fromMs: from, toMs: to }, toPageRequest(query));
      const now = await activeRuns(page.data, (routineId) => ownerOf(routineId).activeRuns());
      const data = page.data.map((run) => {
        const fresh = now.get(run.id) ?? run;
        // A list of some statuses has no other: a run that has gone on is told as the index has it.
        return status === undefined || status.includes(fresh.status) ? fresh : run;
      });
      return success({ ...page, data });
    },
  );
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/runs/{id}",
      tag: "Runs",
      id: "readRun",
      summary: "Read a run",
      needs: "runs:read",
      params: runParams,
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).readRun(),
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/runs/{id}/cancel",
      tag: "Runs",
      id: "cancelRun",
      refuses: ["run_settled"],
      summary: "Cancel a run",
      description: "The run is canceled when its runner says that everything has stopped.",
      needs: "runs:write",
      params: runParams,
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).cancelRun(),
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/runs/{id}/retry",
      tag: "Runs",
      id: "retryRun",
      refuses: ["run_not_settled", "session_deleted", "too_much_said", ...ADMISSION_REFUSALS],
      summary: "Retry a run that has ended",
      description:
        "A new run with the same trigger, text and checkout, and with the routine as it is now; also while the routine is paused. It has a session of its own, but for a run that a message has started: that goes on in its session, with the message said again.",
      needs: "runs:write",
      params: runParams,
      headers: [IDEMPOTENCY_HEADER],
      answer: { status: 200, schema: runNowAnswer },
    },
    async ({ c, principal, params }) => {
      if (principal === null) return refuse("authentication_required");
      const call = await wakeOf(c, "manual", "Retried by hand", undefined);
      if (!call.ok) return call;
      const entered = await c.var.deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      const admitted = await c.var.deps.ownerOf(params.id).retryRun(call.value, actorOf(principal));
      if (!admitted.ok) c.var.deps.gate.giveBack(entered.value, c.executionCtx);
      return admitted;
    },
  );
}

/**
 * The index hears of a run when its status changes, and not of what is counted meanwhile. What an object does not tell in
 * time is told as the index has it.
 * @returns runs that are on, as their objects have them, by id.
 */
async function activeRuns(
  listed: readonly ListedRun[],
  askOwner: (routineId: string) => Promise<Result<ListedRun[]>>,
): Promise<Map<string, ListedRun>> {
  const on = listed.filter(({ status }) => holdOf(status) === "place");
  const asked = [...new Set(on.map(({ routine_id }) => routine_id))].map(async (routineId) => {
    try {
      const answer = await askOwner(routineId);
      return answer.ok ? answer.value : [];
    } catch (error) {
      logTrouble("runs_not_asked", { routine_id: routineId }, error);
      return [];
    }
  });
  return new Map((await Promise.all(asked)).flat().map((run) => [run.id, run]));
}
