/** The Messages API as the sandbox sees it: this run's model alone, nothing that fetches or executes elsewhere. */
import { z } from "zod";
import type { Config, ModelUpstream } from "#instance/config.ts";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import { logLine } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { parseJson } from "#rules/json.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readJson } from "#worker/http/read-json.ts";
import { readLease } from "../authorize.ts";
import { pickHeaders } from "../headers.ts";
import { pump } from "../pump.ts";
import { readStart } from "../read-start.ts";
import { renderToAgent, tellRefusal, tellRun } from "../render-to-agent.ts";
import { forModel } from "./for-model.ts";
import { refusedByRule } from "./tool-rule.ts";
import { type Tokens, usageMeter } from "./usage-meter.ts";

const MODEL_BODY_LIMIT_BYTES = 33_554_432;
const TO_UPSTREAM = ["content-type", "accept", "anthropic-version", "anthropic-beta", "user-agent"];
const TO_AGENT = [
  "content-type",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "anthropic-ratelimit-*",
];

const bodySchema = z.looseObject({ model: z.string().min(1).max(200) });

const errorSchema = z.object({ error: z.object({ message: z.string() }) });
/** An error answer of the model's API is short. */
const ERROR_BYTES = 16_384;

export type ModelPath = "messages" | "messages/count_tokens";
type Upstream = Exclude<ModelUpstream, { kind: "none" }>;

interface ModelCall {
  lease: LeaseRef;
  upstream: Upstream;
  body: string;
}

export async function proxyModel(c: HttpContext, path: ModelPath): Promise<Response> {
  const lease = await readLease(c);
  if (!lease.ok) return renderToAgent(c, lease.refusal);
  const admitted = await admit(c, path, lease.value);
  if (!admitted.ok) return refuseCall(c, lease.value, admitted.refusal);
  return makeCall(c, path, admitted.value);
}

async function refuseCall(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<Response> {
  await tellRefusal(c, lease, refusal);
  return renderToAgent(c, refusal);
}

async function makeCall(c: HttpContext, path: ModelPath, { lease, upstream, body }: ModelCall): Promise<Response> {
  const answer = await ask(c, upstream, path, body);
  const isMetered = path === "messages";
  if (!answer.ok) {
    if (isMetered) c.executionCtx.waitUntil(settle(c, lease, usageMeter(null).tokens(), 0));
    return renderToAgent(c, answer.refusal);
  }
  const { status } = answer.value;
  if (status === 401 || status === 403) {
    if (isMetered) c.executionCtx.waitUntil(settle(c, lease, usageMeter(null).tokens(), status));
    return refuseCall(c, lease, await keyRefusal(answer.value));
  }
  const headers = pickHeaders(answer.value.headers, TO_AGENT);
  const meter = usageMeter(headers.get("content-type"));
  const passed = pump(answer.value.body ?? new Response("").body ?? new ReadableStream(), {
    onChunk: (chunk) => meter.push(chunk),
    onEnd: async () => {
      if (isMetered) await settle(c, lease, meter.tokens(), status);
    },
    leaveOn: c.req.raw.signal,
  });
  c.executionCtx.waitUntil(passed.done);
  return new Response(passed.stream, { status, headers });
}

/** Everything that can refuse, before anything leaves. The object records the call durably, and then it is made. */
async function admit(c: HttpContext, path: ModelPath, lease: LeaseRef): Promise<Result<ModelCall>> {
  const { search } = new URL(c.req.url);
  if (search !== "" && search !== "?beta=true") return refuse("not_found", { field: "query" });
  const read = await readJson(c.req.raw, MODEL_BODY_LIMIT_BYTES);
  if (!read.ok) return read;
  const parsed = bodySchema.safeParse(read.value);
  if (!parsed.success) return { ok: false, refusal: schemaRefusal(bodySchema, read.value, parsed.error) };
  const rule = refusedByRule(parsed.data);
  if (rule !== null) return refuse("proxy_refused", { reason: rule });
  const upstream = modelUpstream(c.var.deps.config);
  if (!upstream.ok) return upstream;
  const owner = c.var.deps.ownerOf(lease.run_id);
  const asked = parsed.data.model;
  const answering = await (path === "messages" ? owner.beginModelCall(lease, asked) : owner.modelFor(lease, asked));
  if (!answering.ok) return answering;
  const { model, isOther } = answering.value;
  if (isOther) await tellRun(c, lease, { code: "model_replaced", message: replacedWords(asked, model) });
  // What was checked is what is sent: text with a key twice could mean one thing here and another upstream.
  const sent = isOther ? forModel(parsed.data, model) : { ...parsed.data, model };
  return success({ lease, upstream: upstream.value, body: JSON.stringify(sent) });
}

function replacedWords(asked: string, model: string): string {
  return `The agent asked for the model ${asked}, which neither the routine nor ALLOWED_MODELS of the instance names: ${model} answers in its place.`;
}

/** The instance's key is at fault, not the agent's request: asking again does not help. */
async function keyRefusal(answer: Response): Promise<Refusal> {
  const said = errorSchema.safeParse(parseJson(await readStart(answer.body, ERROR_BYTES)));
  const words = said.success ? `: ${said.data.error.message.replace(/\s+/g, " ").slice(0, 300)}` : "";
  return { code: "model_access_refused", reason: `it answered ${answer.status}${words}` };
}

function modelUpstream({ model }: Config): Result<Upstream> {
  return model.kind === "none" ? refuse("model_not_configured") : success(model);
}

async function ask(c: HttpContext, upstream: Upstream, path: ModelPath, body: string): Promise<Result<Response>> {
  const headers = pickHeaders(c.req.raw.headers, TO_UPSTREAM);
  if (upstream.kind === "anthropic") headers.set("x-api-key", upstream.apiKey);
  const url = `${upstream.baseUrl}/v1/${path}${new URL(c.req.url).search}`;
  try {
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal: c.req.raw.signal });
    if (answer.status < 300 || answer.status >= 400) return success(answer);
    await answer.body?.cancel();
    return refuse("upstream_unreachable", { reason: "the model's address answers with a redirect" });
  } catch {
    return refuse("upstream_unreachable", { reason: "the model's address does not answer" });
  }
}

/** Tells the object what the call used. */
async function settle(c: HttpContext, lease: LeaseRef, tokens: Tokens, status: number): Promise<void> {
  const settled = await c.var.deps.ownerOf(lease.run_id).endModelCall(lease, tokens);
  logLine("info", {
    what: "model_call",
    request_id: c.var.requestId,
    run_id: lease.run_id,
    upstream_status: status,
    outcome: settled.ok ? "metered" : settled.refusal.code,
    ...tokens,
  });
}
