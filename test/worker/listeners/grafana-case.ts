/** What Grafana Alerting sends, as its documentation shows it. */
import { grafana } from "#worker/inbound/sources/grafana.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";
import { bytesOf, hmacHex } from "./signing.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "Grafana" };
const NEVER = "0001-01-01T00:00:00Z";
const alert = (fingerprint: string, more: Record<string, unknown> = {}) => ({
  status: "firing",
  labels: { alertname: "High memory usage", team: "blue", zone: "us-1", severity: "critical", instance: "srv-1" },
  annotations: { summary: "The system has high memory usage", runbook_url: "https://wiki.example/1" },
  startsAt: "2021-10-12T09:51:03.157076+02:00",
  endsAt: NEVER,
  generatorURL: "https://play.grafana.org/alerting/1afz29v7z/edit",
  fingerprint,
  silenceURL: "https://play.grafana.org/alerting/silence/new",
  dashboardURL: "",
  panelURL: "https://play.grafana.org/d/1?viewPanel=1",
  values: { B: 44.23943737541908, C: 1 },
  valueString: "[ metric='' labels={} value=14151.331895396988 ]",
  ...more,
});

function notification(status: string, alerts: unknown[], more: Record<string, unknown> = {}) {
  return JSON.stringify({
    receiver: "My Super Webhook",
    status,
    orgId: 1,
    alerts,
    groupLabels: {},
    commonLabels: { alertname: "High memory usage", severity: "critical", grafana_folder: "GrafanaCloud" },
    commonAnnotations: { summary: "The system has high memory usage" },
    externalURL: "https://play.grafana.org/",
    version: "1",
    groupKey: '{}:{alertname="High memory usage"}',
    truncatedAlerts: 0,
    title: `[${status.toUpperCase()}:${alerts.length}]  (High memory usage blue)`,
    state: "alerting",
    message: "**Firing**\n\nLabels:\n - alertname = High memory usage",
    ...more,
  });
}

const FIRST = "c6eadffa33fcdf37";
const SECOND = alert("c6eadffa33fcdf38", { startsAt: "2021-10-12T09:56:03.157076+02:00" });
const FIRING = "firing 2 2021-10-12T09:56:03.157076+02:00 c6eadffa33fcdf38 firing";

const samples: ListenerSample[] = [
  {
    title: "two alerts (Webhook notifier, body)",
    headers: HEADERS,
    body: () => notification("firing", [alert(FIRST), SECOND]),
    reads: {
      kind: "event",
      event: {
        name: "firing",
        action: null,
        summary: "Grafana [FIRING:2] (High memory usage blue)",
        dedupe_key: FIRING,
        fields: {
          title: "[FIRING:2]  (High memory usage blue)",
          receiver: "My Super Webhook",
          alertname: "High memory usage",
          severity: "critical",
          firing: 2,
          resolved: 0,
          group: '{}:{alertname="High memory usage"}',
        },
      },
      context: [
        "Rule: High memory usage",
        "Summary: The system has high memory usage",
        "- firing: High memory usage (team=blue, zone=us-1, severity=critical, instance=srv-1)",
        "https://wiki.example/1",
      ],
      paths: { "alerts.0.labels.instance": "srv-1", "commonLabels.grafana_folder": "GrafanaCloud", orgId: 1 },
    },
  },
  {
    title: "the same alerts again, in another order and with other values: a repeat, or a reminder",
    headers: HEADERS,
    body: () => notification("firing", [SECOND, alert(FIRST, { valueString: "[ value=14152 ]" })]),
    reads: { kind: "event", event: { name: "firing", dedupe_key: FIRING }, context: [] },
  },
  {
    title: "one of them resolved, which is another event",
    headers: HEADERS,
    body: () =>
      notification("firing", [alert(FIRST, { status: "resolved", endsAt: "2021-10-12T10:02:00+02:00" }), SECOND]),
    reads: {
      kind: "event",
      event: {
        name: "firing",
        dedupe_key: "firing 2 2021-10-12T10:02:00+02:00 c6eadffa33fcdf37 resolved",
      },
      context: ["- resolved: High memory usage", "until 2021-10-12T10:02:00+02:00"],
    },
  },
  {
    title: "one that ended after the clocks went back: what is newest is so by its instant, not as it is written",
    headers: HEADERS,
    body: () =>
      notification("firing", [
        alert(FIRST, { startsAt: "2021-10-31T02:50:00+02:00" }),
        alert("c6eadffa33fcdf38", { status: "resolved", endsAt: "2021-10-31T02:10:00+01:00" }),
      ]),
    reads: {
      kind: "event",
      event: { name: "firing", dedupe_key: "firing 2 2021-10-31T02:10:00+01:00 c6eadffa33fcdf38 resolved" },
      context: [],
    },
  },
  {
    title: "more alerts than the contact point tells of: those that are left out are counted",
    headers: HEADERS,
    body: () => notification("firing", [alert(FIRST), SECOND], { truncatedAlerts: 3 }),
    reads: { kind: "event", event: { name: "firing", dedupe_key: FIRING.replace("2", "5") }, context: ["Left out: 3"] },
  },
  {
    title: "all of them resolved",
    headers: HEADERS,
    body: () => notification("resolved", [alert(FIRST, { status: "resolved", endsAt: "2021-10-12T10:30:00+02:00" })]),
    reads: {
      kind: "event",
      event: { name: "resolved", dedupe_key: "resolved 1 2021-10-12T10:30:00+02:00 c6eadffa33fcdf37 resolved" },
      context: [],
    },
  },
  {
    title: "500 alerts with long labels beyond ASCII, the largest form",
    headers: HEADERS,
    body: () =>
      notification(
        "firing",
        Array.from({ length: 500 }, (_, place) =>
          alert(`f${place}`, { labels: { alertname: "Zoë", where: "🎺".repeat(200) } }),
        ),
        { commonLabels: {}, commonAnnotations: {} },
      ),
    reads: { kind: "event", event: { name: "firing" }, context: ["- firing: Zoë"] },
  },
  {
    title: "a custom payload that has kept status and alerts",
    headers: HEADERS,
    body: () => JSON.stringify({ status: "firing", alerts: [{ status: "firing", labels: { alertname: "A" } }] }),
    reads: {
      kind: "event",
      event: { name: "firing", summary: "Grafana firing: A", dedupe_key: null, fields: { firing: 1, resolved: 0 } },
      context: ["- firing: A, since ?"],
    },
  },
  {
    title: "a custom payload that has not",
    headers: HEADERS,
    body: () => '{"text":"hello"}',
    reads: { kind: "unreadable", reason: /custom payload/ },
  },
];

