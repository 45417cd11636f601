/** What people think of runs that have ended. */
import { refuse } from "#protocol/errors.ts";
import { runSchema } from "#protocol/run.ts";
import { verdictInputSchema } from "#protocol/verdict.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { runParams } from "./inputs.ts";

export function mountVerdicts(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/runs/{id}/verdict",
      tag: "Runs",
      summary: "Give a verdict on a run that has ended",
      description: "It takes the place of the one before. Repeating it is safe.",
      needs: "runs:write",
      params: runParams,
      body: { schema: verdictInputSchema, optional: false },
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, principal, params, body }) => {
      if (principal === null) return refuse("authentication_required");
      return c.var.deps.ownerOf(params.id).giveVerdict(body, actorOf(principal));
    },
  );
}
