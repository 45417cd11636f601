/** The address under which the instance is known outside. */
import type { HttpContext } from "./http-env.ts";

/** PUBLIC_URL, or the origin that the request was sent to; without a slash at the end. */
export function baseUrl(c: HttpContext): string {
  const { publicUrl } = c.var.deps.config;
  return publicUrl === null ? new URL(c.req.url).origin : publicUrl.replace(/\/+$/, "");
}
