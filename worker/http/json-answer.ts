/** An answer in JSON. */
import { wellFormedJson } from "#protocol/well-formed.ts";
import type { HttpContext } from "./http-env.ts";
import { securityHeaders } from "./security-headers.ts";

/** The one answer to a request. @param more headers beside those of every answer. */
export function jsonAnswer(
  c: HttpContext,
  value: unknown,
  status: number,
  more: Record<string, string> = {},
): Response {
  c.set("hasSecurityHeaders", true);
  const headers = { "content-type": "application/json", ...securityHeaders(c), ...more };
  return new Response(wellFormedJson(JSON.stringify(value)), { status, headers });
}
