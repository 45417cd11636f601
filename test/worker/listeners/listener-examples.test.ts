/** The examples of the sources' pages wake, and only for what they say. */
import { describe, expect, it } from "vitest";
import type { Filter } from "#protocol/filters.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { type Trigger, triggerInputSchema } from "#protocol/triggers.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";
import { judgeTrigger } from "#rules/triggers/judge-trigger.ts";
import { LISTENERS } from "#worker/inbound/sources/all.ts";
import { bytesOf } from "./signing.ts";

const PAGES = import.meta.glob<string>("../../../docs/listeners/*.md", {
  query: "?raw",
  import: "default",
  eager: true,
});
const pageOf = (source: string) => PAGES[`../../../docs/listeners/${source}.md`] ?? "";

interface Example {
  source: WebhookSource;
  events?: string[];
  filters: Filter[];
  /** What wakes it, and what does not. */
  wakes: Sent[];
  sleeps: Sent[];
}
interface Sent {
  headers?: Record<string, string>;
  body: object;
}

const person = { id: 7654321, is_bot: false, first_name: "Ann" };
const message = (text: string, chat: number) => ({
  body: { update_id: 1, message: { message_id: 1, from: person, chat: { id: chat, type: "supergroup" }, text } },
});
const command = (name: string, server: string) => ({
  body: { type: 2, id: "1", guild_id: server, channel_id: "2", data: { name }, member: { user: { id: "3" } } },
});
const issue = (field: string, status: string) => ({
  body: {
    webhookEvent: "jira:issue_updated",
    issue: { key: "ENG-1", fields: { status: { name: status } } },
    changelog: { items: [{ field }] },
  },
});
const comment = (body: string) => ({
  body: { webhookEvent: "comment_created", comment: { body }, issue: { key: "ENG-1" } },
});
const alerts = (status: string, severity: string) => ({ body: { status, alerts: [], commonLabels: { severity } } });
const monitor = (transition: string, tags: string) => ({ body: { id: "1", transition, tags } });
const pull = (event: string, target: string, draft: boolean) => ({
  headers: { "x-event-key": event },
  body: { pullrequest: { id: 1, draft, destination: { branch: { name: target } } } },
});
const build = (state: string) => ({
  headers: { "x-event-key": "repo:commit_status_updated" },
  body: { commit_status: { state } },
});
const merge = (action: string, attributes: object = {}) => ({
  body: {
    object_kind: "merge_request",
    object_attributes: { iid: 1, target_branch: "main", draft: false, action, ...attributes },
  },
});
const pushed = (ref: string, commits: number) => ({ body: { object_kind: "push", ref, total_commits_count: commits } });
const pipeline = (status: string, ref: string) => ({
  body: { object_kind: "pipeline", object_attributes: { status, ref } },
});
const invoice = (type: string, livemode: boolean) => ({ body: { id: "evt_1", type, livemode, data: { object: {} } } });

