/** Slack, Linear, Sentry, PagerDuty and Notion: the suite of all listeners, and what only these have. */
import { describe, expect, it } from "vitest";
import { linear } from "#worker/inbound/sources/linear.ts";
import type { EndpointSettings } from "#worker/inbound/sources/listener.ts";
import { notion } from "#worker/inbound/sources/notion.ts";
import { pagerduty } from "#worker/inbound/sources/pagerduty.ts";
import { describeListedFields } from "./listed-fields.ts";
import { casesA } from "./listener-cases-a.ts";
import { describeListener, NOW_MS } from "./listener-suite.ts";
import { bytesOf, hmacHex } from "./signing.ts";

const SETTINGS: EndpointSettings = { auth: null, pubsub: null, url: "https://reveille.example/webhooks/x/trg_1" };
const CONTEXT = { settings: SETTINGS, nowMs: NOW_MS, fetchKeys: () => Promise.reject(new Error("no keys")) };

for (const tested of casesA) describeListener(tested);

describeListedFields(casesA);

describe("Linear's time", () => {
  it.each([
    ["{}", "time_missing"],
    ['{"webhookTimestamp":null}', "time_missing"],
    [`{"webhookTimestamp":"${NOW_MS}"}`, "time_missing"],
    ["[]", "time_missing"],
    ["", "time_missing"],
    ['{"webhookTimestamp":1e400}', "time_out_of_range"],
    [`{"webhookTimestamp":${NOW_MS / 1_000}}`, "time_out_of_range"],
    [`{"webhookTimestamp":${NOW_MS + 60_001}}`, "time_out_of_range"],
    [`{"webhookTimestamp":${NOW_MS}.5}`, "time_out_of_range"],
  ])("in %s is refused: %s", async (text, failure) => {
    const body = bytesOf(text);
    const headers = new Headers({
      "linear-signature": await hmacHex("secret", body),
      "linear-timestamp": String(NOW_MS),
    });
    expect(await linear.verify({ headers, body }, { ...CONTEXT, secrets: ["secret"] })).toEqual({ ok: false, failure });
  });
});

// "Verifying Signatures", docs.pagerduty.com/developer/verifying-webhook-signatures: one for each secret, after commas
describe("PagerDuty's several signatures", () => {
  const body = bytesOf('{"event":{}}');
  const verified = async (header: (ours: string, foreign: string) => string) => {
    const [ours, foreign] = await Promise.all(["secret", "not-ours"].map((secret) => hmacHex(secret, body)));
    const headers = new Headers({ "x-pagerduty-signature": header(`v1=${ours}`, `v1=${foreign}`) });
    return pagerduty.verify({ headers, body }, { ...CONTEXT, secrets: ["an older one", "secret"] });
  };

  it.each([
    ["ours first", (ours: string, foreign: string) => `${ours},${foreign}`],
    ["ours last", (ours: string, foreign: string) => `${foreign},${ours}`],
    ["a blank between them", (ours: string, foreign: string) => `${foreign}, ${ours}`],
    ["another version before ours", (ours: string) => `v2=abcdef,${ours}`],
    ["as many as are looked at", (ours: string, foreign: string) => [...Array(9).fill(foreign), ours].join(",")],
  ])("are accepted: %s", async (_title, header) => {
    expect(await verified(header)).toEqual({ ok: true });
  });

  it.each([
    ["none of them ours", (_ours: string, foreign: string) => `${foreign},${foreign}`, "signature_wrong"],
    ["another version alone", (ours: string) => ours.replace("v1", "v2"), "signature_malformed"],
    ["junk beside ours", (ours: string) => `${ours},junk`, "signature_malformed"],
    ["one cut short beside ours", (ours: string) => `${ours},v1=00`, "signature_malformed"],
    ["a comma too many", (ours: string) => `${ours},`, "signature_malformed"],
    ["more than a rotation has", (ours: string) => Array(11).fill(ours).join(","), "signature_malformed"],
  ])("are refused: %s", async (_title, header, failure) => {
    expect(await verified(header)).toEqual({ ok: false, failure });
  });
});

describe("Notion's introduction", () => {
  // "Step 2 - Verifying the subscription", developers.notion.com/reference/webhooks
  const token = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl";
  const introduce = (text: string) => notion.introduce?.({ headers: new Headers(), body: bytesOf(text) });

  it("hands over the token that Notion signs with", () => {
    expect(introduce(JSON.stringify({ verification_token: token }))).toEqual({
      secret: token,
      answer: { status: 200, contentType: "text/plain", body: "ok" },
    });
  });

  it.each([
    "",
    "[]",
    "{}",
    `"${token}"`,
    '{"verification_token":""}',
    '{"verification_token":"short"}',
    '{"verification_token":123456789012345678901234567890}',
    '{"verification_token":"with blanks and more than enough of them"}',
    `{"verification_token":"${"x".repeat(256)}"}`,
    `{"verification_token":"${token}","type":"page.created"}`,
  ])("is nothing like %s", (text) => {
    expect(introduce(text)).toBeNull();
  });
});
