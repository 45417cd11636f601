/** Calls of a local instance's own HTTP interface. */
import { setTimeout as delay } from "node:timers/promises";
import type { z } from "zod";
import { errorBodySchema } from "#protocol/errors.ts";
import { codeOf, failed, messageOf, type Outcome, succeeded } from "#scripts/outcome.ts";

const CALL_DEADLINE_MS = 10_000;
/** Long enough for a worker that died to be back. */
const CONNECT_ATTEMPTS = 20;
const CONNECT_PAUSE_MS = 500;

export interface Call<Schema extends z.ZodType> {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  token: string;
  body?: unknown;
  answer: Schema;
  deadlineMs?: number;
}

export type ApiAnswer<Value> =
  | { kind: "answered"; value: Value }
  | { kind: "refused"; status: number; message: string }
  | { kind: "unreachable"; message: string };

/** @param url the instance's origin. Calls that did not reach the worker are tried again, and reads in any case. */
export async function callApi<Schema extends z.ZodType>(
  url: string,
  call: Call<Schema>,
  signal: AbortSignal,
): Promise<ApiAnswer<z.infer<Schema>>> {
  let last = "";
  for (let attempt = 0; attempt < CONNECT_ATTEMPTS && !signal.aborted; attempt += 1) {
    try {
      return await callOnce(url, call, signal);
    } catch (error) {
      last = messageOf(error);
      const isRefused = error instanceof Error && codeOf(error.cause) === "ECONNREFUSED";
      if (call.method !== "GET" && !isRefused) break;
      await delay(CONNECT_PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
  return { kind: "unreachable", message: last };
}

/** The answer's value, or one line that says what was asked and why it failed. */
export function outcomeOf<Value>(what: string, answer: ApiAnswer<Value>): Outcome<Value> {
  if (answer.kind === "answered") return succeeded(answer.value);
  if (answer.kind === "unreachable") return failed(`${what} failed: the worker does not answer (${answer.message}).`);
  return failed(`${what} failed (${answer.status}): ${answer.message}`);
}

async function callOnce<Schema extends z.ZodType>(
  url: string,
  { method, path, token, body, answer, deadlineMs = CALL_DEADLINE_MS }: Call<Schema>,
  signal: AbortSignal,
): Promise<ApiAnswer<z.infer<Schema>>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  const text = await response.text();
  if (!response.ok) return { kind: "refused", status: response.status, message: refusalText(text) };
  const parsed = answer.safeParse(parseJson(text));
  if (parsed.success) return { kind: "answered", value: parsed.data };
  return { kind: "refused", status: response.status, message: "The answer does not fit its schema." };
}

function refusalText(text: string): string {
  const parsed = errorBodySchema.safeParse(parseJson(text));
  if (!parsed.success) return text.slice(0, 300) || "There was no message.";
  const { message, hint, details } = parsed.data.error;
  const issues = (details?.issues ?? []).map((issue) => `${issue.field} ${issue.message}`);
  return [message, ...(issues.length > 0 ? [`${issues.join("; ")}.`] : [hint ?? ""])].join(" ").trim();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
