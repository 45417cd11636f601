/** What Stripe sends, as its documentation shows it. */
import { stripe } from "#worker/inbound/sources/stripe.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { NOW_MS } from "./listener-suite.ts";
import { sampleOf } from "./sample-of.ts";
import { bytesOf, hmacHex } from "./signing.ts";

const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
};

/** The example of "The Event object", docs.stripe.com/api/events/object, with more of an invoice. */
const INVOICE = {
  id: "evt_1NG8Du2eZvKYlo2CUI79vXWy",
  object: "event",
  api_version: "2019-02-19",
  created: 1686089970,
  data: {
    object: {
      id: "in_1NG8Du2eZvKYlo2C",
      object: "invoice",
      customer: "cus_4fdAW5ftNQow1a",
      amount_due: 1500,
      currency: "usd",
      status: "open",
      description: null,
      hosted_invoice_url: "https://invoice.stripe.com/i/acct_1/test_1",
    },
    previous_attributes: { attempt_count: 0, next_payment_attempt: null },
  },
  livemode: false,
  pending_webhooks: 0,
  request: { id: null, idempotency_key: null },
  type: "invoice.payment_failed",
};
const EVENT_ID = INVOICE.id;

const samples: ListenerSample[] = [
  {
    title: "a payment that failed (docs.stripe.com/api/events/object)",
    headers: HEADERS,
    body: () => JSON.stringify(INVOICE, null, 2),
    reads: {
      kind: "event",
      event: {
        name: "invoice.payment_failed",
        action: null,
        summary: "Stripe invoice.payment_failed: in_1NG8Du2eZvKYlo2C (test)",
        dedupe_key: EVENT_ID,
        fields: {
          object: "invoice",
          object_id: "in_1NG8Du2eZvKYlo2C",
          customer: "cus_4fdAW5ftNQow1a",
          livemode: false,
          changed: ["attempt_count", "next_payment_attempt"],
        },
      },
      context: ["Object: in_1NG8Du2eZvKYlo2C", "Amount: 1500 usd", "Mode: test", "Customer: cus_4fdAW5ftNQow1a"],
      paths: { "data.object.amount_due": 1500, "data.object.status": "open" },
    },
  },
  {
    title: "the same event again, of a connected account, with its customer in full",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        ...INVOICE,
        account: "acct_1032D82eZvKYlo2C",
        livemode: true,
        data: { object: { id: "ch_1", object: "charge", amount: 2000, currency: "jpy", customer: { id: "cus_1" } } },
      }),
    reads: {
      kind: "event",
      event: {
        name: "invoice.payment_failed",
        dedupe_key: EVENT_ID,
        fields: { account: "acct_1032D82eZvKYlo2C", customer: "cus_1", livemode: true },
      },
      context: ["Mode: live", "Amount: 2000 jpy"],
    },
  },
  {
    title: "something that was deleted",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        ...INVOICE,
        id: "evt_2",
        type: "customer.deleted",
        data: { object: { id: "cus_4fdAW5ftNQow1a", object: "customer", description: "Café Zoë 🎺" } },
      }),
    reads: {
      kind: "event",
      event: { name: "customer.deleted", dedupe_key: "evt_2", fields: { object: "customer" } },
      context: ["Description: Café Zoë 🎺"],
    },
  },
  {
    title: "a thin event, which does not show its object (docs.stripe.com/event-destinations)",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        id: "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
        object: "v2.core.event",
        type: "v1.billing.meter.error_report_triggered",
        livemode: false,
        created: "2024-09-17T06:20:52.246Z",
        related_object: { id: "mtr_test_1", type: "billing.meter", url: "/v1/billing/meters/mtr_test_1" },
      }),
    reads: {
      kind: "event",
      event: {
        name: "v1.billing.meter.error_report_triggered",
        fields: { object: "billing.meter", object_id: "mtr_test_1", livemode: false },
      },
      context: ["Address: /v1/billing/meters/mtr_test_1"],
    },
  },
  {
    title: "an invoice with 10,000 lines, the largest form",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        ...INVOICE,
        data: { object: { ...INVOICE.data.object, lines: { data: Array(10_000).fill({ amount: 1, id: "il_1" }) } } },
      }),
    reads: { kind: "event", event: { name: "invoice.payment_failed" }, context: ["Object: in_1NG8Du2eZvKYlo2C"] },
  },
  {
    title: "no event",
    headers: HEADERS,
    body: () => '{"id":"evt_1"}',
    reads: { kind: "unreadable", reason: /no type/ },
  },
];

