/** What people say to runs: answers to what they ask, and verdicts on those that have ended. */
import { refuse } from "#protocol/errors.ts";
import { answerInputSchema } from "#protocol/question.ts";
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
      path: "/api/v1/runs/{id}/answer",
      tag: "Runs",
      id: "answerRun",
      refuses: ["question_answered", "question_closed", "question_unknown"],
      summary: "Answer what a run asks",
      description:
        "A question is answered with `choice` or `text`, a call that waits to be approved with `approve`. The first answer counts; every other gets 409 `question_answered`.",
      needs: "runs:write",
      params: runParams,
      body: { schema: answerInputSchema, optional: false },
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, principal, params, body }) => {
      if (principal === null) return refuse("authentication_required");
      return c.var.deps.ownerOf(params.id).answerRun(body, actorOf(principal));
    },
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/runs/{id}/verdict",
      tag: "Runs",
      id: "giveVerdict",
      refuses: ["run_not_settled"],
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
