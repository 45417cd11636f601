/** Signs a run's commits with the instance's key, which never enters the sandbox. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readBytes } from "#worker/http/read-bytes.ts";
import { readLease } from "../authorize.ts";
import { toldToGit } from "../git/told-refusal.ts";
import { tellRefusal } from "../render-to-agent.ts";
import { payloadFault } from "./commit-payload.ts";
import { signCommit } from "./ssh-signature.ts";

/** Of a commit without its tree: room for a very long message. */
const LIMIT_BYTES = 1_048_576;

/** `POST /proxy/{run_id}/sign`: a commit as git gives it to be signed; answered with the signature as text. */
export async function proxySign(c: HttpContext): Promise<Response> {
  const lease = await readLease(c);
  const signed = lease.ok ? await sign(c, lease.value) : lease;
  if (signed.ok) return new Response(signed.value, { headers: { "content-type": "text/plain" } });
  if (lease.ok) await tellRefusal(c, lease.value, signed.refusal);
  const { body, ...rest } = toldToGit(signed.refusal, null);
  return new Response(body, rest);
}

async function sign(c: HttpContext, lease: LeaseRef): Promise<Result<string>> {
  const { commit } = c.var.deps.config;
  if (commit.key === null) return refuse("proxy_refused", { reason: "this instance signs no commits" });
  const payload = await readBytes(c.req.raw, LIMIT_BYTES);
  if (!payload.ok) return payload;
  const fault = payloadFault(payload.value, commit);
  if (fault !== null) return refuse("proxy_refused", { reason: fault });
  const begun = await c.var.deps.ownerOf(lease.run_id).beginSignature(lease);
  if (!begun.ok) return begun;
  return success(await signCommit(commit.key, payload.value));
}
