/** The cookie of a web session. Its content is a secret; D1 keeps the hash alone. */
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { HttpContext } from "../http/http-env.ts";

export const WEB_SESSION_LIFETIME_MS = 30 * 86_400_000;

/** The prefix `__Host-` keeps other hosts of the domain from planting one; browsers grant it to secure cookies alone. */
function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-reveille_session" : "reveille_session";
}

/** Plain http is for a local instance alone, and for none whose PUBLIC_URL is https: behind a tunnel requests come as http. */
function isSecure(c: HttpContext): boolean {
  const { isLocal, publicUrl } = c.var.deps.config;
  return !(isLocal && new URL(publicUrl ?? c.req.url).protocol === "http:");
}

export function readWebCookie(c: HttpContext): string | undefined {
  return getCookie(c, cookieName(isSecure(c)));
}

export function writeWebCookie(c: HttpContext, secret: string): void {
  const secure = isSecure(c);
  const maxAge = WEB_SESSION_LIFETIME_MS / 1_000;
  setCookie(c, cookieName(secure), secret, { httpOnly: true, sameSite: "Strict", path: "/", secure, maxAge });
}

export function clearWebCookie(c: HttpContext): void {
  const secure = isSecure(c);
  deleteCookie(c, cookieName(secure), { httpOnly: true, sameSite: "Strict", path: "/", secure });
}
