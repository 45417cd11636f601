/** Inbound webhooks: verified over the raw bytes, stored, answered; what they start comes after the answer. */

import { z } from "zod";
import type { EndpointAnswer } from "#instance/object-contracts.ts";
import type { VerificationFailure } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { triggerIdSchema } from "#protocol/ids.ts";
import { logEvent } from "#protocol/log.ts";
import { dayOf } from "#protocol/time.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import { type WebhookSource, webhookSourceSchema } from "#protocol/webhook-sources.ts";
import { paced } from "../http/body-pace.ts";
import { type App, baseUrl, type HttpContext } from "../http/http-env.ts";
import { jsonAnswer } from "../http/json-answer.ts";
import { describeWebhooks } from "../http/openapi/webhook-operations.ts";
import { readBytes } from "../http/read-bytes.ts";
import { renderRefusal } from "../http/render-error.ts";
import { securityHeaders } from "../http/security-headers.ts";
import { ROW_BODY_BYTES } from "../store/bodies.ts";
import type { NewDelivery } from "../store/deliveries.ts";
import { makeDeliveryId } from "./delivery-ids.ts";
import { keptHeaders } from "./kept-headers.ts";
import { answerPress } from "./presses.ts";
import { settingsOf } from "./read-delivery.ts";
import { LISTENERS } from "./sources/all.ts";
import { isForm } from "./sources/github/form.ts";
import { readSignature, verifyGithub } from "./sources/github/signature.ts";
import type { InboundRequest, Listener, ListenerAnswer, Reading, VerifyContext } from "./sources/listener.ts";
import { identityOf } from "./sources/payload.ts";
import { streamIn } from "./stream-in.ts";
import { tellHandled } from "./tell-handled.ts";

/** What GitHub sends at most. */
const GITHUB_BODY_BYTES = 25 * 1_048_576;
/** R2 takes nothing whose length is not known before. GitHub's own requests tell it. */
const WITHOUT_LENGTH = {
  limit_bytes: ROW_BODY_BYTES,
  field: "body",
  hint: "See details.limit_bytes; with Content-Length a body may be longer.",
};
const LONG_FORM =
  "Set the webhook's content type to application/json: as a form, a payload of this length is not read.";
/** The source may send again what can't be verified now. */
const APP_UNKNOWN = refuse("unavailable", { retry_after_s: 5 }).refusal;
const ENDPOINT_BODY_BYTES = 5 * 1_048_576;
/** No event of GitHub's has a longer name. */
const NAME_LENGTH = 100;
const USER_AGENT_LENGTH = 300;
/** How long an issuer may take to answer with its keys. */
const KEYS_DEADLINE_MS = 5_000;

export function mountWebhooks(app: App): void {
  describeWebhooks(app);
  app.post("/webhooks/github", receiveGithub);
  app.post("/webhooks/:source/:endpoint_id", receiveAtEndpoint);
}

async function receiveGithub(c: HttpContext): Promise<Response> {
  const { headers } = c.req.raw;
  const nowMs = Date.now();
  const { secrets, areAll } = await githubSecrets(c, nowMs);
  const signed = readSignature(headers, secrets);
  if ("failure" in signed) {
    if (signed.failure === "no_secret" && !areAll) return renderRefusal(c, APP_UNKNOWN);
    return turnAway(c, "github", null, signed.failure);
  }
  const id = makeDeliveryId(nowMs);
  // A long body is read piece by piece as JSON.
  if (isForm(headers.get("content-type")) && Number(headers.get("content-length") ?? 0) > ROW_BODY_BYTES) {
    return renderRefusal(c, refuse("content_type_refused", { hint: LONG_FORM }).refusal);
  }
  const taken = await takeGithubBody(c, id, secrets, signed.signature);
  if (!taken.ok) return renderRefusal(c, taken.refusal);
  const body = taken.value;
  if (body === null && !areAll) return renderRefusal(c, APP_UNKNOWN);
  if (body === null) return turnAway(c, "github", null, "signature_wrong");
  const name = headers.get("x-github-event") ?? "";
  await keep(
    c,
    {
      id,
      source: "github",
      triggerId: null,
      providerId: identityOf(headers.get("x-github-delivery")),
      event: name.slice(0, NAME_LENGTH),
      headers: keptHeaders(headers),
      body,
      ignored: null,
    },
    nowMs,
  );
  return takenIn(c, id);
}

