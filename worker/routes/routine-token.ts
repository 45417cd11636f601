/** The one token of a routine for the fire endpoint. It is shown once; a new one revokes the old. */
import { routineTokenInputSchema, routineTokenSchema } from "#protocol/api.ts";
import { success } from "#protocol/errors.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl } from "../http/http-env.ts";
import { routineParams } from "./inputs.ts";

const at = {
  path: "/api/v1/routines/{id}/token",
  tag: "Routines",
  needs: "routines:write",
  params: routineParams,
} as const;

export function mountRoutineToken(app: App): void {
  endpoint(
    app,
    {
      ...at,
      method: "post",
      id: "issueRoutineToken",
      summary: "Issue the routine's token",
      description:
        "The token is shown this once. One that was issued before is revoked. With may_read it also reads the runs of its own routine.",
      body: { schema: routineTokenInputSchema, optional: true },
      answer: { status: 201, schema: routineTokenSchema },
    },
    async ({ c, params, body }) => {
      const issued = await c.var.deps.ownerOf(params.id).issueToken(body.may_read);
      if (!issued.ok) return issued;
      const fireUrl = `${baseUrl(c)}/v1/claude_code/routines/${params.id}/fire`;
      return success({ token: issued.value.token, fire_url: fireUrl });
    },
  );
  endpoint(
    app,
    {
      ...at,
      method: "delete",
      id: "revokeRoutineToken",
      refuses: ["index_behind"],
      summary: "Revoke the routine's token",
      answer: { status: 204 },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).revokeToken(),
  );
}
