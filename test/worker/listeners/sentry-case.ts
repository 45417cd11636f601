/** What Sentry sends, as its documentation shows it. */
import { sentry } from "#worker/inbound/sources/sentry.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { sentrySends } from "./sentry-sends.ts";
import { hmacHex } from "./signing.ts";

const REQUEST_ID = "2bd5c5e8a4c94dd7a8b9a1d7a4f1c0de";
const INSTALLATION = { uuid: "a8e5d37a-696c-4c54-adb5-b3f28d64c7de" };
const SENTRY = { id: "sentry", name: "Sentry", type: "application" };

function headers(resource: string): Record<string, string> {
  return { "content-type": "application/json", "request-id": REQUEST_ID, "sentry-hook-resource": resource };
}

/** Sentry writes everything that is not ASCII as escapes: the bytes are other than ours would be. */
function sent(action: string, data: Record<string, unknown>, actor: unknown = SENTRY): () => string {
  const body = JSON.stringify({ action, actor, data, installation: INSTALLATION });
  const escaped = body.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return () => escaped;
}

const ISSUE = {
  url: "https://sentry.io/api/0/organizations/example-org/issues/1234567890/",
  web_url: "https://example-org.sentry.io/issues/1234567890/",
  project_url: "https://example-org.sentry.io/issues/?project=4509877862268928",
  id: "1234567890",
  shortId: "PYTHON-Y",
  title: "TypeError in checkout: café is null",
  culprit: "test-transaction-0-41e49cd3-7252-441f-8d27-63a9ad697b0a",
  level: "fatal",
  status: "unresolved",
  statusDetails: {},
  substatus: "new",
  platform: "javascript",
  project: { id: "112313123123134", name: "python", slug: "python", platform: "python" },
  priority: "high",
  count: "3",
  userCount: 3,
};

const ERROR = {
  culprit: "?(runner)",
  datetime: "2019-08-19T20:58:37.391000Z",
  event_id: "bb78c1407cea4519aa397afc059c793d",
  exception: {
    values: [
      {
        stacktrace: {
          frames: [
            { filename: "/js/prod/runner-4.1.7.min.js", function: null, lineno: 1, in_app: false },
            { filename: "/runner", function: "pay", lineno: 3, in_app: true },
          ],
        },
        type: "ReferenceError",
        value: "blooopy is not defined",
      },
    ],
  },
  issue_url: "https://sentry.io/api/0/issues/1170820242/",
  issue_id: "1170820242",
  level: "error",
  project: 1,
  release: null,
  tags: [
    ["browser", "Chrome 75.0.3770"],
    ["environment", "production"],
    ["level", "error"],
  ],
  title: "ReferenceError: blooopy is not defined",
  web_url: "https://sentry.io/organizations/test-org/issues/1170820242/events/bb78c1407cea4519aa397afc059c793d/",
};

