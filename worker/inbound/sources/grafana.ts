/**
 * Grafana Alerting's webhook contact points.
 * @see https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
 * @see https://github.com/grafana/alerting/blob/main/http/hmac.go what is signed where a timestamp header is set
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { hasSecret, verifyHexSignature } from "./hex-signature.ts";
import { isAnyToken, isNear, prefixed } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, isObject, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";
import { strictBearerToken, unverified, verified } from "./verification.ts";

const SIGNATURE = "x-grafana-alerting-signature";
const TIME = "x-grafana-alerting-timestamp";
const WINDOW_SECONDS = 300;
const ALERTS_TOLD = 20;

export const grafana: Listener = {
  source: "grafana",
  title: "Grafana",
  secretFrom: "reveille",
  fields: [
    { field: "title", what: "The notification's title" },
    { field: "receiver", what: "The contact point's name" },
    { field: "alertname", what: "The rule's name, where all alerts of the notification share it" },
    { field: "severity", what: "The label severity, where all alerts share it" },
    { field: "firing", what: "How many of its alerts are firing" },
    { field: "resolved", what: "How many of its alerts are resolved" },
    { field: "group", what: "What the notification's alerts have in common: the same for one group of alerts" },
    { field: "commonLabels.grafana_folder", what: "The rule's folder; every other label in the same way" },
    { field: "commonAnnotations.summary", what: "The rule's summary, where all alerts share it" },
    { field: "alerts.0.labels.instance", what: "A label of the first alert" },
    { field: "orgId", what: "The organization's number" },
  ],
  setUp: (url) => [
    "Draw this endpoint's secret in Reveille: it is shown once.",
    "In Grafana, open **Alerts & IRM → Alerting → Notification configuration → Contact points**, and press **Create contact point**.",
    `Name it, choose the integration **Webhook**, and give the **URL** \`${url}\`.`,
    "Under **Optional Webhook settings → HMAC Signature** (Grafana 12 and later), give the **Secret**; leave the header `X-Grafana-Alerting-Signature`, and set the **Timestamp Header** to `X-Grafana-Alerting-Timestamp`.",
    "In an older Grafana, give the secret as **Authorization Header → Credentials**, with the scheme `Bearer`.",
    "Press **Test**: the delivery shows up in Reveille within seconds. Press **Save contact point**.",
    "Under **Notification policies**, or in the rule itself, have the alerts sent to the contact point.",
  ],
  verify,
  read,
};

/** A request that has a signature stands and falls with it. Without one, the secret itself has to be shown. */
async function verify({ headers, body }: InboundRequest, context: VerifyContext): Promise<Verification> {
  if (!hasSecret(context.secrets)) return unverified("no_secret");
  const signature = headers.get(SIGNATURE);
  if (signature === null || signature === "") return verifyToken(headers, context.secrets);
  const time = headers.get(TIME);
  if (time !== null && !/^[0-9]{1,12}$/.test(time)) return unverified("time_missing");
  const message = time === null ? body : prefixed(`${time}:`, body);
  const signed = await verifyHexSignature(signature, "", message, context.secrets);
  if (!signed.ok || time === null) return signed;
  return isNear(Number(time), context.nowMs, WINDOW_SECONDS) ? signed : unverified("time_out_of_range");
}

async function verifyToken(headers: Headers, secrets: readonly string[]): Promise<Verification> {
  const bearer = strictBearerToken(headers);
  if ("failure" in bearer) return unverified(bearer.failure);
  return (await isAnyToken(secrets, bearer.token)) ? verified : unverified("token_wrong");
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const name = textAt(payload, "status");
  const alerts = valueAt(payload, "alerts");
  if (name === null || !Array.isArray(alerts)) {
    return {
      kind: "unreadable",
      reason: "The body has no status and alerts: a custom payload of the contact point has to keep both.",
    };
  }
  // A contact point may tell of so many alerts at most.
  const leftOut = Number(wordAt(payload, "truncatedAlerts") ?? 0) || 0;
  const untold = Math.max(0, alerts.length - ALERTS_TOLD) + leftOut;
  const count = (status: string) => alerts.filter((alert) => textAt(alert, "status") === status).length;
  const title = textAt(payload, "title");
  const rule = textAt(payload, "commonLabels.alertname") ?? textAt(alerts[0], "labels.alertname");
  const summary = textAt(payload, "commonAnnotations.summary") ?? textAt(alerts[0], "annotations.summary");
  const event = readEvent({
    name,
    action: null,
    summary: `Grafana ${title ?? `${name}: ${rule ?? "alerts"}`}`,
    dedupe_key: changeKey(name, alerts, leftOut),
    payload,
    fields: namedFields({
      title,
      receiver: textAt(payload, "receiver"),
      alertname: textAt(payload, "commonLabels.alertname"),
      severity: textAt(payload, "commonLabels.severity"),
      firing: count("firing"),
      resolved: count("resolved"),
      group: textAt(payload, "groupKey"),
    }),
    context: contextOf([
      ["Status", name],
      ["Title", title],
      ["Rule", rule],
      ["Summary", summary],
      ["Contact point", textAt(payload, "receiver")],
      ["Grafana", textAt(payload, "externalURL")],
      ["Alerts", alerts.slice(0, ALERTS_TOLD).map(alertLine).join("\n") || null],
      ["Left out", untold > 0 ? `${untold} more alerts` : null],
      ["Message", textAt(payload, "message")],
    ]),
  });
  return { kind: "event", event };
}

/**
 * Grafana sends no id. A group's notifications differ by what changed last in it: which alert began or ended, when, and how
 * many there are. What Grafana sends again because it had no answer, or to remind while nothing has changed, has the same.
 */
function changeKey(status: string, alerts: readonly Json[], leftOut: number): string | null {
  const changes = alerts.flatMap((alert) => {
    const of = textAt(alert, "status");
    const at = textAt(alert, of === "resolved" ? "endsAt" : "startsAt");
    const print = textAt(alert, "fingerprint");
    return at === null || print === null ? [] : [{ atMs: Date.parse(at) || 0, text: `${at} ${print} ${of}` }];
  });
  if (changes.length < alerts.length) return null;
  // By the instant: an hour is written twice when clocks go back.
  const newest = changes.sort((one, other) => one.atMs - other.atMs || compare(one.text, other.text)).at(-1);
  return newest === undefined ? null : `${status} ${alerts.length + leftOut} ${newest.text}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** For instance `firing: High memory on srv-1 (severity=critical) since …, values B=23, https://…`. */
function alertLine(alert: Json): string {
  const labels = valueAt(alert, "labels");
  const others = isObject(labels) ? labelsOf(labels) : "";
  const ended = textAt(alert, "status") === "resolved" ? textAt(alert, "endsAt") : null;
  const parts = [
    `${textAt(alert, "status") ?? "?"}: ${textAt(alert, "labels.alertname") ?? "an alert"}${others === "" ? "" : ` (${others})`}`,
    textAt(alert, "annotations.summary"),
    `since ${textAt(alert, "startsAt") ?? "?"}${ended === null ? "" : ` until ${ended}`}`,
    textAt(alert, "valueString"),
    textAt(alert, "annotations.runbook_url"),
    textAt(alert, "panelURL") ?? textAt(alert, "generatorURL"),
  ];
  return `- ${parts.filter((part) => part !== null).join(", ")}`;
}

function labelsOf(labels: JsonObject): string {
  return Object.entries(labels)
    .filter(([name, value]) => name !== "alertname" && typeof value === "string")
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
