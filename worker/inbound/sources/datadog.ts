/**
 * Datadog's Webhooks integration: what monitors notify of. Datadog signs nothing: a header of the webhook shows the secret.
 * @see https://docs.datadoghq.com/integrations/webhooks/ "Webhooks": payload, variables, custom headers, repeats
 */
import { hasSecret } from "./hex-signature.ts";
import { isAnyToken } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, wordAt } from "./payload.ts";
import { strictBearerToken, unverified, verified } from "./verification.ts";

/** Of the webhook's own payload: Datadog's variables by the names of their fields here. */
const PAYLOAD = {
  id: "$ID",
  transition: "$ALERT_TRANSITION",
  title: "$EVENT_TITLE",
  monitor: "$ALERT_ID",
  cycle: "$ALERT_CYCLE_KEY",
  priority: "$ALERT_PRIORITY",
  scope: "$ALERT_SCOPE",
  status: "$ALERT_STATUS",
  metric: "$ALERT_METRIC",
  query: "$ALERT_QUERY",
  tags: "$TAGS",
  host: "$HOSTNAME",
  link: "$LINK",
  date: "$DATE",
  event_type: "$EVENT_TYPE",
  body: "$EVENT_MSG",
};
/** Of a payload that does not say which way the monitor went, as Datadog's own does not. */
const UNNAMED = "notification";

export const datadog: Listener = {
  source: "datadog",
  title: "Datadog",
  secretFrom: "reveille",
  fields: [
    { field: "title", what: "The event's title, such as [Triggered] CPU is high" },
    { field: "monitor", what: "The monitor's number, as text" },
    { field: "cycle", what: "The same from when a monitor triggers until it recovers, for one group of it" },
    { field: "priority", what: "P1 to P5" },
    { field: "scope", what: "The tags that trigger it, with commas: env:prod,host:web-1" },
    { field: "tags", what: "All its tags, as a list" },
    { field: "host", what: "The host, where the monitor has one" },
    { field: "metric", what: "The metric, where it has one" },
    { field: "body", what: "The monitor's message" },
  ],
  setUp: (url) => [
    "Draw this endpoint's secret in Reveille: it is shown once.",
    "In Datadog, open **Integrations → Webhooks → Configuration**, and press **New**.",
    `Give it a name, for instance \`reveille\`, and the **URL** \`${url}\`.`,
    `As the **Payload**, give \`${JSON.stringify(PAYLOAD)}\`. Leave **Encode as form** off.`,
    'Tick **Custom Headers**, and give `{"Authorization": "Bearer SECRET"}`, with the secret in the place of `SECRET`. Press **Save**.',
    "In a monitor's message, name `@webhook-reveille`. `{{#is_alert}}@webhook-reveille{{/is_alert}}` leaves out its recovery.",
    "Press the monitor's **Test Notifications**: the delivery shows up in Reveille within seconds.",
  ],
  async verify({ headers }, { secrets }) {
    if (!hasSecret(secrets)) return unverified("no_secret");
    const bearer = strictBearerToken(headers);
    if ("failure" in bearer) return unverified(bearer.failure);
    return (await isAnyToken(secrets, bearer.token)) ? verified : unverified("token_wrong");
  },
  read,
};

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) {
    return { kind: "unreadable", reason: "The body is not a JSON object: leave “Encode as form” off in Datadog." };
  }
  const of = (name: string) => filled(wordAt(payload, name));
  const name = of("transition") ?? UNNAMED;
  const title = of("title");
  const tags = (of("tags") ?? "").split(",").flatMap((tag) => tag.trim() || []);
  const event = readEvent({
    name,
    action: null,
    summary: `Datadog ${title ?? name}`,
    // The event's id in Datadog: what is sent again has the same, what is notified of again another.
    dedupe_key: of("id"),
    payload,
    fields: namedFields({
      title,
      monitor: of("monitor"),
      cycle: of("cycle"),
      priority: of("priority"),
      scope: of("scope"),
      tags: tags.length === 0 ? null : tags,
      host: of("host"),
      metric: of("metric"),
      body: of("body"),
    }),
    context: contextOf([
      ["Transition", name],
      ["Title", title],
      ["Status", of("status")],
      ["Priority", of("priority")],
      ["Monitor", of("monitor")],
      ["Scope", of("scope")],
      ["Host", of("host")],
      ["Metric", of("metric")],
      ["Query", of("query")],
      ["Tags", tags.join(", ") || null],
      ["Address", of("link")],
      ["Message", textAt(payload, "body")],
    ]),
  });
  return { kind: "event", event };
}

/** A variable that has nothing for this event is left empty, or as it is written. */
function filled(text: string | null): string | null {
  return text === null || text === "null" || /^\$[A-Z_]+$/.test(text) ? null : text;
}
