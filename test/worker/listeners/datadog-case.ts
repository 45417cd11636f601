/** What Datadog sends with the payload that the setup gives it, as its documentation shows the variables. */
import { datadog } from "#worker/inbound/sources/datadog.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "Datadog/Webhooks" };
const ALERT = {
  id: "7654321098765432101",
  transition: "Triggered",
  title: "[Triggered on {host:ip-012345}] Host is Down",
  monitor: "1234",
  cycle: "9bd4ac313a4d1e8fae2482df7b77628",
  priority: "P1",
  scope: "availability-zone:us-east-1a, role:computing-node",
  status: "system.load.1 over host:my-host was > 0 at least once during the last 1m",
  metric: "system.load.1",
  query: "avg(last_1m):avg:system.load.1{*} by {host} > 0",
  tags: "monitor, env:prod, host:ip-012345",
  host: "ip-012345",
  link: "https://app.datadoghq.com/monitors#1234?to_ts=1406662672000",
  date: "1406662672000",
  event_type: "metric_alert_monitor",
  body: "The host is down.\n@webhook-reveille",
};
const sent = (more: Record<string, unknown>) => () => JSON.stringify({ ...ALERT, ...more });

const samples: ListenerSample[] = [
  {
    title: "a monitor that triggers",
    headers: HEADERS,
    body: sent({}),
    reads: {
      kind: "event",
      event: {
        name: "Triggered",
        action: null,
        summary: "Datadog [Triggered on {host:ip-012345}] Host is Down",
        dedupe_key: "7654321098765432101",
        fields: {
          title: ALERT.title,
          monitor: "1234",
          cycle: ALERT.cycle,
          priority: "P1",
          scope: ALERT.scope,
          tags: ["monitor", "env:prod", "host:ip-012345"],
          host: "ip-012345",
          metric: "system.load.1",
          body: ALERT.body,
        },
      },
      context: ["Transition: Triggered", "Monitor: 1234", "Status: system.load.1 over", "The host is down."],
    },
  },
  {
    title: "the same once more, since there was no answer",
    headers: HEADERS,
    body: sent({}),
    reads: { kind: "event", event: { name: "Triggered", dedupe_key: "7654321098765432101" }, context: [] },
  },
  {
    title: "a reminder of it, which is another event",
    headers: HEADERS,
    body: sent({ id: "7654321098765432102", transition: "Renotify" }),
    reads: {
      kind: "event",
      event: { name: "Renotify", dedupe_key: "7654321098765432102", fields: { cycle: ALERT.cycle } },
      context: [],
    },
  },
  {
    title: "its recovery, with the variables empty that have nothing",
    headers: HEADERS,
    body: sent({ id: "3", transition: "Recovered", metric: "", host: "$HOSTNAME", tags: "", priority: "null" }),
    reads: {
      kind: "event",
      event: {
        name: "Recovered",
        fields: {
          title: ALERT.title,
          monitor: "1234",
          cycle: ALERT.cycle,
          scope: ALERT.scope,
          body: ALERT.body,
        },
      },
      context: ["Transition: Recovered"],
    },
  },
  {
    title: "the payload that Datadog has by itself",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        body: "@webhook-reveille",
        last_updated: "1406662672000",
        event_type: "metric_alert_monitor",
        title: "[Triggered] Memory",
        date: "1406662672000",
        org: { id: "11023", name: "Acme" },
        id: "1234567",
      }),
    reads: {
      kind: "event",
      event: { name: "notification", summary: "Datadog [Triggered] Memory", dedupe_key: "1234567" },
      context: [],
    },
  },
  {
    title: "numbers where Datadog's variables stand without quotes, beyond what a number can hold",
    headers: HEADERS,
    body: () => '{"id": 7654321098765432101, "transition": "No Data", "monitor": 1234, "title": "Sí 🎺"}',
    reads: {
      kind: "event",
      event: { name: "No Data", dedupe_key: "7654321098765432101", fields: { monitor: "1234", title: "Sí 🎺" } },
      context: [],
    },
  },
  {
    title: "a message of 100,000 characters, the largest form",
    headers: HEADERS,
    body: sent({ body: "x".repeat(100_000) }),
    reads: { kind: "event", event: { name: "Triggered" }, context: ["Message: xxx"] },
  },
  {
    title: "a form",
    headers: { ...HEADERS, "content-type": "application/x-www-form-urlencoded" },
    body: () => "payload=%7B%7D",
    reads: { kind: "unreadable", reason: /Encode as form/ },
  },
];

const PAGE = "https://docs.datadoghq.com/integrations/webhooks/";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  onRetry: { ...of("the same once more"), knownBy: "id" },
  onEdit: of("its recovery"),
  onDelete: {
    doesNotExist: "Datadog's webhooks tell of transitions of monitors, of which deletion is none.",
    page: PAGE,
  },
  largest: { ...of("a message of 100,000"), bytes: 100_000 },
  rarestEncoding: of("numbers where"),
};

export const datadogCase: ListenerCase = {
  listener: datadog,
  documentation: ["https://docs.datadoghq.com/integrations/webhooks/"],
  secrets: ["3f6d2c8a41b7e90512fd", "a-rotated-token-of-the-owner"],
  signature: {
    header: "authorization",
    prefix: "Bearer ",
    encoding: "token",
    missing: "token_missing",
    wrong: "token_wrong",
  },
  coversBody: false,
  windowSeconds: null,
  async sign(_body, secret) {
    return { authorization: `Bearer ${secret}` };
  },
  samples,
  sends,
  refusals: [
    { title: "a name and a password", headers: { authorization: "Basic YTpi" }, failure: "signature_malformed" },
  ],
};
