/** The only place where a refusal becomes an answer. */
import { errorAnswer, type Refusal } from "#protocol/errors.ts";
import type { HttpContext } from "./http-env.ts";
import { jsonAnswer } from "./json-answer.ts";

/** A 429 whose refusal names no time still tells when to come again. */
const DEFAULT_RETRY_AFTER_S = 30;

/** @returns the answer in the documented shape, with `Retry-After` on a 429 and wherever the refusal names a time. */
export function renderRefusal(c: HttpContext, refusal: Refusal): Response {
  const { status, body } = errorAnswer(refusal, c.var.requestId);
  const headers: Record<string, string> = {};
  const retryAfterS = refusal.retry_after_s ?? (status === 429 ? DEFAULT_RETRY_AFTER_S : undefined);
  if (retryAfterS !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterS)));
  if (status === 401) headers["www-authenticate"] = "Bearer";
  return jsonAnswer(c, body, status, headers);
}