const EXAMPLES: Example[] = [
  {
    source: "gitlab",
    events: ["merge_request"],
    filters: [
      { field: "brings_commits", operator: "equals", value: true },
      { field: "target_branch", operator: "equals", value: "main" },
      { field: "object_attributes.draft", operator: "equals", value: false },
    ],
    wakes: [merge("open"), merge("reopen"), merge("update", { oldrev: "b6568db1bc1dcd7f8b4d5a946b0b91f9dacd7327" })],
    sleeps: [
      // A new label, title or reviewer, and a draft that becomes ready.
      merge("update"),
      merge("merge"),
      merge("close"),
      merge("approved"),
      merge("open", { draft: true }),
      merge("open", { target_branch: "dev" }),
      pushed("refs/heads/main", 1),
    ],
  },
  {
    source: "gitlab",
    events: ["push"],
    filters: [
      { field: "branch", operator: "equals", value: "main" },
      { field: "brings_commits", operator: "equals", value: true },
    ],
    wakes: [pushed("refs/heads/main", 4)],
    sleeps: [pushed("refs/heads/main", 0), pushed("refs/heads/dev", 4), merge("open")],
  },
  {
    source: "gitlab",
    events: ["pipeline"],
    filters: [
      { field: "status", operator: "equals", value: "failed" },
      { field: "branch", operator: "equals", value: "main" },
    ],
    wakes: [pipeline("failed", "main")],
    sleeps: [pipeline("success", "main"), pipeline("failed", "dev")],
  },
  {
    source: "telegram",
    events: ["message"],
    filters: [
      { field: "command", operator: "equals", value: "deploy" },
      { field: "chat", operator: "equals", value: "-1001234567890" },
    ],
    wakes: [message("/deploy@acme_bot now", -1_001_234_567_890)],
    sleeps: [message("/deploy", -1), message("please /deploy", -1_001_234_567_890)],
  },
  {
    source: "telegram",
    events: ["message"],
    filters: [{ field: "user", operator: "is_one_of", value: ["7654321"] }],
    wakes: [message("hello", 5)],
    sleeps: [{ body: { update_id: 1, message: { from: { ...person, id: 8 }, text: "hello" } } }],
  },
  {
    source: "discord",
    events: ["command"],
    filters: [
      { field: "command", operator: "equals", value: "deploy" },
      { field: "server", operator: "equals", value: "290926798626357999" },
    ],
    wakes: [command("deploy", "290926798626357999")],
    sleeps: [command("deploy", "290926798626357998"), command("undeploy", "290926798626357999")],
  },
  {
    source: "discord",
    events: ["command"],
    filters: [{ field: "command", operator: "equals", value: "agent" }],
    wakes: [command("agent", "1")],
    sleeps: [command("deploy", "1")],
  },
  {
    source: "jira",
    events: ["jira:issue_updated"],
    filters: [
      { field: "changed", operator: "contains", value: "status" },
      { field: "status", operator: "equals", value: "Ready for development" },
    ],
    wakes: [issue("status", "Ready for development")],
    sleeps: [issue("assignee", "Ready for development"), issue("status", "Done")],
  },
  {
    source: "jira",
    events: ["comment_created"],
    filters: [{ field: "comment", operator: "contains", value: "@reveille" }],
    wakes: [comment("see to it, @reveille")],
    sleeps: [comment("see to it")],
  },
  {
    source: "grafana",
    events: ["firing"],
    filters: [{ field: "severity", operator: "is_one_of", value: ["critical", "high"] }],
    wakes: [alerts("firing", "critical")],
    sleeps: [alerts("resolved", "critical"), alerts("firing", "low")],
  },
  {
    source: "datadog",
    events: ["Triggered", "Re-Triggered", "No Data"],
    filters: [{ field: "tags", operator: "contains", value: "env:prod" }],
    wakes: [monitor("No Data", "monitor, env:prod")],
    sleeps: [monitor("Recovered", "env:prod"), monitor("Triggered", "env:production")],
  },
  {
    source: "bitbucket",
    events: ["pullrequest:created", "pullrequest:updated"],
    filters: [
      { field: "target_branch", operator: "equals", value: "main" },
      { field: "pullrequest.draft", operator: "equals", value: false },
    ],
    wakes: [pull("pullrequest:created", "main", false)],
    sleeps: [
      pull("pullrequest:created", "main", true),
      pull("pullrequest:fulfilled", "main", false),
      pull("pullrequest:updated", "dev", false),
    ],
  },
  {
    source: "bitbucket",
    events: ["repo:commit_status_updated"],
    filters: [{ field: "state", operator: "equals", value: "FAILED" }],
    wakes: [build("FAILED")],
    sleeps: [build("SUCCESSFUL")],
  },
  {
    source: "stripe",
    events: ["invoice.payment_failed", "charge.dispute.created"],
    filters: [{ field: "livemode", operator: "equals", value: true }],
    wakes: [invoice("invoice.payment_failed", true)],
    sleeps: [invoice("invoice.payment_failed", false), invoice("invoice.paid", true)],
  },
];

describe.each(EXAMPLES)("the example of $source with $events", ({ source, events, filters, wakes, sleeps }) => {
  const id = "trg_01JD0000000000000000000000";
  const trigger = { ...triggerInputSchema.parse({ type: "webhook", source, events, filters }), id } as Trigger;
  const matched = ({ headers, body }: Sent) => {
    const request = { headers: new Headers(headers), body: bytesOf(JSON.stringify(body)) };
    const reading = LISTENERS[source].read(request, { auth: null, pubsub: null, url: "https://reveille.example" });
    if (reading.kind !== "event") return reading.reason;
    const event = { ...reading.event, source, trigger_id: id, github: null, caused_by: null } as unknown as SourceEvent;
    return judgeTrigger(trigger, event, { id: "rtn_1", repositories: [], repositoryIds: new Map() })?.matched;
  };

  it("wakes for what it says, and for nothing else", () => {
    expect(wakes.map(matched)).toEqual(wakes.map(() => true));
    expect(sleeps.map(matched)).toEqual(sleeps.map(() => false));
  });

  it("is what the page shows", () => {
    const page = pageOf(source);
    for (const name of events ?? []) expect(page).toContain(name);
    for (const { field, operator } of filters)
      expect(page).toContain(`{ field: ${field}, operator: ${operator}, value: `);
  });
});
