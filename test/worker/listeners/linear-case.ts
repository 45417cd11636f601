/** What Linear sends, as its documentation shows it. */
import { linear } from "#worker/inbound/sources/linear.ts";
import { linearSends } from "./linear-sends.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { hmacHex } from "./signing.ts";

const DELIVERY = "234d1a4e-b617-4388-90fe-adc3633d6b72";
const HEADERS = {
  "accept-charset": "utf-8",
  "content-type": "application/json; charset=utf-8",
  "linear-delivery": DELIVERY,
  "user-agent": "Linear-Webhook",
};
const ACTOR = {
  id: "b5ea5f1f-8adc-4f52-b4bd-ab4e84cf51ba",
  type: "user",
  name: "Linear Orbit",
  email: "orbit@linear.app",
  url: "https://linear.app/company/profiles/orbit",
};
const ISSUE = {
  id: "539068e2-ae88-4d09-bd75-22eb4a59612f",
  identifier: "LIN-1778",
  title: "Foo bar",
  description: "It fails.\nAlways.",
  priority: 1,
  priorityLabel: "Urgent",
  stateId: "state-2",
  state: { id: "state-2", name: "In Progress", color: "#f2c94c", type: "started" },
  team: { id: "team-1", key: "LIN", name: "Linear" },
  assignee: { id: "aacdca22-6266-4c0a-ab3c-8fa70a26765c", name: "Jane Doe" },
  labels: [
    { id: "label-1", name: "bug", color: "#eb5757" },
    { id: "label-2", name: "backend", color: "#4ea7fc" },
  ],
  project: { id: "project-1", name: "Reliability" },
};

function sent(payload: Record<string, unknown>): (atMs: number) => string {
  return (atMs) =>
    JSON.stringify({
      ...payload,
      createdAt: "2020-01-23T12:53:18.084Z",
      organizationId: "dc844923-f9a4-40a3-825c-dea7747e57d6",
      webhookTimestamp: atMs,
      webhookId: "000042e3-d123-4980-b49f-8e140eef9329",
    });
}

