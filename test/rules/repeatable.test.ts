/** Which sources' events are known by their body, beside their id. GitHub's are met in the journey of repeats. */
import { expect, it } from "vitest";
import type { JsonObject } from "#protocol/schema.ts";
import { type WebhookSource, webhookSources } from "#protocol/triggers.ts";
import { isRepeatable } from "#worker/inbound/sources/github/repeatable.ts";
import { isKnownByBody } from "#worker/inbound/sources/repeatable.ts";

it.each<[source: WebhookSource, name: string, payload: JsonObject, isKnown: boolean]>([
  ["linear", "Issue", { action: "update" }, true],
  ["sentry", "error", { action: "created" }, true],
  ["sentry", "event_alert", { action: "triggered" }, true],
  ["sentry", "issue", { action: "created" }, true],
  ["sentry", "issue", { action: "resolved" }, false],
  ["sentry", "issue", { action: "unresolved" }, false],
  ["sentry", "issue", { action: "assigned" }, false],
  ["sentry", "metric_alert", { action: "critical" }, false],
  ["sentry", "metric_alert", { action: "resolved" }, false],
  ["sentry", "comment", { action: "created" }, true],
  ["sentry", "comment", { action: "updated" }, false],
  ["sentry", "something_new", {}, false],
])("%s %s %j: %s", (source, name, payload, isKnown) => {
  expect(isKnownByBody(source, name, payload)).toBe(isKnown);
});

it.each(webhookSources.filter((source) => source !== "linear" && source !== "sentry"))(
  "%s signs its id, or gives none that a stranger could make up",
  (source) => {
    expect(isKnownByBody(source, "issue", { action: "created" })).toBe(false);
  },
);

it.each<[what: string, payload: JsonObject]>([
  ["nothing", {}],
  ["parts of other kinds", { thread: null, after: false, release: 7, check_run: [] }],
  ["a mark that is empty", { release: { id: null, node_id: "" } }],
])("of GitHub's, %s is nothing of its own", (_what, payload) => {
  expect(isRepeatable(payload)).toBe(true);
});
