/** GitHub's API as gh in the sandbox finds it: it sends the run's proxy token in place of one of GitHub's. */
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readLease } from "../authorize.ts";
import { tellRefusal } from "../render-to-agent.ts";
import { answerGraph } from "./gh-graph.ts";
import { answerRest } from "./gh-rest.ts";
import { GithubWork } from "./github-work.ts";

/** `/proxy/{run_id}/gh/…`, as gh asks for `/…` of its API. */
export async function proxyGh(c: HttpContext): Promise<Response> {
  const lease = await readLease(c);
  if (!lease.ok) return toldToGh(c, lease.refusal, false);
  const path = c.req.path.slice(`/proxy/${lease.value.run_id}/gh/`.length);
  const isGraph = path === "graphql" && c.req.method === "POST";
  const work = await GithubWork.open(c, lease.value);
  const answered = !work.ok ? work : isGraph ? await answerGraph(work.value) : await answerRest(work.value, path);
  if (!answered.ok) {
    await tellRefusal(c, lease.value, answered.refusal);
    return toldToGh(c, answered.refusal, isGraph);
  }
  return answered.value instanceof Response ? answered.value : Response.json(answered.value);
}

/** gh shows the message of a fault of GraphQL, and of a refusal of the REST API. */
function toldToGh(c: HttpContext, refusal: Refusal, isGraph: boolean): Response {
  const { status, body } = errorAnswer(refusal, c.var.requestId);
  const message = `${body.error.message} ${body.error.hint ?? ""}`.trim();
  if (isGraph) return Response.json({ data: null, errors: [{ type: "FORBIDDEN", message }] });
  // After a 401 gh tells people to sign in.
  return Response.json({ message }, { status: status === 401 ? 403 : status });
}
