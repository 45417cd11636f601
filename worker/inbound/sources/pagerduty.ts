/**
 * PagerDuty's V3 webhooks.
 * @see https://docs.pagerduty.com/developer/webhooks-overview "Webhooks Overview": payloads and event types
 * @see https://docs.pagerduty.com/developer/verifying-webhook-signatures "Verifying Signatures": several in one header
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { hasSecret } from "./hex-signature.ts";
import { hexDigest, isSignedByAny } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { listed, namedFields, textsOf } from "./named-fields.ts";
import { contextOf, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";

/** More than a rotation ever needs; each costs a digest for each of our secrets. */
const MAX_SIGNATURES = 10;

export const pagerduty: Listener = {
  source: "pagerduty",
  title: "PagerDuty",
  secretFrom: "source",
  fields: [
    { field: "title", what: "The incident's title; of a service, its name" },
    { field: "service", what: "The service's name" },
    { field: "priority", what: "The priority's name, such as P1; not there while the incident has none" },
    { field: "teams", what: "The names of the teams" },
    { field: "assignees", what: "The names of those it is assigned to" },
    { field: "event.data.urgency", what: "high or low" },
    { field: "event.data.status", what: "triggered, acknowledged or resolved" },
    { field: "event.data.service.id", what: "The service's id" },
    { field: "event.data.content", what: "Of incident.annotated: the note" },
    { field: "event.data.message", what: "Of a status update or a responder request: its text" },
    { field: "event.agent.summary", what: "Who did it; not there where PagerDuty did" },
    { field: "event.resource_type", what: "incident or service" },
  ],
  setUp,
  verify,
  read,
};

function setUp(url: string): readonly string[] {
  return [
    "In PagerDuty, open **Integrations → Generic Webhooks (v3)**, and press **New Webhook**.",
    `Give it the **Webhook URL** \`${url}\`.`,
    "Choose the **Scope Type**, a service, a team or the account, and the **Scope**.",
    "Under **Event Subscription**, tick what is to be told: `incident.triggered`, for instance.",
    "Press **Add Webhook**. A dialog shows the secret, this once: copy it.",
    "Put the secret into Reveille as this endpoint's secret.",
    "Open the webhook again, and press **Send Test Event**: the delivery shows up in Reveille as ignored, which is well.",
  ];
}

/** Several signatures, one for each secret that PagerDuty has while it rotates; one that fits is enough. */
async function verify({ headers, body }: InboundRequest, { secrets }: VerifyContext): Promise<Verification> {
  if (!hasSecret(secrets)) return { ok: false, failure: "no_secret" };
  const header = headers.get("x-pagerduty-signature");
  if (header === null || header === "") return { ok: false, failure: "signature_missing" };
  const digests = digestsOf(header);
  if (digests === null) return { ok: false, failure: "signature_malformed" };
  const signed = await Promise.all(digests.map((digest) => isSignedByAny(secrets, "sha256", body, digest)));
  return signed.includes(true) ? { ok: true } : { ok: false, failure: "signature_wrong" };
}

/** Digests of version 1; null where one of them is misspelt, or there is none. Other versions are left alone. */
function digestsOf(header: string): Uint8Array<ArrayBuffer>[] | null {
  const entries = header.split(",").map((entry) => entry.trim());
  if (entries.length > MAX_SIGNATURES || !entries.every((entry) => /^v[0-9]+=./.test(entry))) return null;
  const ours = entries.filter((entry) => entry.startsWith("v1="));
  const digests = ours
    .map((entry) => hexDigest(entry.slice("v1=".length), "sha256"))
    .filter((digest) => digest !== null);
  return ours.length > 0 && digests.length === ours.length ? digests : null;
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object." };
  const name = textAt(payload, "event.event_type");
  if (name === null) return { kind: "unreadable", reason: "The body has no event.event_type, as V3 webhooks have." };
  if (name === "pagey.ping") return { kind: "ignored", reason: "PagerDuty's test event: the webhook is set up well." };
  const data = valueAt(payload, "event.data");
  const title = titleOf(data);
  const number = wordAt(data, "number");
  const subject = [number === null ? null : `#${number}`, title].filter(Boolean).join(" ");
  const teams = textsOf(valueAt(data, "teams"), "summary");
  const assignees = textsOf(valueAt(data, "assignees"), "summary");
  const service = textAt(data, "service.summary");
  const priority = textAt(data, "priority.summary");
  return {
    kind: "event",
    event: readEvent({
      name,
      action: null,
      summary: subject === "" ? `PagerDuty ${name}` : `PagerDuty ${name}: ${subject}`,
      dedupe_key: textAt(payload, "event.id"),
      payload,
      fields: namedFields({ title, service, priority, teams, assignees }),
      context: contextOf([
        ["Event", name],
        ["Title", title],
        ["URL", textAt(data, "html_url") ?? textAt(data, "incident.html_url")],
        ["By", textAt(payload, "event.agent.summary")],
        ["At", textAt(payload, "event.occurred_at")],
        ["Incident", number ?? textAt(data, "incident.id")],
        ["Status", textAt(data, "status") ?? textAt(data, "state")],
        ["Urgency", textAt(data, "urgency")],
        ["Priority", priority],
        ["Service", service],
        ["Assigned to", listed(assignees)],
        ["Responder", textAt(data, "user.summary")],
        ["Escalation policy", textAt(data, "escalation_policy.summary")],
        ["Teams", listed(teams)],
        ["Changed fields", listed(changedFieldsOf(data))],
        ["Text", textAt(data, "content") ?? textAt(data, "message")],
      ]),
    }),
  };
}

/** Of an incident its title, of a service its name, of what belongs to an incident the incident's. */
function titleOf(data: Json | undefined): string | null {
  return textAt(data, "title") ?? textAt(data, "summary") ?? textAt(data, "incident.summary");
}

/** Custom fields that `incident.custom_field_values.updated` tells of, with what they have become. */
function changedFieldsOf(data: Json | undefined): string[] | null {
  const changed = valueAt(data, "changed_custom_fields");
  if (!Array.isArray(changed)) return null;
  return changed.map(
    (field: Json | JsonObject) => `${wordAt(field, "name") ?? "?"}: ${wordAt(field, "value") ?? "nothing"}`,
  );
}
