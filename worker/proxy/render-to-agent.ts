/** A refusal as the agent's own programs read it: the Messages API has the same error shape. */
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import type { HttpContext } from "../http-env.ts";
import { renderRefusal } from "../render-error.ts";

/** A 4xx of a proxy stays what it is however often it is asked, and the agent's SDK would ask for minutes. */
export function renderToAgent(c: HttpContext, refusal: Refusal): Response {
  const answer = renderRefusal(c, refusal);
  if (answer.status < 500 && answer.status !== 429) answer.headers.set("x-should-retry", "false");
  return answer;
}

/** Git shows a person what a refusal says only when it is plain text. */
export function renderToGit(c: HttpContext, refusal: Refusal): Response {
  if (!c.req.header("user-agent")?.startsWith("git/")) return renderToAgent(c, refusal);
  const { status, body } = errorAnswer(refusal, c.var.requestId);
  return new Response(`${refusal.reason ?? body.error.message}\n`, {
    status,
    headers: { "content-type": "text/plain" },
  });
}
