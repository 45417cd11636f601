/** Fire and wait: reads a run with the routine's token, once it has ended or after so many seconds. */
import { z } from "zod";
import { WAIT_LIMIT_S } from "#protocol/api.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { routineIdSchema, runIdSchema } from "#protocol/ids.ts";
import { isSettled, type Run, runSchema } from "#protocol/run.ts";
import { bearerToken } from "../auth/credentials.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { awaitEnd } from "../live/await-end.ts";
import { wholeNumber } from "./inputs.ts";

const RETRY_AFTER_S = 5;

export function mountRunByToken(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/v1/claude_code/routines/{id}/runs/{run_id}",
      tag: "Fire",
      id: "readRunByToken",
      refuses: ["token_may_not_read", "too_many_waiting"],
      summary: "Read a run with the routine's token, and wait for its end",
      description: `The token has to be issued with may_read. With wait the answer comes when the run has ended, or after so many seconds (at most ${WAIT_LIMIT_S}): the status tells which.`,
      needs: "routine_token",
      params: z.object({ id: routineIdSchema, run_id: runIdSchema }),
      query: z.object({ wait: wholeNumber(0, WAIT_LIMIT_S, 0) }),
      answer: { status: 200, schema: runSchema },
    },
    async ({ c, params, query }): Promise<Result<Run>> => {
      const token = bearerToken(c.req.header("authorization")) ?? "";
      const { ownerOf } = c.var.deps;
      const read = () => ownerOf(params.id).readRunByToken(token, params.run_id);
      const run = await read();
      if (!run.ok || isSettled(run.value) || query.wait === 0) return run;
      const untilMs = Date.now() + query.wait * 1_000;
      const end = await awaitEnd(ownerOf(params.id), { runId: params.run_id, untilMs, signal: c.req.raw.signal });
      // Read anew: what has happened meanwhile, and whether the token still holds.
      return end === "too_many" ? refuse("too_many_waiting", { retry_after_s: RETRY_AFTER_S }) : read();
    },
  );
}