const samples: ListenerSample[] = [
  {
    title: 'a comment, the example of "The Webhook Payload"',
    headers: { ...HEADERS, "linear-event": "Comment" },
    body: sent({
      action: "create",
      type: "Comment",
      actor: ACTOR,
      data: {
        id: "2174add1-f7c8-44e3-bbf3-2d60b5ea8bc9",
        createdAt: "2020-01-23T12:53:18.084Z",
        updatedAt: "2020-01-23T12:53:18.084Z",
        archivedAt: null,
        body: "Indeed, I think this is definitely an improvement over the previous version.",
        edited: false,
        issueId: ISSUE.id,
        issue: { id: ISSUE.id, identifier: "LIN-1778", title: "Foo bar", team: { key: "LIN", name: "Linear" } },
        userId: "aacdca22-6266-4c0a-ab3c-8fa70a26765c",
      },
      url: "https://linear.app/issue/LIN-1778/foo-bar#comment-77217de3-fb52-4dad-bb9a-b356beb93de8",
    }),
    reads: {
      kind: "event",
      event: {
        name: "Comment",
        action: "create",
        summary: "Linear Comment created: LIN-1778 Foo bar",
        dedupe_key: DELIVERY,
        fields: { issue: "LIN-1778", team: "LIN" },
      },
      context: [
        "Event: Linear Comment created",
        "URL: https://linear.app/issue/LIN-1778/foo-bar#comment-77217de3-fb52-4dad-bb9a-b356beb93de8",
        "By: Linear Orbit",
        "Text: Indeed, I think",
      ],
      paths: { "data.issueId": ISSUE.id },
    },
  },
  {
    title: "a changed issue",
    headers: { ...HEADERS, "linear-event": "Issue" },
    body: sent({
      action: "update",
      type: "Issue",
      actor: ACTOR,
      data: ISSUE,
      url: "https://linear.app/issue/LIN-1778/foo-bar",
      updatedFrom: {
        updatedAt: "2020-01-23T12:00:00.000Z",
        sortOrder: -1,
        title: "Foo",
        stateId: "state-1",
        estimate: null,
        labelIds: ["label-1"],
        description: "x".repeat(300),
      },
    }),
    reads: {
      kind: "event",
      event: {
        name: "Issue",
        action: "update",
        summary: "Linear Issue updated: LIN-1778 Foo bar",
        fields: {
          issue: "LIN-1778",
          team: "LIN",
          labels: ["bug", "backend"],
          changed: ["title", "stateId", "estimate", "labelIds", "description"],
        },
      },
      context: [
        "Title: Foo bar",
        "Status: In Progress",
        "Priority: Urgent",
        "Assignee: Jane Doe",
        "Team: Linear",
        "Project: Reliability",
        "Labels: bug, backend",
        "Changed: title (Foo → Foo bar), stateId (state-1 → state-2), estimate (nothing → nothing), labelIds (… → nothing), description\n",
        "Text:\nIt fails.\nAlways.",
      ],
      paths: { "data.state.type": "started", "data.priorityLabel": "Urgent" },
    },
  },
  {
    title: 'a deadline that is not kept ("Other events payload")',
    headers: { ...HEADERS, "linear-event": "IssueSLA" },
    body: sent({ action: "breached", type: "IssueSLA", issueData: ISSUE, url: "https://linear.app/issue/LIN-1778" }),
    reads: {
      kind: "event",
      event: { name: "IssueSLA", action: "breached", summary: "Linear IssueSLA breached: LIN-1778 Foo bar" },
      context: ["Status: In Progress"],
    },
  },
  {
    title: "a session with an agent (linear.app/developers/agent-interaction)",
    headers: { ...HEADERS, "linear-event": "AgentSessionEvent" },
    body: sent({
      action: "prompted",
      type: "AgentSessionEvent",
      agentSession: { id: "session-1", issue: { ...ISSUE, description: null }, comment: { body: "@reveille look" } },
      agentActivity: { id: "activity-1", content: { type: "prompt", body: "Look at the log, too" } },
      promptContext: '<issue identifier="LIN-1778"></issue>',
    }),
    reads: {
      kind: "event",
      event: {
        name: "AgentSessionEvent",
        action: "prompted",
        summary: "Linear AgentSessionEvent prompted: LIN-1778 Foo bar",
        fields: { issue: "LIN-1778", team: "LIN" },
      },
      context: ["Text: Look at the log, too", 'Prompt: <issue identifier="LIN-1778"></issue>'],
    },
  },
  {
    title: "that an application was revoked",
    headers: { ...HEADERS, "linear-event": "OAuthApp" },
    body: sent({ action: "revoked", type: "OAuthApp", oauthClientId: "client-1" }),
    reads: {
      kind: "event",
      event: { name: "OAuthApp", action: "revoked", summary: "Linear OAuthApp revoked" },
      context: [],
    },
  },
  { title: "no type", body: sent({ action: "create" }), reads: { kind: "unreadable", reason: /no type/ } },
];

export const linearCase: ListenerCase = {
  listener: linear,
  documentation: ["https://linear.app/developers/webhooks"],
  secrets: ["lin_wh_zBn2JyLKqvCLgVVzp6v7Rk3hNyXJd0aW", "lin_wh_Qe8uR1sT5vW9xY2zA4bC6dE7fG0hI3jK"],
  signature: { header: "linear-signature", prefix: "", encoding: "hex" },
  coversBody: true,
  windowSeconds: 60,
  pastSeconds: 8 * 3_600,
  async sign(body, secret, atMs) {
    return { "linear-signature": await hmacHex(secret, body), "linear-timestamp": String(atMs) };
  },
  samples,
  sends: linearSends,
};
