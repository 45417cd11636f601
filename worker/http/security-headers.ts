/** Headers that every answer carries, so that a page or answer of ours can do no more than it has to. */
import type { HttpContext } from "./http-env.ts";

const ON_EVERY_ANSWER = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

/** For pages of ours: nothing inline, nothing from elsewhere. @param formsTo the one origin to which the page may send a form. */
export function pagePolicy(formsTo = "'none'"): string {
  const own = ["script-src", "style-src", "font-src", "img-src", "connect-src", "manifest-src"].map(
    (kind) => `${kind} 'self'`,
  );
  return ["default-src 'none'", ...own, "frame-ancestors 'none'", "base-uri 'none'", `form-action ${formsTo}`].join(
    "; ",
  );
}

/** For scripts of ours: a worker is held to what came with its file, and may load more of them and nothing else. */
export const SCRIPT_POLICY =
  "default-src 'none'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export function securityHeaders(c: HttpContext): Record<string, string> {
  const headers: Record<string, string> = { "request-id": c.var.requestId, ...ON_EVERY_ANSWER };
  if (c.req.url.startsWith("https:")) headers["strict-transport-security"] = "max-age=31536000";
  return headers;
}

/** Sets what is not set yet. A WebSocket's answer is left alone: its headers are the platform's. */
export function setSecurityHeaders(c: HttpContext): void {
  // One by one is slow: an answer in JSON has been made with all of them.
  if (c.var.hasSecurityHeaders || c.res.status === 101) return;
  for (const [name, value] of Object.entries(securityHeaders(c))) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
}