const PAGE =
  "https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  onRetry: {
    ...of("the same alerts again"),
    first: { body: () => notification("firing", [alert(FIRST), SECOND]) },
    knownBy: "id",
  },
  onEdit: of("one of them resolved"),
  onDelete: { doesNotExist: "Grafana tells of alerts that end as resolved, whatever has ended them.", page: PAGE },
  largest: { ...of("500 alerts"), bytes: 400_000 },
  rarestEncoding: of("a custom payload that has kept"),
};

const common = {
  listener: grafana,
  documentation: [
    "https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
  ],
  secrets: ["a-secret-of-the-contact-point", "another-one-0123456789"],
  samples,
  sends,
} as const;

const hmac = { header: "x-grafana-alerting-signature", prefix: "", encoding: "hex", missing: "token_missing" } as const;

export const grafanaCases: readonly ListenerCase[] = [
  {
    ...common,
    variant: "signed with the time",
    signature: hmac,
    coversBody: true,
    windowSeconds: 300,
    async sign(body, secret, atMs) {
      const time = String(Math.floor(atMs / 1_000));
      const head = bytesOf(`${time}:`);
      const message = new Uint8Array(head.length + body.length);
      message.set(head);
      message.set(body, head.length);
      return { "x-grafana-alerting-timestamp": time, "x-grafana-alerting-signature": await hmacHex(secret, message) };
    },
    refusals: [
      { title: "no time", headers: { "x-grafana-alerting-timestamp": null }, failure: "signature_wrong" },
      { title: "a time that is a word", headers: { "x-grafana-alerting-timestamp": "now" }, failure: "time_missing" },
      { title: "another time", headers: { "x-grafana-alerting-timestamp": "1795166401" }, failure: "signature_wrong" },
      {
        title: "a wrong signature beside the right token",
        headers: {
          "x-grafana-alerting-signature": "0".repeat(64),
          authorization: `Bearer ${common.secrets[0]}`,
        },
        failure: "signature_wrong",
      },
    ],
  },
  {
    ...common,
    variant: "signed without a time",
    signature: hmac,
    coversBody: true,
    windowSeconds: null,
    async sign(body, secret) {
      return { "x-grafana-alerting-signature": await hmacHex(secret, body) };
    },
  },
  {
    ...common,
    variant: "bearer",
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
    refusals: [{ title: "another scheme", headers: { authorization: "Basic YTpi" }, failure: "signature_malformed" }],
  },
];
