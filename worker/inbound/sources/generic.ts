/**
 * Any sender that can show a secret, or sign with one: a digest in a header of its own naming, or a bearer token.
 * Bodies are JSON, forms, text or CloudEvents.
 */
import type { GenericAuth } from "#protocol/triggers.ts";
import { prettyJson, readBody } from "./any-body.ts";
import { type CloudEvent, readCloudEvent } from "./cloud-events.ts";
import { hasSecret } from "./hex-signature.ts";
import { base64Digest, hexDigest, isAnyToken, isSignedByAny } from "./hmac.ts";
import type { InboundRequest, Listener, Verification } from "./listener.ts";
import { contextOf, eventNameOf, readEvent, textAt, UNTYPED } from "./payload.ts";
import { strictBearerToken, unverified, verified } from "./verification.ts";

/** Where senders say which of their events it is, the more usual first. */
const KEY_HEADERS = ["idempotency-key", "webhook-id", "svix-id"] as const;

export const generic: Listener = {
  source: "generic",
  title: "Any other sender",
  secretFrom: "reveille",
  fields: [
    { field: "type", what: "the event's type, where the body has one: it is the event's name" },
    { field: "text", what: "the whole body, where it is neither JSON nor a form" },
    { field: "ce_type", what: "of a CloudEvent: its type; every other attribute in the same way" },
    { field: "ce_source", what: "of a CloudEvent: where it happened" },
    { field: "ce_subject", what: "of a CloudEvent: what it is about" },
  ],
  setUp: (url) => [
    `Have the sender send \`POST\` requests to \`${url}\`.`,
    "Give it the endpoint's secret, which is shown once.",
    "Without `auth` in the trigger, it sends the secret in the header `Authorization: Bearer <secret>`.",
    "With `auth: {kind: hmac, header: X-Signature}`, it sends there the HMAC-SHA256 of the body in lower-case hex, with the " +
      "secret as the key. `prefix`, `algorithm` and `encoding` fit it to senders that do it otherwise.",
    "Send a request, and look for it among the deliveries.",
  ],
  async verify(request, { secrets, settings }) {
    const auth = settings.auth ?? { kind: "bearer" };
    if (!hasSecret(secrets)) return unverified("no_secret");
    return auth.kind === "hmac" ? verifyDigest(request, auth, secrets) : verifyBearer(request, secrets);
  },
  read(request) {
    const cloudEvent = readCloudEvent(request);
    if (cloudEvent !== null) {
      return "reason" in cloudEvent
        ? { kind: "unreadable", reason: cloudEvent.reason }
        : { kind: "event", event: ofCloudEvent(cloudEvent, request.body.length) };
    }
    const body = readBody(request);
    if ("reason" in body) return { kind: "unreadable", reason: body.reason };
    const name = eventNameOf(textAt(body.payload, "type")) ?? UNTYPED;
    const event = readEvent({
      name,
      action: null,
      summary: name === UNTYPED ? "A request from outside" : `${name} from outside`,
      dedupe_key: KEY_HEADERS.map((header) => request.headers.get(header)).find((key) => key !== null) ?? null,
      payload: body.payload,
      fields: {},
      context: contextOf([
        ["Event", name],
        ["Payload", prettyJson(body.payload, request.body.length)],
      ]),
    });
    return { kind: "event", event };
  },
};

async function verifyDigest(
  { headers, body }: InboundRequest,
  auth: Extract<GenericAuth, { kind: "hmac" }>,
  secrets: readonly string[],
): Promise<Verification> {
  const header = headers.get(auth.header);
  if (header === null || header === "") return unverified("signature_missing");
  const text = header.startsWith(auth.prefix) ? header.slice(auth.prefix.length) : null;
  const read = auth.encoding === "hex" ? hexDigest : base64Digest;
  const digest = text === null ? null : read(text, auth.algorithm);
  if (digest === null) return unverified("signature_malformed");
  return (await isSignedByAny(secrets, auth.algorithm, body, digest)) ? verified : unverified("signature_wrong");
}

async function verifyBearer({ headers }: InboundRequest, secrets: readonly string[]): Promise<Verification> {
  const bearer = strictBearerToken(headers);
  if ("failure" in bearer) return unverified(bearer.failure);
  return (await isAnyToken(secrets, bearer.token)) ? verified : unverified("token_wrong");
}

function ofCloudEvent({ type, source, id, attributes, data }: CloudEvent, sizeBytes: number) {
  const subject = attributes["subject"] ?? null;
  return readEvent({
    name: type,
    action: null,
    summary: `${type} from ${source}${subject === null ? "" : `: ${subject}`}`,
    // The specification promises that the two together are unique. A source that is a reference has no space in it.
    dedupe_key: `${source.replaceAll(" ", "%20")} ${id}`,
    payload: data,
    fields: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])),
    context: contextOf([
      ["Event", type],
      ["Source", source],
      ["Subject", subject === null ? null : String(subject)],
      ["Id", id],
      ["Time", attributes["time"] === undefined ? null : String(attributes["time"])],
      ["Data", prettyJson(data, sizeBytes)],
    ]),
  });
}
