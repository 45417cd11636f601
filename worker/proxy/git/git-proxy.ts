/** Git's smart HTTP as the sandbox sees it: the run's repositories alone, with the instance's credential put in. */
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readLease } from "../authorize.ts";
import { gitAnswerHeaders, pickHeaders } from "../headers.ts";
import { refuseGit, renderToGit, tellRun } from "../render-to-agent.ts";
import { type GitPath, readTarget } from "./git-target.ts";
import { askGit, type GitRequest } from "./git-upstream.ts";
import { judgePush } from "./judge-push.ts";
import { NOTHING_ALLOWED } from "./push-rules.ts";
import { refusePush, sendPush } from "./send-push.ts";

const TO_UPSTREAM = ["content-type", "content-encoding", "accept", "git-protocol", "user-agent"];

export async function proxyGit(c: HttpContext, path: GitPath): Promise<Response> {
  const leased = await readLease(c);
  if (!leased.ok) return renderToGit(c, leased.refusal);
  const lease = leased.value;
  const read = await readTarget(c, path, lease);
  if (!read.ok) return refuseGit(c, lease, read.refusal);
  const target = read.value;
  const { url } = target;
  const headers = pickHeaders(c.req.raw.headers, TO_UPSTREAM);
  if (path === "info/refs") {
    const { search } = new URL(c.req.url);
    if (search.endsWith("receive-pack") && target.rule.push === "none") {
      await tellRun(c, lease, { code: "push_refused", message: `A push to ${url} was refused: ${NOTHING_ALLOWED}.` });
      return renderToGit(c, { code: "proxy_refused", reason: NOTHING_ALLOWED });
    }
    return passBack(c, lease, { method: "GET", url: `${url}/info/refs${search}`, headers, body: null });
  }
  const request: GitRequest = { method: "POST", url: `${url}/${path}`, headers, body: c.req.raw.body };
  if (path === "git-upload-pack") return passBack(c, lease, request);
  if (request.body === null) return refuseGit(c, lease, { code: "invalid_request", field: "body" });
  const judged = await judgePush(c, target, request.body);
  if (!judged.ok) return refuseGit(c, lease, judged.refusal);
  const { reasons } = judged.value;
  return reasons === null ? sendPush(c, target, request, judged.value) : refusePush(c, target, judged.value, reasons);
}

async function passBack(c: HttpContext, lease: LeaseRef, request: GitRequest): Promise<Response> {
  const answer = await askGit(request, c.var.deps.gitCredentials);
  if (!answer.ok) return refuseGit(c, lease, answer.refusal);
  return new Response(answer.value.body, { headers: gitAnswerHeaders(answer.value.headers) });
}
