/** Headers that every answer carries, so that a page or answer of ours can do no more than it has to. */

const API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** For pages of ours: nothing inline, nothing from elsewhere. */
export const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Sets what is not set yet. A WebSocket's answer is left alone: its headers are the platform's. */
export function setSecurityHeaders(answer: Response, requestId: string, isHttps: boolean): void {
  const headers: Record<string, string> = {
    "request-id": requestId,
    "content-security-policy": API_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
  };
  if (isHttps) headers["strict-transport-security"] = "max-age=31536000";
  for (const [name, value] of Object.entries(headers)) {
    if (!answer.headers.has(name)) answer.headers.set(name, value);
  }
}
