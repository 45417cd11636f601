/** One endpoint of the API: declared once, from which both its checks and its place in the OpenAPI document come. */
import type { z } from "zod";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { authenticate, type Principal } from "../auth/authenticate.ts";
import { bearerToken } from "../auth/credentials.ts";
import type { EndpointSpec, Fields } from "./endpoint-spec.ts";
import { parseToWrite, type ReadToWrite } from "./exact-json.ts";
import type { App, HttpContext } from "./http-env.ts";
import { jsonAnswer } from "./json-answer.ts";
import { operation } from "./openapi/operation.ts";
import { BODY_LIMIT_BYTES, readJson } from "./read-json.ts";
import { renderRefusal } from "./render-error.ts";

export interface Call<Params extends Fields, Query extends Fields, Body extends z.ZodType> {
  c: HttpContext;
  /** Who calls; null at endpoints that need no permission. */
  principal: Principal | null;
  params: z.output<Params>;
  query: z.output<Query>;
  body: z.output<Body>;
}

/** What a handler gives: a value that is sent with the declared status, a refusal, or an answer of its own making. */
type Outcome = Result<unknown> | Response;

/** Mounts the endpoint and describes it. The order of checks: who, path, query, body. */
export function endpoint<Params extends Fields, Query extends Fields, Body extends z.ZodType>(
  app: App,
  spec: EndpointSpec<Params, Query, Body>,
  handle: (call: Call<Params, Query, Body>) => Promise<Outcome>,
): void {
  app.openAPIRegistry.registerPath(operation(spec));
  app.on(spec.method.toUpperCase(), spec.path.replaceAll(/\{([a-z_]+)\}/g, ":$1"), async (c) => {
    const call = await readCall(c, spec);
    if (!call.ok) return renderRefusal(c, call.refusal);
    const outcome = await handle(call.value);
    if (outcome instanceof Response) return outcome;
    if (!outcome.ok) return renderRefusal(c, outcome.refusal);
    if (spec.answer.status === 204) return c.body(null, 204);
    return jsonAnswer(c, outcome.value, spec.answer.status);
  });
}

async function readCall<Params extends Fields, Query extends Fields, Body extends z.ZodType>(
  c: HttpContext,
  spec: EndpointSpec<Params, Query, Body>,
): Promise<Result<Call<Params, Query, Body>>> {
  const caller = await callerOf(c, spec.needs);
  if (!caller.ok) return caller;
  const params = readParams(c, spec.params);
  if (!params.ok) return params;
  const query = readQuery(c, spec.query);
  if (!query.ok) return spec.needs === "routine_token" ? tokenFirst(c, query) : query;
  const body = await readBody(c, spec.body);
  if (!body.ok) return spec.needs === "routine_token" ? tokenFirst(c, body) : body;
  return success({ c, principal: caller.value, params: params.value, query: query.value, body: body.value });
}

async function callerOf(c: HttpContext, needs: EndpointSpec<Fields, Fields, z.ZodType>["needs"]) {
  return needs === "nothing" || needs === "routine_token" ? success(null) : authenticate(c);
}

/** A stranger learns that the token is wrong, and nothing of what else is. */
async function tokenFirst<Refused extends { ok: false }>(c: HttpContext, refused: Refused) {
  const token = bearerToken(c.req.header("authorization")) ?? "";
  const checked = await c.var.deps.ownerOf(c.req.param("id") ?? "").checkToken(token);
  return checked.ok ? refused : checked;
}

/** A path whose id has another form than ids have names nothing: 404, not 400. */
function readParams<Params extends Fields>(c: HttpContext, schema: Params | undefined): Result<z.output<Params>> {
  if (schema === undefined) return success({} as z.output<Params>);
  const parsed = schema.safeParse(c.req.param());
  if (parsed.success) return success(parsed.data);
  const field = String(parsed.error.issues[0]?.path[0] ?? "path");
  return refuse("not_found", { field, message: `${field}: ${parsed.error.issues[0]?.message ?? "is unknown"}` });
}

function readQuery<Query extends Fields>(c: HttpContext, schema: Query | undefined): Result<z.output<Query>> {
  if (schema === undefined) return success({} as z.output<Query>);
  const given = c.req.query();
  const parsed = schema.safeParse(given);
  if (parsed.success) return success(parsed.data);
  if (parsed.error.issues[0]?.path[0] === "cursor") return refuse("invalid_cursor", { field: "cursor" });
  return { ok: false, refusal: schemaRefusal(schema, given, parsed.error) };
}

async function readBody<Body extends z.ZodType>(
  c: HttpContext,
  spec: EndpointSpec<Fields, Fields, Body>["body"],
): Promise<Result<z.output<Body>>> {
  if (spec === undefined) return success(undefined as z.output<Body>);
  const { kept } = spec;
  const read = await readJson(c.req.raw, BODY_LIMIT_BYTES, kept === undefined ? parseOnce : parseToWrite);
  if (!read.ok) return read;
  if (read.value === undefined && !spec.optional) {
    return refuse("invalid_json", { message: "A JSON body is needed.", field: "body" });
  }
  // What is kept is judged with all else as in every other body.
  const { value: given, toWrite } = read.value ?? parseOnce("{}");
  const refusal = spec.precheck?.(given) ?? null;
  if (refusal !== null) return { ok: false, refusal };
  const parsed = spec.schema.safeParse(given);
  if (!parsed.success) return { ok: false, refusal: schemaRefusal(spec.schema, given, parsed.error) };
  if (kept !== undefined) copyMember(kept, toWrite, parsed.data);
  return success(parsed.data);
}

function parseOnce(text: string): ReadToWrite {
  const value = JSON.parse(text);
  return { value, toWrite: value };
}

function copyMember(key: string, from: unknown, to: unknown): void {
  if (!isObject(from) || !isObject(to) || !Object.hasOwn(from, key)) return;
  to[key] = from[key];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
