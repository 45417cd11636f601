/** Runs: list across routines, read, cancel. */
import { z } from "zod";
import { success } from "#protocol/errors.ts";
import { routineIdSchema, runIdSchema } from "#protocol/ids.ts";
import { runSchema } from "#protocol/run.ts";
import { runStatuses } from "#protocol/run-states.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, runParams, toPageRequest } from "./inputs.ts";
import { runPage } from "./routine-lists.ts";

const statusFilter = z.enum(runStatuses, `must be one of ${runStatuses.join(", ")}`);
const runsQuery = pageQuery(runIdSchema).extend({
  routine: routineIdSchema.optional(),
  status: statusFilter.optional(),
});

export function mountRuns(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/runs",
      tag: "Runs",
      summary: "List runs across routines",
      description: "Read from the index, which follows the routines' objects closely; reading one run asks its object.",
      needs: "runs:read",
      query: runsQuery,
      answer: { status: 200, schema: runPage },
    },
    async ({ c, query }) => {
      const filter = { routineId: query.routine ?? null, status: query.status ?? null };
      return success(await c.var.deps.projection.listRuns(filter, toPageRequest(query)));
    },
  );
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/runs/{id}",
      tag: "Runs",
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
      summary: "Cancel a run",
      description: "The run is canceled when its runner says that everything has stopped.",
      needs: "runs:write",
      params: runParams,
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).cancelRun(),
  );
}
