/** Dead letters: what came and led to no work. Listed across routines, and fired again. */
import { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { deadLetterSchema, deadLetterStates } from "#protocol/dead-letter.ts";
import { refuse, success } from "#protocol/errors.ts";
import { occurrenceIdSchema, routineIdSchema } from "#protocol/ids.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { ADMISSION_REFUSALS, runNowAnswer, wakeOf } from "./fire-input.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const deadLetterPage = pageSchema(deadLetterSchema).meta({ id: "DeadLetterPage" });
const path = "/api/v1/dead-letters";

export function mountDeadLetters(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path,
      tag: "Runs",
      id: "listDeadLetters",
      summary: "List what came and led to no work",
      description:
        "Occurrences that could not become a run, and those whose run failed before the agent had begun; those that have not been fired again, unless state says otherwise.",
      needs: "runs:read",
      query: pageQuery(occurrenceIdSchema).extend({
        routine: routineIdSchema.optional(),
        state: z.enum(deadLetterStates, `must be one of ${deadLetterStates.join(", ")}`).default("open"),
      }),
      answer: { status: 200, schema: deadLetterPage },
    },
    async ({ c, query }) => {
      const filter = { routineId: query.routine ?? null, state: query.state };
      return success(await c.var.deps.deadLetters.list(filter, toPageRequest(query)));
    },
  );
  endpoint(
    app,
    {
      method: "post",
      path: `${path}/{id}/fire`,
      tag: "Runs",
      id: "fireDeadLetter",
      refuses: ["session_deleted", "too_much_said", ...ADMISSION_REFUSALS],
      summary: "Fire a dead letter",
      description:
        "A new run with what had come; also while the routine is paused. Fired again, it answers with the same run.",
      needs: "runs:write",
      params: z.object({ id: occurrenceIdSchema }),
      answer: { status: 200, schema: runNowAnswer },
    },
    async ({ c, principal, params }) => {
      if (principal === null) return refuse("authentication_required");
      const call = await wakeOf(c, "manual", "Fired again", undefined);
      if (!call.ok) return call;
      const entered = await c.var.deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      const admitted = await c.var.deps.ownerOf(params.id).fireDeadLetter(call.value, actorOf(principal));
      if (!admitted.ok) c.var.deps.gate.giveBack(entered.value, c.executionCtx);
      return admitted;
    },
  );
}
