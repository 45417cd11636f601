/** What Hono carries through one request, and what the request says of its address. */
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Env } from "../bindings.ts";
import type { Deps } from "../deps.ts";

export interface HttpEnv {
  Bindings: Env;
  Variables: { requestId: string; deps: Deps; hasSecurityHeaders?: true };
}

export type HttpContext = Context<HttpEnv>;
export type App = OpenAPIHono<HttpEnv>;

/** PUBLIC_URL, or the origin that the request was sent to; without a slash at the end. */
export function baseUrl(c: HttpContext): string {
  const { publicUrl } = c.var.deps.config;
  return publicUrl === null ? originOf(c.req.url) : publicUrl.replace(/\/+$/, "");
}

/** @param url of a request, as the platform has put it together: without a name and password, its path begins with a slash. */
function originOf(url: string): string {
  const host = url.indexOf("//") + 2;
  return url.slice(0, url.indexOf("/", host));
}

export function isWebSocketUpgrade(c: HttpContext): boolean {
  return c.req.method === "GET" && c.req.header("upgrade")?.toLowerCase() === "websocket";
}
