/** What Jira Cloud sends, as its documentation shows it; long bodies are shortened. */
import { jira } from "#worker/inbound/sources/jira.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";
import { hmacHex } from "./signing.ts";

const IDENTIFIER = "7c1b5f0a-7d1f-4a4e-8b1a-2f9d1c6e5a33";
const headersOf = (retry: string | null = null) => ({
  "content-type": "application/json; charset=UTF-8",
  "user-agent": "Atlassian Webhook HTTP Client",
  "x-atlassian-webhook-identifier": IDENTIFIER,
  "x-atlassian-webhook-flow": "Primary",
  ...(retry === null ? {} : { "x-atlassian-webhook-retry": retry }),
});

const user = {
  self: "https://acme.atlassian.net/rest/api/2/user?accountId=99",
  accountId: "99",
  displayName: "Bryan Rollins",
};
const issue = {
  id: "99291",
  self: "https://acme.atlassian.net/rest/api/2/issue/99291",
  key: "JRA-20002",
  fields: {
    summary: "I feel the need for speed",
    created: "2009-12-16T23:46:10.612-0600",
    description: "Make the issue nav load 10x faster",
    labels: ["UI", "dialogue", "move"],
    priority: { name: "Minor", id: "4" },
    status: { name: "In Progress", id: "3" },
    issuetype: { name: "Improvement", id: "4" },
    project: { key: "JRA", name: "Jira" },
    assignee: { displayName: "Mia Krystof" },
    reporter: user,
  },
};
const changelog = {
  items: [
    { toString: "In Progress", to: "3", fromString: "To Do", from: "1", fieldtype: "jira", field: "status" },
    { toString: "Mia Krystof", to: "77", fromString: null, from: null, fieldtype: "jira", field: "assignee" },
  ],
  id: 10124,
};

const samples: ListenerSample[] = [
  {
    title: "an issue that was changed (Webhooks, example callback for an issue related event)",
    headers: headersOf(),
    body: (atMs) =>
      JSON.stringify({
        timestamp: atMs,
        webhookEvent: "jira:issue_updated",
        issue_event_type_name: "issue_generic",
        user,
        issue,
        changelog,
      }),
    reads: {
      kind: "event",
      event: {
        name: "jira:issue_updated",
        action: "issue_generic",
        summary: "Jira jira:issue_updated: JRA-20002 I feel the need for speed by Bryan Rollins",
        dedupe_key: IDENTIFIER,
        fields: {
          issue: "JRA-20002",
          project: "JRA",
          user: "Bryan Rollins",
          status: "In Progress",
          type: "Improvement",
          priority: "Minor",
          labels: ["UI", "dialogue", "move"],
          assignee: "Mia Krystof",
          changed: ["status", "assignee"],
        },
      },
      context: [
        "Issue: JRA-20002",
        "status: To Do → In Progress",
        "assignee: nothing → Mia Krystof",
        "Description: Make the issue nav load 10x faster",
      ],
      paths: { "changelog.items.0.toString": "In Progress", "issue.fields.summary": issue.fields.summary },
    },
  },
  {
    title: "the same change a second time, with the first's time",
    headers: headersOf("1"),
    body: (atMs) => JSON.stringify({ timestamp: atMs, webhookEvent: "jira:issue_updated", user, issue, changelog }),
    reads: { kind: "event", event: { name: "jira:issue_updated", dedupe_key: IDENTIFIER }, context: [] },
  },
  {
    title: "a changed comment, as an Atlassian document",
    headers: headersOf(),
    body: (atMs) =>
      JSON.stringify({
        timestamp: atMs,
        webhookEvent: "comment_updated",
        comment: {
          self: "https://acme.atlassian.net/rest/api/2/issue/99291/comment/252789",
          updateAuthor: user,
          body: {
            type: "doc",
            version: 1,
            content: [
              {
                type: "paragraph",
                content: [
                  { type: "text", text: "Sí, " },
                  { type: "mention", attrs: { text: "@Mia" } },
                ],
              },
              { type: "paragraph", content: [{ type: "text", text: "🎺" }, { type: "hardBreak" }] },
            ],
          },
        },
        issue,
      }),
    reads: {
      kind: "event",
      event: {
        name: "comment_updated",
        fields: { comment: "Sí, @Mia\n🎺", user: "Bryan Rollins", issue: "JRA-20002" },
      },
      context: ["Comment:\nSí, @Mia\n🎺"],
    },
  },
  {
    title: "an issue that was deleted, with a very long description, the largest form",
    headers: { ...headersOf(), "x-atlassian-webhook-flow": "Secondary" },
    body: (atMs) =>
      JSON.stringify({
        timestamp: atMs,
        webhookEvent: "jira:issue_deleted",
        user,
        issue: { ...issue, fields: { ...issue.fields, description: "x".repeat(32_767), labels: [] } },
      }),
    reads: {
      kind: "event",
      event: { name: "jira:issue_deleted", action: null },
      context: ["Issue: JRA-20002", "Description: xxx"],
    },
  },
  {
    title: "a sprint that was started, as an older Jira sends it: without a time",
    headers: headersOf(),
    body: () =>
      JSON.stringify({ webhookEvent: "sprint_started", sprint: { id: 4, name: "Sprint 4", state: "active" } }),
    reads: {
      kind: "event",
      event: { name: "sprint_started", summary: "Jira sprint_started: Sprint 4", fields: {} },
      context: ["Name: Sprint 4"],
    },
  },
  {
    title: "nothing, since the body is excluded",
    body: () => "",
    reads: { kind: "unreadable", reason: /Exclude body/ },
  },
  {
    title: "no event",
    body: () => '{"timestamp":0}'.replace("0", "null"),
    reads: { kind: "unreadable", reason: /webhookEvent/ },
  },
];

const PAGE = "https://developer.atlassian.com/cloud/jira/platform/webhooks/";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  onRetry: { ...of("the same change"), first: { headers: headersOf() }, knownBy: "id" },
  onEdit: of("an issue that was changed"),
  onDelete: of("an issue that was deleted"),
  largest: { ...of("an issue that was deleted"), bytes: 32_767 },
  rarestEncoding: of("a changed comment, as an Atlassian document"),
};

export const jiraCase: ListenerCase = {
  listener: jira,
  documentation: ["https://developer.atlassian.com/cloud/jira/platform/webhooks/"],
  secrets: ["It's a Secret to Everybody", "another secret of the site"],
  signature: { header: "x-hub-signature", prefix: "sha256=", encoding: "hex" },
  coversBody: true,
  windowSeconds: 300,
  pastSeconds: 72_000,
  async sign(body, secret) {
    return { "x-hub-signature": `sha256=${await hmacHex(secret, body)}` };
  },
  samples,
  sends,
};
