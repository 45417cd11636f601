/** What a bench row asks of an instance over HTTP, as verbs. */
import type { z } from "zod";
import { routineTokenSchema } from "#protocol/api.ts";
import { routineSchema } from "#protocol/routine.ts";
import { callApi } from "#scripts/instance/api.ts";
import type { Served } from "./served.ts";

export interface BenchRoutine {
  id: string;
  fireToken: string;
}

/** A routine without repositories, with a fire token. @param input is added to its definition. */
export async function makeRoutine(served: Served, input: Record<string, unknown> = {}): Promise<BenchRoutine> {
  const definition = { name: "bench", prompt: "Do the work.", triggers: [{ type: "api" }], ...input };
  const { id } = await ask(served, "POST", "/api/v1/routines", routineSchema, definition);
  const { token } = await ask(served, "POST", `/api/v1/routines/${id}/token`, routineTokenSchema);
  return { id, fireToken: token };
}

/** Asks as the owner. @throws Error when it is refused. */
export async function ask<Schema extends z.ZodType>(
  served: Served,
  method: "GET" | "POST" | "PATCH",
  path: string,
  answer: Schema,
  body?: unknown,
): Promise<z.infer<Schema>> {
  const call = { method, path, token: served.ownerToken, body, answer };
  const answered = await callApi(served.url, call, new AbortController().signal);
  if (answered.kind === "answered") return answered.value;
  throw new Error(`${method} ${path}: ${answered.message}`);
}
