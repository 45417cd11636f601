/**
 * Google Cloud Pub/Sub, push subscriptions with authentication: each request carries a token that Google has signed for the
 * subscription's service account. Bodies are wrapped, or unwrapped with metadata in headers.
 * @see https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 * @see https://docs.cloud.google.com/pubsub/docs/push
 * @see https://docs.cloud.google.com/pubsub/docs/payload-unwrapping
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { mediaType, prettyJson, readJsonText, utf8Text } from "./any-body.ts";
import { verifyGoogleToken } from "./google-token.ts";
import { base64Bytes } from "./hmac.ts";
import type { InboundRequest, Listener, Reading } from "./listener.ts";
import { contextOf, isObject, jsonObject, readEvent, textAt } from "./payload.ts";
import { strictBearerToken, unverified } from "./verification.ts";

const NAME = "message";
const NOT_A_MESSAGE =
  "The body is not a Pub/Sub message. Where payload unwrapping is on, its option to write metadata must be on, too.";

/** One message, however it was delivered. */
interface Message {
  id: string;
  subscription: string;
  message: JsonObject;
}

export const pubsub: Listener = {
  source: "pubsub",
  title: "Google Cloud Pub/Sub",
  secretFrom: "nobody",
  fields: [
    { field: "message.data", what: "the message: text as it is, JSON by dotted paths such as `message.data.severity`" },
    { field: "message.attributes", what: "its attributes, by dotted paths such as `message.attributes.eventType`" },
    { field: "subscription", what: "for instance `projects/acme/subscriptions/reveille`" },
  ],
  setUp: (url) => [
    "Choose a service account for the subscription, or make one: `gcloud iam service-accounts create reveille-push`. It needs " +
      "no role. Whoever creates the subscription needs **Service Account User** on it.",
    "Name its address in the trigger: `pubsub: {service_account: reveille-push@PROJECT.iam.gserviceaccount.com}`.",
    "In the Google Cloud console, open **Pub/Sub** › **Subscriptions** › **Create subscription**, choose the topic, and as the " +
      `delivery type **Push** with the endpoint URL \`${url}\`.`,
    "Select **Enable authentication**, and the service account. Leave the audience empty, or write the same one into the " +
      "trigger's `pubsub.audience`.",
    "Leave **Enable payload unwrapping** off; if it has to be on, select **Write metadata**.",
    "There is no secret to paste. Publish a message, `gcloud pubsub topics publish TOPIC --message=hello`, and look for it " +
      "among the deliveries.",
  ],
  async verify({ headers }, context) {
    const bearer = strictBearerToken(headers);
    if ("failure" in bearer) return unverified(bearer.failure);
    return verifyGoogleToken(bearer.token, context);
  },
  read(request): Reading {
    const size = request.body.length;
    const found = wrapped(jsonObject(request.body), request.headers) ?? unwrapped(request);
    if (found === null) return { kind: "unreadable", reason: NOT_A_MESSAGE };
    const { id, subscription, message } = found;
    const attributes = message["attributes"] ?? null;
    const event = readEvent({
      name: NAME,
      action: null,
      summary: `Message ${id} of ${subscription.split("/").at(-1)}`,
      dedupe_key: `${subscription} ${id}`,
      payload: { message, subscription },
      fields: {},
      context: contextOf([
        ["Subscription", subscription],
        ["Message", id],
        ["Published at", textAt(message, "publishTime")],
        ["Ordering key", textAt(message, "orderingKey")],
        ["Attributes", prettyJson(attributes, size)],
        ["Data", prettyJson(message["data"] ?? null, size)],
      ]),
    });
    return { kind: "event", event };
  },
};

/** Null where the body is none of Google's envelopes; an unwrapped message that looks like one has another id. */
function wrapped(body: JsonObject | null, headers: Headers): Message | null {
  const subscription = textAt(body ?? undefined, "subscription");
  const message = body?.["message"];
  const id = textAt(message, "messageId");
  if (subscription === null || id === null || !isObject(message)) return null;
  const named = headers.get("x-goog-pubsub-message-id");
  if (named !== null && named !== id) return null;
  // Google repeats two members in another spelling: they would be told twice.
  const { message_id: _id, publish_time: _time, data, ...rest } = message;
  return {
    id,
    subscription,
    message: { ...rest, data: typeof data === "string" && data !== "" ? decoded(data) : null },
  };
}

/** Attributes are not read: they are headers among the others, and nothing tells them from those. */
function unwrapped({ headers, body }: InboundRequest): Message | null {
  const id = headers.get("x-goog-pubsub-message-id");
  const subscription = headers.get("x-goog-pubsub-subscription-name");
  if (id === null || subscription === null) return null;
  const text = utf8Text(body);
  const message: JsonObject = { messageId: id, data: text === null ? null : dataOf(text) };
  for (const [member, header] of [
    ["publishTime", "x-goog-pubsub-publish-time"],
    ["orderingKey", "x-goog-pubsub-ordering-key"],
  ] as const) {
    const value = headers.get(header);
    if (value !== null) message[member] = value;
  }
  const type = mediaType(headers);
  if (type !== null) message["attributes"] = { "Content-Type": type };
  return { id, subscription, message };
}

/** @returns bytes that are no text in the base64 that they came in. */
function decoded(data: string): Json {
  const bytes = base64Bytes(data);
  const text = bytes === null ? null : utf8Text(bytes);
  return text === null ? data : dataOf(text);
}

/** Objects and lists in JSON are what they mean. A number or a word stays text: "007" is no 7. */
function dataOf(text: string): Json {
  if (!/^\s*[[{]/.test(text)) return text;
  const read = readJsonText(text, true);
  return "payload" in read ? read.payload : text;
}
