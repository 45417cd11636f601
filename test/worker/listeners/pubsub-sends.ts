/** What Pub/Sub sends on retry, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://docs.cloud.google.com/pubsub/docs";
const HEADERS = { "Content-Type": "application/json" };
const SUBSCRIPTION = "projects/myproject/subscriptions/mysubscription";

function sent(message: Record<string, unknown>, rest: Record<string, unknown> = {}): () => string {
  const whole = { messageId: "2070443601311540", publishTime: "2021-02-26T19:13:55.749Z", ...message };
  return () => JSON.stringify({ message: whole, subscription: SUBSCRIPTION, ...rest });
}

export const pubsubSends: SourceSends = {
  onRetry: {
    page: `${PAGE}/handling-failures#track-delivery-attempts`,
    title: "the same message, with the number of the attempt where there is a topic for dead letters",
    headers: HEADERS,
    first: { body: sent({ data: btoa("hello") }, { deliveryAttempt: 1 }) },
    body: sent({ data: btoa("hello") }, { deliveryAttempt: 5 }),
    reads: { kind: "event", event: { name: "message", dedupe_key: `${SUBSCRIPTION} 2070443601311540` }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: `${PAGE}/publish-message-overview`,
    doesNotExist: "A message that has been published is never changed.",
  },
  onDelete: {
    page: `${PAGE}/publish-message-overview`,
    doesNotExist: "A message that has been published is never taken back; what expires is not told.",
  },
  largest: {
    page: "https://docs.cloud.google.com/pubsub/quotas#resource_limits",
    title:
      "of the 10 MB that a message may have the third that an endpoint takes of it in base64, with most attributes",
    headers: HEADERS,
    body: sent({
      data: btoa(JSON.stringify({ rows: Array.from({ length: 90_000 }, (_, row) => ({ row, host: `host-${row}` })) })),
      attributes: Object.fromEntries(Array.from({ length: 100 }, (_, place) => [`key-${place}`, "v".repeat(1_024)])),
    }),
    bytes: 3_500_000,
    reads: {
      kind: "event",
      event: { name: "message" },
      context: [`Subscription: ${SUBSCRIPTION}`],
      paths: { "message.data.rows.89999.host": "host-89999", "message.attributes.key-99": "v".repeat(1_024) },
    },
  },
  rarestEncoding: {
    page: `${PAGE}/push#receive_push`,
    title: "bytes that are no text, in base64",
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body: sent({ data: "H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA==" }),
    reads: {
      kind: "event",
      event: { name: "message" },
      context: [],
      paths: { "message.data": "H4sIAAAAAAAA/8tIzcnJBwCGphA2BQAAAA==" },
    },
  },
};
