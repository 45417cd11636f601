/** The Messages API as the sandbox sees it: this run's model alone, nothing that fetches or executes elsewhere. */
import { z } from "zod";
import type { Config, ModelUpstream } from "#instance/config.ts";
import type { NetworkLevel } from "#protocol/environment.ts";
import { type Refusal, type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { beginningOf } from "#protocol/well-formed.ts";
import { parseJson } from "#rules/json.ts";
import type { HttpContext } from "#worker/http/http-env.ts";
import { readLease } from "../authorize.ts";
import { pickHeaders } from "../headers.ts";
import { readStart } from "../read-start.ts";
import { renderToAgent, tellRefusal } from "../render-to-agent.ts";
import { withhold } from "../withhold.ts";
import { AttemptWatch } from "./attempt-watch.ts";
import { type MeteredCall, passMetered, tellUnused } from "./metered-answer.ts";
import { callFault, type ModelPath, sendCall } from "./model-call.ts";
import type { CallBody } from "./send-request.ts";

const TO_UPSTREAM = ["content-type", "accept", "anthropic-version", "anthropic-beta", "user-agent"];
const TO_AGENT = [
  "content-type",
  "request-id",
  "retry-after",
  "retry-after-ms",
  "x-should-retry",
  "anthropic-ratelimit-*",
];

const errorSchema = z.object({ error: z.object({ message: z.string() }) });
/** An error answer of the model's API is short. */
const ERROR_BYTES = 16_384;

type Upstream = Exclude<ModelUpstream, { kind: "none" }>;

export async function proxyModel(c: HttpContext, path: ModelPath): Promise<Response> {
  const lease = await readLease(c);
  if (!lease.ok) return renderToAgent(c, lease.refusal);
  const admitted = await admit(c, lease.value);
  if (!admitted.ok) return refuseCall(c, lease.value, admitted.refusal);
  const watch = new AttemptWatch(async () => {
    const asked = await c.var.deps.ownerOf(lease.value.run_id).modelFor(lease.value, "");
    return asked.ok || asked.refusal.code !== "proxy_token_refused";
  });
  const { upstream, level } = admitted.value;
  const askNow = (body: CallBody) => ask(c, upstream, path, body, watch);
  const { sent, call } = await sendCall(c, path, { lease: lease.value, level }, askNow).catch((error: unknown) => {
    watch.end();
    throw error;
  });
  if (sent.kind === "refused") {
    watch.end();
    tellUnused(c, call, 0);
    return refuseCall(c, lease.value, sent.refusal);
  }
  return takeAnswer(c, lease.value, sent.kind === "asked" ? sent.answer : success(sent.answer), call, watch);
}

async function refuseCall(c: HttpContext, lease: LeaseRef, refusal: Refusal): Promise<Response> {
  await tellRefusal(c, lease, refusal);
  return renderToAgent(c, refusal);
}

async function takeAnswer(
  c: HttpContext,
  lease: LeaseRef,
  answer: Result<Response>,
  call: MeteredCall | null,
  watch: AttemptWatch,
): Promise<Response> {
  if (!answer.ok) {
    watch.end();
    tellUnused(c, call, 0, watch.signal);
    return renderToAgent(c, answer.refusal);
  }
  const { status } = answer.value;
  if (status === 401 || status === 403) {
    watch.end();
    tellUnused(c, call, status);
    return refuseCall(c, lease, await keyRefusal(answer.value));
  }
  return passMetered(c, call, answer.value, pickHeaders(answer.value.headers, TO_AGENT), watch);
}

/** What can refuse a call before a byte of it is read: its form, the instance, and the run's object. */
async function admit(
  c: HttpContext,
  lease: LeaseRef,
): Promise<Result<{ upstream: Upstream; level: NetworkLevel | undefined }>> {
  const { search } = new URL(c.req.url);
  if (search !== "" && search !== "?beta=true") return refuse("not_found", { field: "query" });
  const fault = callFault(c.req.raw.headers);
  if (fault !== null) return { ok: false, refusal: fault };
  const upstream = modelUpstream(c.var.deps.config);
  if (!upstream.ok) return upstream;
  // Asks whether the attempt is still on; the model does not matter yet.
  const asked = await c.var.deps.ownerOf(lease.run_id).modelFor(lease, "");
  return asked.ok ? success({ upstream: upstream.value, level: asked.value.level }) : asked;
}

/** The instance's key is at fault, not the agent's request: asking again does not help. */
async function keyRefusal(answer: Response): Promise<Refusal> {
  const said = errorSchema.safeParse(parseJson(await readStart(answer.body, ERROR_BYTES)));
  const words = said.success ? `: ${beginningOf(said.data.error.message.replace(/\s+/g, " "), 300)}` : "";
  return { code: "model_access_refused", reason: `it answered ${answer.status}${words}` };
}

function modelUpstream({ model }: Config): Result<Upstream> {
  return model.kind === "none" ? refuse("model_not_configured") : success(model);
}

async function ask(
  c: HttpContext,
  upstream: Upstream,
  path: ModelPath,
  body: CallBody,
  watch: AttemptWatch,
): Promise<Result<Response>> {
  const headers = pickHeaders(c.req.raw.headers, TO_UPSTREAM);
  if (upstream.kind === "anthropic") headers.set("x-api-key", upstream.apiKey);
  const url = `${upstream.baseUrl}/v1/${path}${new URL(c.req.url).search}`;
  try {
    const signal = AbortSignal.any([c.req.raw.signal, watch.signal]);
    const answer = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
    if (answer.status < 300 || answer.status >= 400) {
      return success(withhold(answer, upstream.kind === "anthropic" ? [upstream.apiKey] : []));
    }
    await answer.body?.cancel();
    return refuse("upstream_unreachable", { reason: "the model's address answers with a redirect" });
  } catch {
    return refuse("upstream_unreachable", { reason: "the model's address does not answer" });
  }
}
