/**
 * Stripe's event destinations.
 * @see https://docs.stripe.com/webhooks "Receive Stripe events in your webhook endpoint": signatures, repeats, order
 * @see https://docs.stripe.com/api/events/object "The Event object"; thin events are `v2.core.event`
 */
import type { JsonObject } from "#protocol/schema.ts";
import { hasSecret } from "./hex-signature.ts";
import { hexDigest, isNear, isSignedByAny, prefixed } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, Reading, Verification, VerifyContext } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, isObject, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";
import { unverified, verified } from "./verification.ts";

/** Stripe signs each try anew, with the time of the try. */
const WINDOW_SECONDS = 300;
/** Stripe has one for each secret in force, two while a secret is rolled, and one of the old scheme in test mode. */
const MAX_ENTRIES = 12;

export const stripe: Listener = {
  source: "stripe",
  title: "Stripe",
  secretFrom: "source",
  fields: [
    { field: "object", what: "What it is about: invoice, charge, customer, …" },
    { field: "object_id", what: "Its id, such as in_1MtHbELkdIwHu7ix" },
    { field: "customer", what: "The customer's id, where the object has one" },
    { field: "account", what: "Of a connected account: its id" },
    { field: "livemode", what: "true, or false of test mode and sandboxes" },
    { field: "changed", what: "Of an update: the names of what changed" },
    { field: "data.object.status", what: "Of many objects: the status, such as open or past_due" },
    { field: "data.object.amount_due", what: "Of an invoice: in the smallest unit of the currency" },
    { field: "data.object.currency", what: "The currency, such as usd" },
  ],
  secretFault: (secret) => (/^whsec_[!-~]+$/.test(secret) ? null : "must be the endpoint's signing secret: whsec_…"),
  setUp: (url) => [
    "In Stripe's Dashboard, open **Workbench → Webhooks**, and press **Add destination** (or **Create an event destination**).",
    "Choose the events that are to be told, such as `invoice.payment_failed`, and press **Continue**.",
    `Choose **Webhook endpoint**, and give the **Endpoint URL** \`${url}\`. Press **Create destination**.`,
    "Reveal the destination's **Signing secret** (`whsec_…`), and put it into Reveille as this endpoint's secret. A sandbox has another one than live mode.",
    "Press **Send test events**, or do what causes one: the delivery shows up in Reveille within seconds.",
  ],
  verify,
  read,
};

async function verify({ headers, body }: InboundRequest, context: VerifyContext): Promise<Verification> {
  if (!hasSecret(context.secrets)) return unverified("no_secret");
  const header = headers.get("stripe-signature");
  if (header === null || header === "") return unverified("signature_missing");
  const entries = header.split(",").map((entry) => /^([a-z0-9]{1,10})=([!-~]+)$/.exec(entry.trim()));
  if (entries.length > MAX_ENTRIES || entries.includes(null)) return unverified("signature_malformed");
  const valuesOf = (name: string) => entries.flatMap((entry) => (entry?.[1] === name ? [entry[2] ?? ""] : []));
  const times = valuesOf("t");
  const [time] = times;
  if (time === undefined) return unverified("time_missing");
  const ours = valuesOf("v1");
  const digests = ours.map((text) => hexDigest(text, "sha256")).filter((digest) => digest !== null);
  const isWellFormed = times.length === 1 && /^[0-9]{1,12}$/.test(time);
  if (!isWellFormed || ours.length === 0 || digests.length < ours.length) return unverified("signature_malformed");
  const message = prefixed(`${time}.`, body);
  const signed = await Promise.all(digests.map((digest) => isSignedByAny(context.secrets, "sha256", message, digest)));
  if (!signed.includes(true)) return unverified("signature_wrong");
  return isNear(Number(time), context.nowMs, WINDOW_SECONDS) ? verified : unverified("time_out_of_range");
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const name = textAt(payload, "type");
  if (name === null) return { kind: "unreadable", reason: "The body has no type, as events of Stripe have." };
  // A thin event names its object, and does not show it.
  const object = textAt(payload, "data.object.object") ?? textAt(payload, "related_object.type");
  const id = textAt(payload, "data.object.id") ?? textAt(payload, "related_object.id");
  const customer = textAt(payload, "data.object.customer") ?? textAt(payload, "data.object.customer.id");
  const account = textAt(payload, "account") ?? textAt(payload, "context");
  const isLive = valueAt(payload, "livemode");
  const before = valueAt(payload, "data.previous_attributes");
  const changed = isObject(before) ? Object.keys(before) : [];
  const mode = isLive === false ? " (test)" : "";
  const event = readEvent({
    name,
    action: null,
    summary: `Stripe ${name}${id === null ? "" : `: ${id}`}${mode}`,
    dedupe_key: textAt(payload, "id"),
    payload,
    fields: namedFields({
      object,
      object_id: id,
      customer,
      account,
      livemode: typeof isLive === "boolean" ? isLive : null,
      changed: changed.length === 0 ? null : changed,
    }),
    context: contextOf([
      ["Event", name],
      ["Id", textAt(payload, "id")],
      ["About", object],
      ["Object", id],
      ["Mode", isLive === true ? "live" : isLive === false ? "test" : null],
      ["Connected account", account],
      ["Customer", customer],
      ["Status", textAt(payload, "data.object.status")],
      ["Amount", amountOf(payload)],
      ["Changed", changed.length === 0 ? null : changed.join(", ")],
      ["Description", textAt(payload, "data.object.description")],
      ["Address", textAt(payload, "data.object.hosted_invoice_url") ?? textAt(payload, "related_object.url")],
      ["Sent", "Stripe does not keep to the order in which things happened: read the object anew before you act."],
    ]),
  });
  return { kind: "event", event };
}

/** For instance `1500 usd`: in the smallest unit, as Stripe counts. */
function amountOf(payload: JsonObject): string | null {
  const amount = wordAt(payload, "data.object.amount_due") ?? wordAt(payload, "data.object.amount");
  const currency = textAt(payload, "data.object.currency");
  return amount === null || currency === null ? null : `${amount} ${currency} (in the smallest unit)`;
}