const PAGE = "https://docs.stripe.com/webhooks";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  // The header has the time of the try; the body is the same.
  onRetry: { ...of("a payment that failed"), knownBy: "id" },
  onEdit: {
    page: "https://docs.stripe.com/api/events/types",
    title: "a subscription that was changed",
    headers: HEADERS,
    body: () =>
      JSON.stringify({
        ...INVOICE,
        id: "evt_3",
        type: "customer.subscription.updated",
        data: {
          object: { id: "sub_1", object: "subscription", customer: "cus_1", status: "past_due" },
          previous_attributes: { status: "active" },
        },
      }),
    reads: {
      kind: "event",
      event: { name: "customer.subscription.updated", dedupe_key: "evt_3", fields: { changed: ["status"] } },
      context: ["Status: past_due", "Changed: status"],
    },
  },
  onDelete: of("something that was deleted"),
  largest: { ...of("an invoice with 10,000 lines"), bytes: 200_000 },
  rarestEncoding: {
    page: "https://docs.stripe.com/api/metadata",
    title:
      "metadata of people's own: escapes, a number of 19 digits, a key that is the same as a member of every object",
    headers: HEADERS,
    body: () =>
      `{"id":"evt_4","type":"charge.succeeded","data":{"object":{"id":"ch_1","object":"charge",` +
      String.raw`"description":"caf\u00e9 \ud83c\udfba\r\n2","metadata":{"toString":"x","order":7654321098765432101}}}}`,
    reads: {
      kind: "event",
      event: { name: "charge.succeeded", dedupe_key: "evt_4" },
      context: ["Description:\ncafé 🎺\r\n2"],
      paths: { "data.object.metadata.order": "7654321098765432101", "data.object.metadata.toString": "x" },
    },
  },
};

const signature = async (body: Uint8Array<ArrayBuffer>, secret: string, time: string) => {
  const head = bytesOf(`${time}.`);
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return hmacHex(secret, message);
};

export const stripeCase: ListenerCase = {
  listener: stripe,
  documentation: ["https://docs.stripe.com/webhooks", "https://docs.stripe.com/api/events/object"],
  secrets: ["whsec_8f742231b10e8888abcd99yyyzzz85a5", "whsec_1a2b3c4d5e6f708192a3b4c5d6e7f809"],
  // Of the time at which the suite sends.
  signature: { header: "stripe-signature", prefix: `t=${NOW_MS / 1_000},v1=`, encoding: "hex" },
  coversBody: true,
  windowSeconds: 300,
  async sign(body, secret, atMs) {
    const time = String(Math.floor(atMs / 1_000));
    return { "stripe-signature": `t=${time},v1=${await signature(body, secret, time)}` };
  },
  samples,
  sends,
  refusals: [
    { title: "no time", headers: { "stripe-signature": `v1=${"0".repeat(64)}` }, failure: "time_missing" },
    {
      title: "two times",
      headers: { "stripe-signature": `t=1,t=2,v1=${"0".repeat(64)}` },
      failure: "signature_malformed",
    },
    {
      title: "a time that is a word",
      headers: { "stripe-signature": `t=now,v1=${"0".repeat(64)}` },
      failure: "signature_malformed",
    },
    {
      title: "the old scheme alone",
      headers: { "stripe-signature": `t=1795166400,v0=${"0".repeat(64)}` },
      failure: "signature_malformed",
    },
    {
      title: "a digest of zeros",
      headers: { "stripe-signature": `t=1795166400,v1=${"0".repeat(64)}` },
      failure: "signature_wrong",
    },
    {
      title: "a digest in capitals",
      headers: { "stripe-signature": `t=1795166400,v1=${"A".repeat(64)}` },
      failure: "signature_malformed",
    },
    {
      title: "a digest cut short beside another",
      headers: { "stripe-signature": `t=1,v1=${"0".repeat(64)},v1=00` },
      failure: "signature_malformed",
    },
    {
      title: "a comma too many",
      headers: { "stripe-signature": `t=1,v1=${"0".repeat(64)},` },
      failure: "signature_malformed",
    },
    {
      title: "more than a rotation has",
      headers: { "stripe-signature": `t=1${`,v1=${"0".repeat(64)}`.repeat(12)}` },
      failure: "signature_malformed",
    },
  ],
};
