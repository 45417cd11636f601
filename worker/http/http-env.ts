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
  return publicUrl === null ? new URL(c.req.url).origin : publicUrl.replace(/\/+$/, "");
}

export function isWebSocketUpgrade(c: HttpContext): boolean {
  return c.req.method === "GET" && c.req.header("upgrade")?.toLowerCase() === "websocket";
}
