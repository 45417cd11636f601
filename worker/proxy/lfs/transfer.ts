/** Moves one object of Git LFS between the sandbox and wherever its server keeps it. */

import { type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { gitFailure, retryAfterSeconds } from "#rules/calls/git-answers.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { BodyPace, paced } from "../../http/body-pace.ts";
import { STALL_MS } from "../git/git-upstream.ts";
import { NOTHING_ALLOWED } from "../git/push-rules.ts";
import { pump } from "../pump.ts";
import { tellRun } from "../render-to-agent.ts";
import { Stall } from "../stall.ts";
import { mayBeAsked, type Place, type Transfer, type TransferName } from "./batch.ts";
import { withRepository } from "./lfs-proxy.ts";
import { LFS_TYPE, send, unanswered } from "./lfs-upstream.ts";
import { openTicket } from "./tickets.ts";

/** A store may send on to where an object lies. */
const REDIRECT_LIMIT = 3;

/** `GET` and `PUT …/info/lfs/objects/{ticket}`. */
export function proxyTransfer(c: HttpContext, action: TransferName): Promise<Response> {
  return withRepository(c, async ({ lease, number, rule, url }) => {
    const transfer = await openTicket(c.var.deps.keyRing, lease.run_id, number, c.req.param("ticket") ?? "");
    if (transfer?.action !== action) return refuse("not_found", { field: "ticket" });
    if (action !== "download" && rule.push === "none") return refuse("proxy_refused", { reason: NOTHING_ALLOWED });
    return action === "download" ? download(c, lease, transfer, new URL(url).origin) : upload(c, transfer);
  });
}

async function download(
  c: HttpContext,
  lease: LeaseRef,
  { href, header, size }: Transfer,
  origin: string,
): Promise<Result<Response>> {
  let place = href;
  let headers = new Headers(header);
  for (let followed = 0; followed <= REDIRECT_LIMIT; followed += 1) {
    const stall = new Stall(STALL_MS);
    const answer = await send(place, { method: "GET", headers }, stall);
    if (answer === null) return unanswered(new URL(place).origin, stall);
    const next = answer.headers.get("location");
    if (answer.ok)
      return sized(answer, size) ? success(passOn(c, lease, answer, { size, place })) : wrongSize(answer, size);
    await answer.body?.cancel();
    const isRedirect = answer.status >= 300 && answer.status < 400 && next !== null && URL.canParse(next, place);
    if (!isRedirect) return refusedTransfer(answer, place);
    const to = new URL(next, place);
    if (!mayBeAsked(to.href, origin)) break;
    // What one host was told in confidence is not for another.
    if (to.origin !== new URL(place).origin) headers = new Headers();
    place = to.href;
  }
  return refuse("proxy_refused", { reason: "an object of Git LFS lies at an address that is not public" });
}

function sized({ headers }: Response, size: number): boolean {
  const told = headers.get("content-length");
  return told === null || headers.has("content-encoding") || Number(told) === size;
}

async function wrongSize(answer: Response, size: number) {
  await answer.body?.cancel();
  return refuse("proxy_refused", {
    reason: `an object of Git LFS has another size than the ${size} bytes that it is known by`,
  });
}

/** No more than the object is long; git-lfs sees by its hash whether it is the right one. */
function passOn(
  c: HttpContext,
  lease: LeaseRef,
  answer: Response,
  { size, place }: { size: number; place: string },
): Response {
  const headers = { "content-type": "application/octet-stream" };
  if (answer.body === null) return new Response(null, { headers });
  let length = 0;
  const stall = new Stall(STALL_MS);
  const passed = pump(answer.body, {
    onChunk: (chunk) => {
      length += chunk.length;
      if (length > size) throw new RangeError("the object is longer than it is known to be");
    },
    onEnd: async () => {},
    leaveOn: c.req.raw.signal,
    stall,
  });
  // The answer has begun: git-lfs sees that it breaks off, and not why.
  const tellIfSlow = async () => {
    const code = "upstream_slow";
    const { origin } = new URL(place);
    const message = `${origin} sent nothing more of an object of Git LFS for ${STALL_MS / 1_000} s, so the download was broken off.`;
    if (stall.signal.aborted) await tellRun(c, lease, { code, message });
  };
  c.executionCtx.waitUntil(passed.done.then(tellIfSlow));
  return new Response(passed.stream, { headers });
}

async function upload(c: HttpContext, transfer: Transfer): Promise<Result<Response>> {
  const { href, header, size, verify } = transfer;
  const { body } = c.req.raw;
  if (Number(c.req.header("content-length") ?? Number.NaN) !== size || body === null) {
    return refuse("invalid_request", {
      field: "Content-Length",
      message: `Content-Length: must be ${size}, as the object is long`,
    });
  }
  const headers = new Headers(header);
  if (!headers.has("content-type")) headers.set("content-type", "application/octet-stream");
  const { readable, writable } = new FixedLengthStream(size);
  const stall = new Stall(STALL_MS);
  const touching = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      stall.touch();
      controller.enqueue(chunk);
    },
  });
  const pace = new BodyPace();
  c.executionCtx.waitUntil(
    paced(body, pace)
      .pipeThrough(touching)
      .pipeTo(writable)
      .catch(() => {}),
  );
  const answer = await send(href, { method: "PUT", headers, body: readable }, stall);
  if (answer === null)
    return pace.isOver ? refuse("body_too_slow", { field: "body" }) : unanswered(new URL(href).origin, stall);
  await answer.body?.cancel();
  if (!answer.ok) return refusedTransfer(answer, href);
  return verify === null ? success(new Response(null)) : tellUploaded(verify, transfer);
}

async function tellUploaded({ href, header }: Place, { oid, size }: Transfer): Promise<Result<Response>> {
  const headers = new Headers(header);
  headers.set("accept", LFS_TYPE);
  headers.set("content-type", LFS_TYPE);
  const stall = new Stall(STALL_MS);
  const answer = await send(href, { method: "POST", headers, body: JSON.stringify({ oid, size }) }, stall);
  if (answer === null) return unanswered(new URL(href).origin, stall);
  await answer.body?.cancel();
  return answer.ok ? success(new Response(null)) : refusedTransfer(answer, href);
}

function refusedTransfer({ status, headers }: Response, url: string) {
  const { origin } = new URL(url);
  const failure = gitFailure(status, headers);
  const waitS = retryAfterSeconds(headers, Date.now());
  const wait = waitS === null ? {} : { retry_after_s: waitS };
  if (failure === "limited") return refuse("upstream_limited", { reason: `${origin} answered ${status}`, ...wait });
  if (failure === "passing") return refuse("upstream_unreachable", { reason: `${origin} answered ${status}`, ...wait });
  if (status === 404 || status === 410) return refuse("not_found", { message: `${origin} does not have this object.` });
  return refuse("proxy_refused", { reason: `${origin} answered ${status} for an object of Git LFS` });
}
