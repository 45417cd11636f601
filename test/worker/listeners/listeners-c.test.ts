/** Telegram, Discord, Jira, Grafana, Datadog, Bitbucket and Stripe: the suite of all listeners, and what one has alone. */
import { describe, expect, it } from "vitest";
import { discord } from "#worker/inbound/sources/discord.ts";
import { stripe } from "#worker/inbound/sources/stripe.ts";
import { telegram } from "#worker/inbound/sources/telegram.ts";
import { describeListedFields } from "./listed-fields.ts";
import { casesC } from "./listener-cases-c.ts";
import { describeListener, NOW_MS } from "./listener-suite.ts";
import { bytesOf, hmacHex } from "./signing.ts";

for (const tested of casesC) describeListener(tested);
describeListedFields(casesC);

// "Verify webhook signatures manually", docs.stripe.com/webhooks: several of v1 while a secret is rolled, v0 of old tests
describe("Stripe's several signatures", () => {
  const seconds = NOW_MS / 1_000;
  const body = bytesOf('{"type":"a"}');
  const verified = async (header: (ours: string, foreign: string) => string) => {
    const message = bytesOf(`${seconds}.{"type":"a"}`);
    const [ours, foreign] = await Promise.all(["whsec_ours", "not-ours"].map((secret) => hmacHex(secret, message)));
    const headers = new Headers({ "stripe-signature": header(`v1=${ours}`, `v1=${foreign}`) });
    const settings = { auth: null, pubsub: null, url: "https://reveille.example" };
    const fetchKeys = () => Promise.reject(new Error("no keys"));
    return stripe.verify({ headers, body }, { settings, nowMs: NOW_MS, fetchKeys, secrets: ["older", "whsec_ours"] });
  };

  it.each([
    ["ours after another", (ours: string, foreign: string) => `t=${seconds},${foreign},${ours}`],
    ["ours before another", (ours: string, foreign: string) => `t=${seconds},${ours},${foreign}`],
    ["one of the old scheme beside ours", (ours: string) => `t=${seconds},v0=${"0".repeat(64)},${ours}`],
    ["blanks after the commas", (ours: string, foreign: string) => `t=${seconds}, ${foreign}, ${ours}`],
    ["the time at the end", (ours: string) => `${ours},t=${seconds}`],
  ])("are accepted: %s", async (_title, header) => {
    expect(await verified(header)).toEqual({ ok: true });
  });

  it.each([
    ["none of them ours", (_ours: string, foreign: string) => `t=${seconds},${foreign},${foreign}`, "signature_wrong"],
    [
      "ours under the old scheme's name",
      (ours: string) => `t=${seconds},${ours.replace("v1", "v0")}`,
      "signature_malformed",
    ],
    ["ours with another time", (ours: string) => `t=${seconds + 1},${ours}`, "signature_wrong"],
  ])("are refused: %s", async (_title, header, failure) => {
    expect(await verified(header)).toEqual({ ok: false, failure });
  });
});

describe("Telegram's commands", () => {
  const fieldsOf = (text: string) => {
    const body = bytesOf(JSON.stringify({ update_id: 1, message: { text } }));
    const reading = telegram.read({ headers: new Headers(), body }, { auth: null, pubsub: null, url: "" });
    return reading.kind === "event" ? reading.event.fields : null;
  };

  it.each([
    ["/deploy", { command: "deploy" }],
    ["/deploy now", { command: "deploy", arguments: "now" }],
    ["/deploy@acme_bot  to\nstaging ", { command: "deploy", arguments: "to\nstaging " }],
    ["deploy", {}],
    ["see /deploy", {}],
    ["/deploy!", {}],
    ["//", {}],
    ["/", {}],
  ])("in %j are %j", (text, expected) => {
    expect(fieldsOf(text)).toEqual({ text, ...expected });
  });
});

describe("Discord's types", () => {
  it.each(["constructor", "toString", "valueOf", "hasOwnProperty", "__proto__"])("have no %s", (type) => {
    const body = bytesOf(`{"type":"${type}","data":{"custom_id":"x"},"user":{"id":"1"}}`);
    const request = { headers: new Headers(), body };
    const reading = discord.read(request, { auth: null, pubsub: null, url: "" });
    expect(reading).toMatchObject({ kind: "unreadable" });
    expect(discord.press?.(request)).toBeNull();
  });
});
