/** Git's smart HTTP as the sandbox sees it: the run's repositories alone, with the instance's credential put in. */

import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { paced } from "../../http/body-pace.ts";
import { readLease } from "../authorize.ts";
import { gitAnswerHeaders, pickHeaders } from "../headers.ts";
import { refuseGit, renderToGit, tellRun } from "../render-to-agent.ts";
import { type GitPath, readTarget } from "./git-target.ts";
import { askGit, type GitRequest } from "./git-upstream.ts";
import { HeldBody } from "./held-body.ts";
import { judgePush } from "./judge-push.ts";
import { NOTHING_ALLOWED } from "./push-rules.ts";
import { RESENT_BYTES, refusePush, sendPush } from "./send-push.ts";

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
    const onMoved = (to: string) => c.executionCtx.waitUntil(tellRun(c, lease, movedNotice(url, to)));
    return passBack(c, lease, { method: "GET", url: `${url}/info/refs${search}`, headers, body: null }, onMoved);
  }
  const { body } = c.req.raw;
  if (body === null) return refuseGit(c, lease, { code: "invalid_request", field: "body" });
  const request = { method: "POST" as const, url: `${url}/${path}`, headers };
  if (path === "git-upload-pack")
    return passBack(c, lease, { ...request, body: await sendable(c, new HeldBody(paced(body))) });
  const judged = await judgePush(c, target, paced(body));
  if (!judged.ok) return refuseGit(c, lease, judged.refusal);
  const { reasons } = judged.value;
  return reasons === null ? sendPush(c, target, request, judged.value) : refusePush(c, target, judged.value, reasons);
}

async function passBack(
  c: HttpContext,
  lease: LeaseRef,
  request: GitRequest,
  onMoved?: (to: string) => void,
): Promise<Response> {
  const answer = await askGit(request, c.var.deps.gitCredentials, onMoved === undefined ? {} : { onMoved });
  if (!answer.ok) return refuseGit(c, lease, answer.refusal);
  return new Response(answer.value.body, { headers: gitAnswerHeaders(answer.value.headers) });
}

/** What a fetch asks for is short: it can be sent again, to where the repository has moved. */
async function sendable(c: HttpContext, held: HeldBody): Promise<GitRequest["body"]> {
  const whole = await held.whole(RESENT_BYTES);
  if (whole !== null) return whole;
  const { readable, writable } = new IdentityTransformStream();
  c.executionCtx.waitUntil(held.send(writable));
  return readable;
}

function movedNotice(url: string, to: string) {
  const message = `${url} has moved to ${to}, and was followed there: give the routine the new address.`;
  return { code: "repository_moved", message };
}