/**
 * The secrets that are configured, and those of the GitHub App. Where D1 does not answer and the App is not known, those that
 * are configured have to do: it can't be said then of what they have not signed that it is wrong.
 */
async function githubSecrets(c: HttpContext, nowMs: number): Promise<{ secrets: string[]; areAll: boolean }> {
  const { config, appKeeper } = c.var.deps;
  const ofApp = await appKeeper.webhookSecrets(nowMs).catch(() => null);
  return { secrets: [...config.githubSecrets, ...(ofApp ?? [])], areAll: ofApp !== null };
}

/**
 * What belongs into R2 goes there while it is checked: whoever signs nothing can have little held here.
 * @returns null when it is not signed.
 */
async function takeGithubBody(
  c: HttpContext,
  id: string,
  secrets: readonly string[],
  signature: Uint8Array<ArrayBuffer>,
): Promise<Result<NewDelivery["body"] | null>> {
  const { body, headers } = c.req.raw;
  const contentLength = headers.get("content-length");
  const length = Number(contentLength ?? 0);
  if (length > GITHUB_BODY_BYTES) return refuse("body_too_large", { limit_bytes: GITHUB_BODY_BYTES, field: "body" });
  if (body === null || length <= ROW_BODY_BYTES) {
    const read = await readBytes(c.req.raw, ROW_BODY_BYTES);
    if (!read.ok) return contentLength === null ? refuse("body_too_large", WITHOUT_LENGTH) : read;
    return success((await verifyGithub(headers, read.value, secrets)).ok ? read.value : null);
  }
  const into = c.var.deps.bodies.begin(id, length);
  const streamed = await streamIn(paced(body), { length, secrets, signature }, into);
  if (!streamed.ok) return streamed;
  return success(streamed.value ? { sizeBytes: length } : null);
}

const endpointParams = z.object({ source: webhookSourceSchema, endpoint_id: triggerIdSchema });

async function receiveAtEndpoint(c: HttpContext): Promise<Response> {
  const params = endpointParams.safeParse(c.req.param());
  if (!params.success) return renderRefusal(c, { code: "not_found" });
  const { source, endpoint_id: triggerId } = params.data;
  const endpoint = await c.var.deps.ownerOf(triggerId).endpoint(triggerId);
  if (!endpoint.ok) return renderRefusal(c, endpoint.refusal);
  if (endpoint.value.trigger.source !== source) return renderRefusal(c, { code: "not_found" });
  const { trigger, secrets } = endpoint.value;
  const listener = LISTENERS[source];
  const settings = settingsOf(trigger, baseUrl(c));
  const context = { secrets, settings, nowMs: Date.now(), fetchKeys };
  const isKnown = secrets.length > 0 || listener.secretFrom === "nobody";
  const fault = isKnown ? await faultOfHeaders(listener, c.req.raw.headers, context) : faultOfStranger(endpoint.value);
  if (fault !== null) return turnAway(c, source, triggerId, fault);
  return c.var.deps.heldBodies.use(c.req.raw, ENDPOINT_BODY_BYTES, async (body) => {
    if (!body.ok) return renderRefusal(c, body.refusal);
    const request: InboundRequest = { headers: c.req.raw.headers, body: body.value };
    if (!isKnown) return introduced(c, endpoint.value, request);
    const verification = await listener.verify(request, context);
    if (!verification.ok) return turnAway(c, source, triggerId, verification.failure);
    const pressed = await answerPress(c, listener, request);
    if (pressed !== null) return answered(c, pressed);
    return store(c, trigger, request, listener.read(request, settings));
  });
}

/**
 * What is wrong with a request whatever its body is, so that no byte of it is read. It is found by checking an empty body in
 * its place.
 */
async function faultOfHeaders(
  listener: Listener,
  headers: Headers,
  context: VerifyContext,
): Promise<VerificationFailure | null> {
  const verification = await listener.verify({ headers, body: new Uint8Array() }, context);
  return verification.ok || verification.failure === "signature_wrong" ? null : verification.failure;
}

