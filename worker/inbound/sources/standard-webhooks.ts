/**
 * Webhooks as the Standard Webhooks specification 1.0.0 has them: `webhook-id`, `webhook-timestamp`, `webhook-signature`; and as
 * Svix sent them before, with `svix-` in the place of `webhook-`.
 * @see https://docs.svix.com/receiving/verifying-payloads/how-manual
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { prettyJson, readBody } from "./any-body.ts";
import { hasSecret } from "./hex-signature.ts";
import { base64Bytes, base64Digest, isNear, isSignedByAny, prefixed } from "./hmac.ts";
import type { InboundRequest, Listener, Verification } from "./listener.ts";
import { contextOf, eventNameOf, readEvent, textAt } from "./payload.ts";
import { unverified, verified } from "./verification.ts";

const WINDOW_SECONDS = 300;
/** A rotation needs two. Each costs a digest of the body before anything is known of the sender. */
const SIGNATURE_LIMIT = 8;
/** Some senders write the signature's version before it: `v1,whsec_…`. */
const SECRET_PREFIX = /^(?:v1,)?whsec_/;
/** In place of a type, which the specification recommends only. */
const UNTYPED = "webhook";

export const standardWebhooks: Listener = {
  source: "standard-webhooks",
  title: "Standard Webhooks",
  secretFrom: "source",
  fields: [
    { field: "type", what: "the event's type, for instance `contact.created`" },
    { field: "timestamp", what: "when it happened, as the sender writes it" },
    { field: "data", what: "what the sender tells of it: `data.id` and so on, by dotted paths" },
  ],
  setUp: (url) => [
    `In the sender's webhook settings, add an endpoint with the URL \`${url}\`, and choose the events that you need.`,
    "Copy the endpoint's **signing secret** there: it begins with `whsec_`.",
    "Paste it here as the endpoint's secret. If the sender asks you for a secret instead, draw one with " +
      "`echo whsec_$(openssl rand -base64 32)` and paste it on both sides.",
    "Have the sender send a test event, and look for it among the deliveries.",
  ],
  secretFault: signingKeyFault,
  verify: (request, { secrets, nowMs }) => verifySignedWebhook(request, secrets, nowMs),
  read(request) {
    const body = readBody(request);
    if ("reason" in body) return { kind: "unreadable", reason: body.reason };
    const { payload } = body;
    const name = eventNameOf(textAt(payload, "type")) ?? UNTYPED;
    const id = request.headers.get(`${prefixOf(request.headers)}-id`);
    const event = readEvent({
      name,
      action: null,
      summary: `${name} through Standard Webhooks`,
      dedupe_key: id,
      payload,
      fields: {},
      context: contextOf([
        ["Event", name],
        ["Id", id],
        ["Happened at", textAt(payload, "timestamp")],
        ["Payload", prettyJson(payload, request.body.length)],
      ]),
    });
    return { kind: "event", event };
  },
};

/** Whose names the three headers have: older senders through Svix have its own, of the same form. One set counts, never parts of both. */
function prefixOf(headers: Headers): "webhook" | "svix" {
  const isSvix = !headers.has("webhook-signature") && headers.has("svix-signature");
  return isSvix ? "svix" : "webhook";
}

/** @param secrets base64, padded or not, with `whsec_` before it or without; one that is neither signs nothing. */
export async function verifySignedWebhook(
  { headers, body }: InboundRequest,
  secrets: readonly string[],
  nowMs: number,
): Promise<Verification> {
  const [header, id, time] = ["signature", "id", "timestamp"].map((name) =>
    headers.get(`${prefixOf(headers)}-${name}`),
  );
  if (!hasSecret(secrets)) return unverified("no_secret");
  if (!header || !id) return unverified("signature_missing");
  if (!time) return unverified("time_missing");
  const signatures = readSignatures(header);
  if (signatures === null || !/^[!-~]+$/.test(id)) return unverified("signature_malformed");
  if (!/^[0-9]{1,12}$/.test(time) || !isNear(Number(time), nowMs, WINDOW_SECONDS))
    return unverified("time_out_of_range");
  const keys = secrets.flatMap((secret) => secretKey(secret) ?? []);
  const message = prefixed(`${id}.${time}.`, body);
  const signed = await Promise.all(signatures.map((signature) => isSignedByAny(keys, "sha256", message, signature)));
  return signed.includes(true) ? verified : unverified("signature_wrong");
}

/** Those of version 1. @returns null where there is none, or where the header is not a list of signatures. */
function readSignatures(header: string): Uint8Array<ArrayBuffer>[] | null {
  const items = header.split(" ");
  if (items.length > SIGNATURE_LIMIT || items.some((item) => !/^v[0-9]+[a-z]*,[A-Za-z0-9+/_=-]+$/.test(item)))
    return null;
  const digests = items.filter((item) => item.startsWith("v1,")).map((item) => base64Digest(item.slice(3), "sha256"));
  const wellFormed = digests.filter((digest) => digest !== null);
  return wellFormed.length === 0 || wellFormed.length < digests.length ? null : wellFormed;
}

/** Why a text is no key; null when it is one. */
export function signingKeyFault(secret: string): string | null {
  const key = secretKey(secret);
  return key === null || key.length === 0 ? "must be whsec_ and base64, as the sender shows it" : null;
}

function secretKey(secret: string): Uint8Array<ArrayBuffer> | null {
  const written = secret.replace(SECRET_PREFIX, "").replace(/=+$/, "");
  return base64Bytes(written.padEnd(Math.ceil(written.length / 4) * 4, "="));
}
