/** Push requests of Pub/Sub, wrapped and unwrapped, from the examples of its documentation. */
import type { ListenerSample } from "./listener-case.ts";

const SUBSCRIPTION = "projects/myproject/subscriptions/mysubscription";

/** @see https://docs.cloud.google.com/pubsub/docs/push (the body of a POST request to a push endpoint) */
const message = {
  attributes: { key: "value" },
  data: "SGVsbG8gQ2xvdWQgUHViL1N1YiEgSGVyZSBpcyBteSBtZXNzYWdlIQ==",
  messageId: "2070443601311540",
  message_id: "2070443601311540",
  publishTime: "2021-02-26T19:13:55.749Z",
  publish_time: "2021-02-26T19:13:55.749Z",
};

/** @see https://docs.cloud.google.com/pubsub/docs/payload-unwrapping (message metadata in headers) */
const metadata = {
  "Content-Type": "application/json",
  "x-goog-pubsub-subscription-name": SUBSCRIPTION,
  "x-goog-pubsub-message-id": "2070443601311540",
  "x-goog-pubsub-publish-time": "2021-02-26T19:13:55.749Z",
  "x-goog-pubsub-ordering-key": "some-key",
};

const JSON_TYPE = { "Content-Type": "application/json" };

function wrapped(change: Record<string, unknown> = {}): string {
  return JSON.stringify({ message: { ...message, ...change }, subscription: SUBSCRIPTION });
}

export const pubsubSamples: readonly ListenerSample[] = [
  {
    title: "a message in text",
    headers: JSON_TYPE,
    body: () => wrapped(),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: null,
        summary: "Message 2070443601311540 of mysubscription",
        dedupe_key: `${SUBSCRIPTION} 2070443601311540`,
      },
      context: [`Subscription: ${SUBSCRIPTION}`, "Data: Hello Cloud Pub/Sub! Here is my message!", '"key": "value"'],
      absent: ["message_id", "publish_time"],
      paths: {
        subscription: SUBSCRIPTION,
        "message.data": "Hello Cloud Pub/Sub! Here is my message!",
        "message.attributes.key": "value",
        "message.publishTime": "2021-02-26T19:13:55.749Z",
      },
    },
  },
  {
    title: "a message in JSON, with an ordering key",
    headers: JSON_TYPE,
    body: () => wrapped({ data: btoa('{"status": "Hello there"}'), orderingKey: "some-key" }),
    reads: {
      kind: "event",
      event: { name: "message" },
      context: ["Ordering key: some-key", '"status": "Hello there"'],
      paths: { "message.data.status": "Hello there", "message.orderingKey": "some-key" },
    },
  },
  {
    title: "a number, which stays text",
    headers: JSON_TYPE,
    body: () => wrapped({ data: btoa("007") }),
    reads: { kind: "event", event: { name: "message" }, context: ["Data: 007"], paths: { "message.data": "007" } },
  },
  {
    title: "what begins like JSON and is none",
    headers: JSON_TYPE,
    body: () => wrapped({ data: btoa("[warning] disk full") }),
    reads: { kind: "event", event: { name: "message" }, context: [], paths: { "message.data": "[warning] disk full" } },
  },
  {
    title: "bytes that are no text, which stay in base64",
    headers: JSON_TYPE,
    body: () => wrapped({ data: btoa("\xff\x00") }),
    reads: { kind: "event", event: { name: "message" }, context: [], paths: { "message.data": "/wA=" } },
  },
  {
    title: "a message of attributes alone",
    headers: JSON_TYPE,
    body: () => wrapped({ data: undefined }),
    reads: { kind: "event", event: { name: "message" }, context: ['"key": "value"'], paths: { "message.data": null } },
  },
  {
    title: "an unwrapped message in JSON",
    headers: metadata,
    body: () => '{"status": "Hello there"}',
    reads: {
      kind: "event",
      event: { name: "message", dedupe_key: `${SUBSCRIPTION} 2070443601311540` },
      context: ["Published at: 2021-02-26T19:13:55.749Z", "Ordering key: some-key", '"status": "Hello there"'],
      paths: {
        subscription: SUBSCRIPTION,
        "message.data.status": "Hello there",
        "message.attributes": { "Content-Type": "application/json" },
      },
    },
  },
  {
    title: "an unwrapped message that looks like a wrapped one",
    headers: { ...metadata, "x-goog-pubsub-message-id": "7" },
    body: () => wrapped(),
    reads: {
      kind: "event",
      event: { name: "message", dedupe_key: `${SUBSCRIPTION} 7` },
      context: [],
      paths: { "message.messageId": "7", "message.data.message.messageId": "2070443601311540" },
    },
  },
  {
    title: "an unwrapped message without its metadata",
    headers: JSON_TYPE,
    body: () => '{"status": "Hello there"}',
    reads: { kind: "unreadable", reason: /write metadata/ },
  },
  {
    title: "an envelope without an id",
    headers: JSON_TYPE,
    body: () => wrapped({ messageId: "" }),
    reads: { kind: "unreadable", reason: /not a Pub\/Sub message/ },
  },
];
