/** The API trigger, wire-compatible with Claude Code routines. The routine's object checks the token and decides. */
import { fireAnswerSchema, fireInputSchema } from "#protocol/api.ts";
import { success } from "#protocol/errors.ts";
import { logEvent } from "#protocol/log.ts";
import type { Wake } from "#protocol/occurrence.ts";
import { bearerToken } from "../auth/credentials.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl } from "../http/http-env.ts";
import { ADMISSION_REFUSALS, IDEMPOTENCY_HEADER, wakeOf } from "./fire-input.ts";
import { FiresUnderWay } from "./fires-under-way.ts";
import { routineParams } from "./inputs.ts";

const PATH = "/v1/claude_code/routines/{id}/fire";

/** What no run by hand is refused for. */
const ONLY_FIRES = ["routine_paused", "paused_after_failures", "rate_limited", "gate_closed", "gate_failed"] as const;

export function mountFire(app: App): void {
  const underWay = new FiresUnderWay();
  // From before their bodies are read, so that those which are read at the same time know of each other.
  app.use(PATH.replace("{id}", ":id"), async (c, next) => {
    const end = underWay.begin(c.req.param("id") ?? "", Date.now());
    try {
      await next();
    } finally {
      end();
    }
  });
  endpoint(
    app,
    {
      method: "post",
      path: PATH,
      tag: "Fire",
      id: "fireRoutine",
      refuses: [...ONLY_FIRES, ...ADMISSION_REFUSALS],
      summary: "Fire a routine",
      description:
        "Answers once the run is durably admitted. anthropic-version and anthropic-beta are accepted and not required.",
      needs: "routine_token",
      params: routineParams,
      headers: [IDEMPOTENCY_HEADER],
      body: { schema: fireInputSchema, optional: true },
      answer: { status: 200, schema: fireAnswerSchema },
    },
    async ({ c, params, body }) => {
      const wake = await wakeOf(c, "api", "Fired through the API", body.text);
      if (!wake.ok) return wake;
      // Without a token the object is asked all the same: it counts what was refused, and knows whether it exists.
      const token = bearerToken(c.req.header("authorization")) ?? "";
      const entered = await c.var.deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      const event: Wake = underWay.hasOthers(params.id) ? { ...wake.value, among_others: true } : wake.value;
      const admitted = await c.var.deps.ownerOf(params.id).fire(event, token);
      // Who has no token must not use up what the others may do.
      if (!admitted.ok) c.var.deps.gate.giveBack(entered.value, c.executionCtx);
      if (!admitted.ok) {
        logEvent("fire_refused", { request_id: c.var.requestId, routine_id: params.id, code: admitted.refusal.code });
        return admitted;
      }
      const { session_id, run_id, duplicate } = admitted.value;
      return success({
        type: "routine_fire",
        claude_code_session_id: session_id,
        claude_code_session_url: `${baseUrl(c)}/sessions/${session_id}`,
        run_id,
        ...(duplicate ? { duplicate } : {}),
      });
    },
  );
}
