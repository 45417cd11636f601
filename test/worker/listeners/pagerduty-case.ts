/** What PagerDuty sends, as its documentation shows it. */
import { pagerduty } from "#worker/inbound/sources/pagerduty.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { pagerdutySends } from "./pagerduty-sends.ts";
import { hmacHex } from "./signing.ts";

const HEADERS = {
  "content-type": "application/json",
  "user-agent": "PagerDuty-Webhook/V3.0",
  "x-webhook-id": "6c0dd4d1-6b2a-4c3c-9d4f-3d2f0d4a5e11",
  "x-webhook-subscription": "PWHSUB1",
};

/** A reference to another resource. */
function ref(type: string, id: string, summary: string): Record<string, string> {
  const folder = type.replace("_reference", "s");
  return {
    html_url: `https://acme.pagerduty.com/${folder}/${id}`,
    id,
    self: `https://api.pagerduty.com/${folder}/${id}`,
    summary,
    type,
  };
}

const INCIDENT = ref("incident_reference", "PGR0VU2", "A little bump in the road");

function sent(id: string, eventType: string, agent: unknown, data: Record<string, unknown>): () => string {
  return () =>
    JSON.stringify({
      event: {
        id,
        event_type: eventType,
        resource_type: eventType.split(".")[0],
        occurred_at: "2020-10-02T18:45:22.169Z",
        agent,
        client: agent === null ? null : { name: "PagerDuty" },
        data,
      },
    });
}

