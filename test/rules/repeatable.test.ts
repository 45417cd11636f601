/** Which sources' events are known by their body, beside their id. GitHub's are met in the journey of repeats. */
import { expect, it } from "vitest";
import type { JsonObject } from "#protocol/schema.ts";
import { type WebhookSource, webhookSources } from "#protocol/webhook-sources.ts";
import { isRepeatable } from "#worker/inbound/sources/github/repeatable.ts";
import { knownByBody } from "#worker/inbound/sources/repeatable.ts";

it.each<[source: WebhookSource, name: string, payload: JsonObject, known: ReturnType<typeof knownByBody>]>([
  ["linear", "Issue", { action: "update" }, "once"],
  ["sentry", "error", { action: "created" }, "once"],
  ["sentry", "event_alert", { action: "triggered" }, "once"],
  ["sentry", "issue", { action: "created" }, "once"],
  ["sentry", "issue", { action: "resolved" }, null],
  ["sentry", "issue", { action: "unresolved" }, null],
  ["sentry", "issue", { action: "assigned" }, null],
  ["sentry", "metric_alert", { action: "critical" }, null],
  ["sentry", "metric_alert", { action: "resolved" }, null],
  ["sentry", "comment", { action: "created" }, "once"],
  ["sentry", "comment", { action: "updated" }, null],
  ["sentry", "something_new", {}, null],
  ["jira", "jira:issue_updated", { timestamp: 1_795_166_400_000 }, "once"],
  ["jira", "sprint_started", {}, null],
  ["bitbucket", "repo:push", {}, "lately"],
])("%s %s %j: %s", (source, name, payload, known) => {
  expect(knownByBody(source, name, payload)).toBe(known);
});

const UNSIGNED_IDS: readonly WebhookSource[] = ["linear", "sentry", "jira", "bitbucket"];

it.each(webhookSources.filter((source) => !UNSIGNED_IDS.includes(source)))(
  "%s signs its id, or gives none that a stranger could make up",
  (source) => {
    expect(knownByBody(source, "issue", { action: "created" })).toBeNull();
  },
);

it.each<[what: string, payload: JsonObject]>([
  ["nothing", {}],
  ["parts of other kinds", { thread: null, after: false, release: 7, check_run: [] }],
  ["a mark that is empty", { release: { id: null, node_id: "" } }],
])("of GitHub's, %s is nothing of its own", (_what, payload) => {
  expect(isRepeatable(payload)).toBe(true);
});
