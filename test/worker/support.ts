/** Verbs of the worker's tests: asking the API as its callers do, through the worker itself. */
import { exports } from "cloudflare:workers";
import type { z } from "zod";
import { routineTokenSchema } from "#protocol/api.ts";
import { errorBodySchema } from "#protocol/errors.ts";
import { type Routine, routineSchema } from "#protocol/routine.ts";
import { OWNER_TOKEN } from "#test/support/api.ts";
import { noteAnswer } from "#test/support/canaries.ts";
import { noteRefusal } from "#test/support/told-refusals.ts";

export const ORIGIN = "http://reveille.test";

export interface Asked {
  method?: string;
  /** Sent as JSON, unless it is a text or bytes. */
  body?: unknown;
  headers?: Record<string, string>;
  /** null: none. Left out: the owner's. */
  token?: string | null;
}

/** Sends one request. @param path from the first slash on, or a whole address. */
export async function ask(path: string, { method = "GET", body, headers = {}, token }: Asked = {}): Promise<Response> {
  const sent = new Headers(headers);
  const bearer = token === undefined ? OWNER_TOKEN : token;
  if (bearer !== null && !sent.has("authorization")) sent.set("authorization", `Bearer ${bearer}`);
  const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  if (body !== undefined && !isRaw && !sent.has("content-type")) sent.set("content-type", "application/json");
  const init: RequestInit = { method, headers: sent, redirect: "manual" };
  if (body !== undefined) init.body = isRaw ? body : JSON.stringify(body);
  const answer = await exports.default.fetch(new Request(path.startsWith("/") ? `${ORIGIN}${path}` : path, init));
  if (answer.status >= 400) noteRefusal(method, path, answer.status, await answer.clone().text());
  return noteAnswer(`the answer to ${method} ${path}`, answer);
}

/** Asks, and reads the answer with its schema. @throws when the status is not 2xx or the answer is another. */
export async function read<Schema extends z.ZodType>(
  schema: Schema,
  path: string,
  asked: Asked = {},
): Promise<z.output<Schema>> {
  const answer = await ask(path, asked);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${asked.method ?? "GET"} ${path}: ${answer.status} ${text}`);
  return schema.parse(JSON.parse(text));
}

/** The error of an answer, checked to have the documented shape and nothing else. */
export async function errorOf(answer: Response) {
  const body = errorBodySchema.strict().parse(await answer.json());
  return { status: answer.status, requestId: body.request_id, ...body.error };
}

export function createRoutine(input: Record<string, unknown> = {}): Promise<Routine> {
  const body = { name: "tests", prompt: "Say hello.", triggers: [{ type: "api" }], ...input };
  return read(routineSchema, "/api/v1/routines", { method: "POST", body });
}

export async function issueToken(routineId: string): Promise<string> {
  const issued = await read(routineTokenSchema, `/api/v1/routines/${routineId}/token`, { method: "POST" });
  return issued.token;
}