const samples: ListenerSample[] = [
  {
    title: 'a new priority, the example of "Webhook Payload"',
    headers: HEADERS,
    body: sent(
      "5ac64822-4adc-4fda-ade0-410becf0de4f",
      "incident.priority_updated",
      ref("user_reference", "PLH1HKV", "Tenex Engineer"),
      {
        id: "PGR0VU2",
        type: "incident",
        self: "https://api.pagerduty.com/incidents/PGR0VU2",
        html_url: "https://acme.pagerduty.com/incidents/PGR0VU2",
        number: 2,
        status: "triggered",
        incident_key: "d3640fbd41094207a1c11e58e46b1662",
        created_at: "2020-04-09T15:16:27Z",
        title: "A little bump in the road",
        service: ref("service_reference", "PF9KMXH", "API Service"),
        assignees: [ref("user_reference", "PTUXL6G", "User 123")],
        escalation_policy: ref("escalation_policy_reference", "PUS0KTE", "Default"),
        teams: [ref("team_reference", "PFCVPS0", "Engineering")],
        priority: ref("priority_reference", "PSO75BM", "P1"),
        urgency: "high",
        conference_bridge: { conference_number: "+1 1234123412,,987654321#", conference_url: "https://example.com" },
        resolve_reason: null,
      },
    ),
    reads: {
      kind: "event",
      event: {
        name: "incident.priority_updated",
        action: null,
        summary: "PagerDuty incident.priority_updated: #2 A little bump in the road",
        dedupe_key: "5ac64822-4adc-4fda-ade0-410becf0de4f",
        fields: {
          title: "A little bump in the road",
          service: "API Service",
          priority: "P1",
          teams: ["Engineering"],
          assignees: ["User 123"],
        },
      },
      context: [
        "Event: incident.priority_updated",
        "URL: https://acme.pagerduty.com/incidents/PGR0VU2",
        "By: Tenex Engineer",
        "Incident: 2",
        "Status: triggered",
        "Urgency: high",
        "Priority: P1",
        "Service: API Service",
        "Assigned to: User 123",
        "Teams: Engineering",
      ],
      paths: { "event.data.urgency": "high", "event.data.service.id": "PF9KMXH" },
    },
  },
  {
    title: 'a changed service, the example with neither agent nor client, "service.updated"',
    headers: HEADERS,
    body: sent("01BRB6ZP4M6T8ZG4X6BP63ZB9O", "service.updated", null, {
      html_url: "https://acme.pagerduty.com/services/PF9KMXH",
      id: "PF9KMXH",
      summary: "testing service updates",
      alert_creation: "create_alerts_and_incidents",
      teams: [ref("team_reference", "PFCVPS0", "Engineering")],
      type: "service",
    }),
    reads: {
      kind: "event",
      event: {
        name: "service.updated",
        summary: "PagerDuty service.updated: testing service updates",
        fields: { title: "testing service updates", teams: ["Engineering"] },
      },
      context: ["URL: https://acme.pagerduty.com/services/PF9KMXH"],
    },
  },
  {
    title: 'a note, of the type "incident_note"',
    headers: HEADERS,
    body: sent("01CELD6T9C2JS745I7CAK0LRRA", "incident.annotated", ref("user_reference", "PLH1HKV", "Tenex Engineer"), {
      incident: INCIDENT,
      id: "P2LA89X",
      content: "I sure am glad we are using PagerDuty!",
      trimmed: false,
      type: "incident_note",
    }),
    reads: {
      kind: "event",
      event: {
        name: "incident.annotated",
        summary: "PagerDuty incident.annotated: A little bump in the road",
      },
      context: [
        "Incident: PGR0VU2",
        "URL: https://acme.pagerduty.com/incidents/PGR0VU2",
        "Text: I sure am glad we are using PagerDuty!",
      ],
      paths: { "event.data.content": "I sure am glad we are using PagerDuty!" },
    },
  },
  {
    title: 'a responder, of the type "incident_responder"',
    headers: HEADERS,
    body: sent("01CELD6T9C2JS745I7CAK0LRRB", "incident.responder.added", null, {
      incident: INCIDENT,
      user: ref("user_reference", "PVMGSML", "Maeve"),
      escalation_policy: ref("escalation_policy_reference", "PJFWPEP", "The Policy"),
      message: "Please help me make the tests pass",
      state: "pending",
      type: "incident_responder",
    }),
    reads: {
      kind: "event",
      event: { name: "incident.responder.added" },
      context: ["Responder: Maeve", "Status: pending", "Text: Please help me make the tests pass"],
      paths: { "event.data.message": "Please help me make the tests pass" },
    },
  },
  {
    title: 'changed fields, of the type "incident_field_values"',
    headers: HEADERS,
    body: sent("01CELD6T9C2JS745I7CAK0LRRC", "incident.custom_field_values.updated", null, {
      incident: { ...INCIDENT, summary: null },
      changed_custom_fields: [{ id: "PICFVXX", name: "environment", value: "staging", type: "field_value" }],
      type: "incident_field_values",
    }),
    reads: {
      kind: "event",
      event: { name: "incident.custom_field_values.updated" },
      context: ["Changed fields: environment: staging"],
    },
  },
  {
    title: 'its test event, of "Test a webhook subscription"',
    headers: HEADERS,
    body: sent("01FKZOXA868SHYEE4DVNWB5P9W", "pagey.ping", ref("user_reference", "PLH1HKV", "Tenex Engineer"), {
      message: "Hello from your friend Pagey!",
      type: "ping",
    }),
    reads: { kind: "ignored", reason: /test event/ },
  },
  {
    title: "what V2 webhooks are like",
    body: () => '{"messages":[{"event":"incident.trigger"}]}',
    reads: { kind: "unreadable", reason: /V3/ },
  },
];

export const pagerdutyCase: ListenerCase = {
  listener: pagerduty,
  documentation: [
    "https://docs.pagerduty.com/developer/webhooks-overview",
    "https://docs.pagerduty.com/developer/verifying-webhook-signatures",
  ],
  secrets: ["rVn6ZJ0vJ9uTnqcRUQ2nCiqPVlbXUq3b1w8lCVn1n4pT", "QmX4u8w2nK7zYt1sLr0eDf5gHj3kAa9bCc6vVx8iIo0P"],
  signature: { header: "x-pagerduty-signature", prefix: "v1=", encoding: "hex", isList: true },
  coversBody: true,
  windowSeconds: null,
  async sign(body, secret) {
    return { "x-pagerduty-signature": `v1=${await hmacHex(secret, body)}` };
  },
  samples,
  sends: pagerdutySends,
};
