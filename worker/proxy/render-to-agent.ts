/** A refusal as the agent's own programs read it: the Messages API has the same error shape. */
import type { Refusal } from "#protocol/errors.ts";
import type { HttpContext } from "../http-env.ts";
import { renderRefusal } from "../render-error.ts";

/** A 4xx of a proxy stays what it is however often it is asked, and the agent's SDK would ask for minutes. */
export function renderToAgent(c: HttpContext, refusal: Refusal): Response {
  const answer = renderRefusal(c, refusal);
  if (answer.status < 500 && answer.status !== 429) answer.headers.set("x-should-retry", "false");
  return answer;
}