const samples: ListenerSample[] = [
  {
    title: 'an issue, of the page "Issues"',
    headers: headers("issue"),
    body: sent("created", { issue: ISSUE }, { type: "application", id: "example-app", name: "Example App" }),
    reads: {
      kind: "event",
      event: {
        name: "issue",
        action: "created",
        summary: "Sentry issue created: TypeError in checkout: café is null",
        dedupe_key: REQUEST_ID,
        fields: { title: ISSUE.title, level: "fatal", project: "python" },
      },
      context: [
        "Event: Sentry issue created",
        "Title: TypeError in checkout: café is null",
        "URL: https://example-org.sentry.io/issues/1234567890/",
        "By: Example App",
        "Issue: PYTHON-Y",
        "Status: unresolved, new",
        "Seen: 3 times, by 3 users",
      ],
      paths: {
        "data.issue.level": "fatal",
        "data.issue.id": "1234567890",
        "data.issue.priority": "high",
        "data.issue.project.slug": "python",
      },
    },
  },
  {
    title: 'an error, of the page "Errors"',
    headers: headers("error"),
    body: sent("created", { error: ERROR }),
    reads: {
      kind: "event",
      event: {
        name: "error",
        action: "created",
        summary: "Sentry error created: ReferenceError: blooopy is not defined",
        fields: { level: "error", environment: "production" },
      },
      context: [
        "Environment: production",
        "Issue: 1170820242",
        "Where: ?(runner)",
        "Stack, newest call first:\n  at pay (/runner:3)\n  at ? (/js/prod/runner-4.1.7.min.js:1)",
      ],
    },
  },
  {
    title: 'an alert, of the page "Issue Alerts"',
    headers: headers("event_alert"),
    body: sent("triggered", { event: ERROR, triggered_rule: "Very Important Alert Rule!" }),
    reads: {
      kind: "event",
      event: { name: "event_alert", action: "triggered", summary: `Sentry event alert triggered: ${ERROR.title}` },
      context: ["Alert: Very Important Alert Rule!"],
      paths: { "data.event.level": "error", "data.triggered_rule": "Very Important Alert Rule!" },
    },
  },
  {
    title: 'a metric alert, of the page "Metric Alerts"',
    headers: headers("metric_alert"),
    body: sent("resolved", {
      description_text: "1000 events in the last 10 minutes\\nFilter: level:error",
      description_title: "Resolved: Too many errors",
      metric_alert: {
        alert_rule: { id: "7", name: "Too many errors", projects: ["bar"], query: "level:error" },
        id: "4",
        projects: ["bar"],
        title: "Sacred Marmot",
      },
      web_url: "https://sentry.io/organizations/baz/alerts/1/",
    }),
    reads: {
      kind: "event",
      event: {
        name: "metric_alert",
        action: "resolved",
        summary: "Sentry metric alert resolved: Resolved: Too many errors",
        fields: { project: "bar" },
      },
      context: ["URL: https://sentry.io/organizations/baz/alerts/1/", "Text: 1000 events in the last 10 minutes"],
      paths: { "data.metric_alert.alert_rule.name": "Too many errors" },
    },
  },
  {
    title: 'a comment, of the page "Comments"',
    headers: headers("comment"),
    body: sent(
      "created",
      {
        comment: "adding a comment",
        project_slug: "sentry",
        comment_id: 1234,
        issue_id: 100,
        timestamp: "2022-03-02T21:51:44.118160Z",
      },
      { type: "user", id: 1, name: "colleen" },
    ),
    reads: {
      kind: "event",
      event: {
        name: "comment",
        action: "created",
        summary: "Sentry comment created: adding a comment",
        fields: { project: "sentry" },
      },
      context: ["By: colleen", "Issue: 100", "Text: adding a comment"],
    },
  },
  {
    title: 'a cause, of the page "Seer"',
    headers: headers("seer"),
    body: sent("root_cause_completed", {
      run_id: 12345,
      group_id: 1170820242,
      root_cause: { one_line_description: "A `TypeError` is thrown.", relevant_repo: "owner/repo" },
    }),
    reads: {
      kind: "event",
      event: {
        name: "seer",
        action: "root_cause_completed",
        summary: "Sentry seer root_cause_completed: issue 1170820242",
      },
      context: ["Cause: A `TypeError` is thrown.", "Issue: 1170820242"],
    },
  },
  {
    title: 'an activity, of the page "Activity Alerts"',
    headers: headers("activity_alert"),
    body: sent("triggered", {
      issue: ISSUE,
      activity: { type: "seer_root_cause_completed", details: {} },
      alert: { id: 10, title: "I'm keeping an eye on Seer 👀" },
    }),
    reads: {
      kind: "event",
      event: { name: "activity_alert", action: "triggered" },
      context: ["Alert: I'm keeping an eye on Seer 👀", "Activity: seer_root_cause_completed"],
    },
  },
  {
    title: "of a resource that is yet to come",
    headers: headers("preprod_artifact"),
    body: sent("size_analysis_completed", { buildId: "1" }),
    reads: {
      kind: "event",
      event: { name: "preprod_artifact", summary: "Sentry preprod artifact size_analysis_completed" },
      context: [],
    },
  },
  {
    title: 'an installation with its code, of the page "Installation"',
    headers: headers("installation"),
    body: sent("created", { installation: { code: "secret-code", status: "pending" } }),
    reads: { kind: "ignored", reason: /installed or removed/ },
  },
  {
    title: "an issue under the name of another resource",
    headers: headers("metric_alert"),
    body: sent("created", { issue: ISSUE }),
    reads: { kind: "unreadable", reason: /no data.metric_alert/ },
  },
  { title: "no resource", body: sent("created", {}), reads: { kind: "unreadable", reason: /names no resource/ } },
];

export const sentryCase: ListenerCase = {
  listener: sentry,
  documentation: ["https://docs.sentry.io/integrations/integration-platform/webhooks/"],
  secrets: [
    "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90",
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
  ],
  signature: { header: "sentry-hook-signature", prefix: "", encoding: "hex" },
  coversBody: true,
  windowSeconds: null,
  async sign(body, secret, atMs) {
    const time = String(Math.floor(atMs / 1_000));
    return { "sentry-hook-timestamp": time, "sentry-hook-signature": await hmacHex(secret, body) };
  },
  samples,
  sends: sentrySends,
};
