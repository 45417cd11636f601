/** A refusal as the agent's own programs read it, and as the run's transcript tells it. */
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";
import { toldToGit } from "./git/told-refusal.ts";

/**
 * The Messages API has the same shape of errors. A proxy's 4xx is the same however often it is asked again, so the agent's
 * SDK is told not to try again, which it would do for minutes.
 */
export function renderToAgent(c: HttpContext, refusal: Refusal): Response {
  const answer =
    refusal.code === "model_access_refused" ? asForbidden(renderRefusal(c, refusal)) : renderRefusal(c, refusal);
  if (answer.status < 500 && answer.status !== 429) answer.headers.set("x-should-retry", "false");
  return answer;
}

/** A 403 in place of a 401: after a 401 the agent's program tells its user to sign in, and not what was refused. */
function asForbidden({ body, headers }: Response): Response {
  const kept = new Headers(headers);
  kept.delete("www-authenticate");
  return new Response(body, { status: 403, headers: kept });
}

/** A refusal as git shows it; to every other program as it is everywhere. */
export function renderToGit(c: HttpContext, refusal: Refusal): Response {
  if (!c.req.header("user-agent")?.startsWith("git/")) return renderToAgent(c, refusal);
  const { body, ...rest } = toldToGit(refusal, c.req.method === "POST" ? c.req.path : null);
  return new Response(body, rest);
}

/** A refusal for git, and for the run's transcript. */
export async function refuseGit(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<Response> {
  await tellRefusal(c, lease, refusal);
  return renderToGit(c, refusal);
}

/**
 * Tells the run's transcript of a refusal, in the words that the agent reads; the same words are told once. What may pass
 * by itself is not told: an upstream that does not answer, a token whose attempt has ended.
 */
export async function tellRefusal(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<void> {
  const { status, body } = errorAnswer(refusal, c.var.requestId);
  if (status >= 500 || refusal.code === "proxy_token_refused") return;
  await tellRun(c, lease, { code: refusal.code, message: body.error.message });
}

/** Writes a notice into the run's transcript. Never rejects: no answer depends on it. */
export async function tellRun(
  c: HttpContext,
  lease: LeaseRef,
  notice: { code: string; message: string },
): Promise<void> {
  try {
    await c.var.deps.ownerOf(lease.run_id).tellRun(lease, notice);
  } catch (error) {
    logTrouble("notice_not_told", { ...lease, notice: notice.code }, error);
  }
}
