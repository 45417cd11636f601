/** What Hono carries through one request. */
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
