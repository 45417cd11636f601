/** What PagerDuty sends on retry, edit and delete, the most, and the rarest. */
import type { SourceSends } from "./listener-case.ts";

const PAGE = "https://docs.pagerduty.com/developer/webhooks-overview";
const HEADERS = { "content-type": "application/json", "x-webhook-id": "6c0dd4d1-6b2a-4c3c-9d4f-3d2f0d4a5e11" };
const INCIDENT = {
  id: "PGR0VU2",
  type: "incident",
  number: 2,
  title: "A little bump in the road",
  status: "triggered",
};

function sent(id: string, eventType: string, data: Record<string, unknown>): () => string {
  return () => JSON.stringify({ event: { id, event_type: eventType, occurred_at: "2020-10-02T18:45:22.169Z", data } });
}

export const pagerdutySends: SourceSends = {
  onRetry: {
    page: PAGE,
    title: "the same event, through another attempt",
    headers: HEADERS,
    first: { headers: { ...HEADERS, "x-webhook-id": "another-attempt" } },
    body: sent("5ac64822", "incident.triggered", INCIDENT),
    reads: { kind: "event", event: { name: "incident.triggered", dedupe_key: "5ac64822" }, context: [] },
    knownBy: "id",
  },
  onEdit: {
    page: PAGE,
    title: "a service that was changed",
    headers: HEADERS,
    body: sent("01BRB6ZP", "service.updated", { id: "PF9KMXH", type: "service", summary: "API Service" }),
    reads: {
      kind: "event",
      event: { name: "service.updated", dedupe_key: "01BRB6ZP", fields: { title: "API Service" } },
      context: ["Event: service.updated"],
    },
  },
  onDelete: {
    page: PAGE,
    title: "a service that was deleted: its id alone",
    headers: HEADERS,
    body: sent("01BRB6ZQ", "service.deleted", { id: "PF9KMXH", type: "service" }),
    reads: {
      kind: "event",
      event: { name: "service.deleted", dedupe_key: "01BRB6ZQ" },
      context: ["Event: service.deleted"],
      paths: { "event.data.id": "PF9KMXH" },
    },
  },
  largest: {
    page: PAGE,
    title: "an incident of 256 KB, the most that PagerDuty sends",
    headers: HEADERS,
    body: sent("e-1", "incident.triggered", {
      ...INCIDENT,
      assignees: Array.from({ length: 4_000 }, (_, place) => ({
        summary: `User ${place}`,
        id: `P${place}`,
        type: "user",
      })),
      body: { details: "x".repeat(120_000) },
    }),
    bytes: 256_000,
    reads: {
      kind: "event",
      event: { name: "incident.triggered", summary: "PagerDuty incident.triggered: #2 A little bump in the road" },
      context: ["Assigned to: User 0, User 1"],
    },
  },
  rarestEncoding: {
    page: PAGE,
    title: "a note from a mail: line ends of both kinds, escapes, a direction that is turned around",
    headers: { ...HEADERS, "content-type": "application/json; charset=utf-8" },
    body: () =>
      String.raw`{"event":{"id":"e-2","event_type":"incident.annotated","data":{"incident":{"id":"P1","summary":"\u202eniw\u202c"},` +
      String.raw`"content":"caf\u00e9\r\nline \/ two","type":"incident_note"}}}`,
    reads: {
      kind: "event",
      event: { name: "incident.annotated", dedupe_key: "e-2" },
      context: ["Text:\ncafé\r\nline / two"],
      paths: { "event.data.content": "café\r\nline / two" },
    },
  },
};