/** While an endpoint has no secret, a body is read where the source hands its secret over in one. */
function faultOfStranger(endpoint: EndpointAnswer): VerificationFailure | null {
  return LISTENERS[endpoint.trigger.source].introduce === undefined ? noSecret(endpoint) : null;
}

function noSecret({ is_unconfirmed, is_unreadable }: EndpointAnswer): VerificationFailure {
  if (is_unreadable) return "secret_unreadable";
  return is_unconfirmed ? "secret_unconfirmed" : "no_secret";
}

async function store(
  c: HttpContext,
  trigger: WebhookTrigger,
  { headers, body }: InboundRequest,
  reading: Reading,
): Promise<Response> {
  const nowMs = Date.now();
  const id = makeDeliveryId(nowMs);
  await keep(
    c,
    {
      id,
      source: trigger.source,
      triggerId: trigger.id,
      providerId: reading.kind === "event" ? reading.event.dedupe_key : null,
      event: reading.kind === "event" ? reading.event.name : null,
      headers: keptHeaders(headers, trigger.auth?.kind === "hmac" ? trigger.auth.header : null),
      body,
      ignored: reading.kind === "event" ? null : reading.reason,
    },
    nowMs,
  );
  const answer = reading.kind === "unreadable" ? undefined : reading.answer;
  return takenIn(c, id, answer);
}

/** Stores a delivery. What nothing is to be done about has been handled with that. */
async function keep(c: HttpContext, delivery: NewDelivery, nowMs: number): Promise<void> {
  await c.var.deps.deliveries.insert(delivery, nowMs);
  if (delivery.ignored !== null) tellHandled([delivery], [{ id: delivery.id, status: "ignored", outcomes: [] }]);
}

/** Answers when the delivery is stored, and has it handled after the answer. */
function takenIn(c: HttpContext, id: string, answer?: ListenerAnswer): Response {
  c.executionCtx.waitUntil(c.var.deps.inbox.drain());
  return answer === undefined ? jsonAnswer(c, { delivery_id: id }, 202) : answered(c, answer);
}

function answered(c: HttpContext, { status, contentType, body }: ListenerAnswer): Response {
  c.set("hasSecurityHeaders", true);
  return new Response(status === 204 ? null : body, {
    status,
    headers: { ...securityHeaders(c), "content-type": contentType },
  });
}

/**
 * The source may hand over its secret, as long as the endpoint has none. So may anybody who knows the address: it is kept for
 * the owner to see, and believed when the owner has said yes.
 */
async function introduced(c: HttpContext, endpoint: EndpointAnswer, request: InboundRequest): Promise<Response> {
  const { trigger } = endpoint;
  const introduction = LISTENERS[trigger.source].introduce?.(request) ?? null;
  if (introduction === null) return turnAway(c, trigger.source, trigger.id, noSecret(endpoint));
  const { headers } = request;
  const userAgent = headers.get("user-agent")?.slice(0, USER_AGENT_LENGTH) ?? null;
  const from = { ip: headers.get("cf-connecting-ip"), userAgent };
  const kept = await c.var.deps.ownerOf(trigger.id).handOver(trigger.id, introduction.secret, from);
  return kept.ok ? answered(c, introduction.answer) : renderRefusal(c, kept.refusal);
}

/** Counted with its reason, which the sender is not told; nothing of what it said is kept. */
function turnAway(
  c: HttpContext,
  source: WebhookSource | "github",
  triggerId: string | null,
  failure: VerificationFailure,
): Response {
  const day = dayOf(Date.now());
  c.var.deps.failures.count({ day, source, trigger_id: triggerId, failure }, c.executionCtx);
  logEvent("webhook_refused", { request_id: c.var.requestId, trigger_id: triggerId, source, reason: failure });
  return renderRefusal(c, { code: "webhook_refused" });
}

async function fetchKeys(url: string): Promise<unknown> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(KEYS_DEADLINE_MS) });
  if (!answer.ok) throw new Error(`the issuer's keys: ${answer.status}`);
  return await answer.json();
}
