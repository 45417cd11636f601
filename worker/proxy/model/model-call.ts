/** The request's side of a model call: read once, judged as it passes by, recorded before its end leaves. */

import { z } from "zod";
import type { CallSize } from "#protocol/call-size.ts";
import type { NetworkLevel } from "#protocol/environment.ts";
import { type Refusal, type Result, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { jsonHeaderFault } from "#worker/http/read-json.ts";
import { paced } from "../../http/body-pace.ts";
import { tellRun } from "../render-to-agent.ts";
import { forModel } from "./for-model.ts";
import type { MeteredCall } from "./metered-answer.ts";
import { REQUEST_FIELDS } from "./request-fields.ts";
import { type CallBody, type ReadRequest, type Sent, sendRequest, tooLarge } from "./send-request.ts";

export type ModelPath = "messages" | "messages/count_tokens";

/** As the Messages API has it. */
const LIMIT_BYTES = 33_554_432;

const askedSchema = z.object({ model: z.string().min(1).max(200) });

/** What is wrong with a call before its body is looked at. */
export function callFault(headers: Headers): Refusal | null {
  return (lengthOf(headers) ?? 0) > LIMIT_BYTES ? tooLarge(LIMIT_BYTES) : jsonHeaderFault(headers);
}

interface SentCall {
  sent: Sent;
  /** As the run's object knows it; null when it has recorded none. */
  call: MeteredCall | null;
}

/**
 * @param level how much of the internet the attempt reaches; absent where an object of an earlier version does not say it.
 * @param ask the upstream; never rejects.
 */
export async function sendCall(
  c: HttpContext,
  path: ModelPath,
  { lease, level }: { lease: LeaseRef; level: NetworkLevel | undefined },
  ask: (body: CallBody) => Promise<Result<Response>>,
): Promise<SentCall> {
  const { body, headers } = c.req.raw;
  let call: MeteredCall | null = null;
  const sent = await sendRequest({
    body: paced(body ?? new Blob().stream()),
    length: lengthOf(headers),
    limitBytes: LIMIT_BYTES,
    rules: {
      known: new Set([...REQUEST_FIELDS, ...c.var.deps.config.modelRequestFields]),
      reachesAll: level === "full",
    },
    decide: async (held, request) => {
      const decided = await decide(c, path, lease, { held, ...request });
      if (!decided.ok) return decided;
      call = decided.value.call;
      return success(decided.value.fields);
    },
    ask,
  });
  return { sent, call };
}

/** The object records the call durably, and then it is made. @returns the fields as the answering model takes them. */
async function decide(
  c: HttpContext,
  path: ModelPath,
  lease: LeaseRef,
  { held, ...request }: ReadRequest & { held: ReadonlyMap<string, string> },
): Promise<Result<{ fields: ReadonlyMap<string, string>; call: MeteredCall | null }>> {
  const model = parseJson(held.get("model") ?? "");
  const parsed = askedSchema.safeParse({ model });
  if (!parsed.success) return { ok: false, refusal: schemaRefusal(askedSchema, { model }, parsed.error) };
  const asked = parsed.data.model;
  const owner = c.var.deps.ownerOf(lease.run_id);
  const answering = await (path === "messages"
    ? owner.beginModelCall(lease, asked, sizeOf(held, request))
    : owner.modelFor(lease, asked));
  if (!answering.ok) return answering;
  const { model: answers, isOther } = answering.value;
  const call = answering.value.call === null ? null : { lease, call: answering.value.call };
  if (!isOther) return success({ fields: new Map(held).set("model", JSON.stringify(answers)), call });
  await tellRun(c, lease, { code: "model_replaced", message: replacedWords(asked, answers) });
  return success({ fields: rewritten(held, answers), call });
}

/** What is no number or text here is left to the model's API to refuse. */
function sizeOf(held: ReadonlyMap<string, string>, { bytes, cachesForHour }: ReadRequest): CallSize {
  const value = (name: string) => parseJson(held.get(name) ?? "null");
  return {
    bytes,
    max_tokens: z.int().min(0).safeParse(value("max_tokens")).data ?? null,
    speed: z.string().safeParse(value("speed")).data ?? null,
    geo: z.string().safeParse(value("inference_geo")).data ?? null,
    ...(cachesForHour ? { caches_for_hour: true } : {}),
  };
}

function rewritten(held: ReadonlyMap<string, string>, model: string): ReadonlyMap<string, string> {
  const fields = Object.fromEntries([...held].map(([name, json]) => [name, parseJson(json)]));
  const entries = Object.entries(forModel(fields, model));
  return new Map(entries.map(([name, value]) => [name, JSON.stringify(value)]));
}

function replacedWords(asked: string, model: string): string {
  return `The agent asked for the model ${asked}, which neither the routine nor ALLOWED_MODELS of the instance names: ${model} answers in its place.`;
}

/** @returns null when the request does not tell. */
function lengthOf(headers: Headers): number | null {
  const told = headers.get("content-length");
  return told === null ? null : Number(told);
}
