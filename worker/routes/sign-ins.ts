/** Which browsers are signed in, and ending that. */
import { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { refuse, success } from "#protocol/errors.ts";
import { signInIdSchema } from "#protocol/ids.ts";
import { signInSchema } from "#protocol/sign-in.ts";
import { endSockets } from "../auth/end-sockets.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const signInPage = pageSchema(signInSchema).meta({ id: "SignInPage" });
const many = { path: "/api/v1/sign-ins", tag: "Sign-in", needs: "instance:admin" } as const;

export function mountSignIns(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "get",
      id: "listSignIns",
      summary: "List the browsers that are signed in",
      query: pageQuery(signInIdSchema),
      answer: { status: 200, schema: signInPage },
    },
    async ({ c, query, principal }) =>
      success(await c.var.deps.signIns.list(toPageRequest(query), principal?.access.session ?? null, Date.now())),
  );
  endpoint(
    app,
    {
      ...many,
      method: "delete",
      id: "endOtherSignIns",
      summary: "Sign out every browser but the one that asks",
      description: "Asked with a token, every browser. Their sockets and streams are closed.",
      answer: { status: 204 },
    },
    async ({ c, principal }) => {
      const { deps } = c.var;
      await deps.signIns.end({ allBut: principal?.access.session ?? null }, Date.now());
      c.executionCtx.waitUntil(endSockets(deps, Date.now()));
      return success(null);
    },
  );
  endpoint(
    app,
    {
      ...many,
      path: `${many.path}/{id}`,
      method: "delete",
      params: z.object({ id: signInIdSchema }),
      id: "endSignIn",
      summary: "Sign one browser out",
      description: "Its sockets and streams are closed.",
      answer: { status: 204 },
    },
    async ({ c, params: { id } }) => {
      const { deps } = c.var;
      const ended = await deps.signIns.end({ id }, Date.now());
      if (ended === 0) return refuse("not_found");
      c.executionCtx.waitUntil(endSockets(deps, Date.now()));
      return success(null);
    },
  );
}
