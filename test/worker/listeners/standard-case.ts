/** What the suite must know of Standard Webhooks, under the specification's names of headers and under those of Svix. */
import { standardWebhooks } from "#worker/inbound/sources/standard-webhooks.ts";
import type { ListenerCase, ListenerRefusal, ListenerVector } from "./listener-case.ts";
import { standardSends } from "./open-sends.ts";
import { bytesOf, hmacBase64 } from "./signing.ts";

const STANDARD = "https://github.com/standard-webhooks/standard-webhooks";
const SPECIFICATION = `${STANDARD}/blob/main/spec/standard-webhooks.md`;

export const SIGNING_SECRETS = [
  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=",
] as const;
const MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
export const FOREIGN = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";

/** The specification's libraries sign this in their own tests; its pages show signatures, but no secret to them. */
export const standardVector: ListenerVector = {
  source: `${STANDARD}/blob/main/libraries/javascript/src/webhook.test.ts (sign function works)`,
  headers: {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  body: '{"test": 2432232314}',
  secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  atMs: 1_614_265_330_000,
};

/** The same library's tests: a signature among others, and a secret without its prefix. */
const standardVectors: readonly ListenerVector[] = [
  standardVector,
  {
    ...standardVector,
    source: "…/webhook.test.ts (with and without signature prefix)",
    secrets: ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  },
  {
    ...standardVector,
    source: "the secret as Supabase shows it",
    secrets: ["v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  },
  {
    ...standardVector,
    source: "…/webhook.test.ts (multi sig payload is valid)",
    headers: {
      ...standardVector.headers,
      "webhook-signature": `${FOREIGN} ${FOREIGN.replace("v1", "v2")} ${standardVector.headers["webhook-signature"]} ${FOREIGN}`,
    },
  },
  {
    ...standardVector,
    source: `${SPECIFICATION} (a signature of version v1a beside it)`,
    headers: {
      ...standardVector.headers,
      "webhook-signature":
        `${standardVector.headers["webhook-signature"]} ` +
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    },
  },
];

export const standardRefusals: readonly ListenerRefusal[] = [
  { title: "no id", headers: { "webhook-id": null }, failure: "signature_missing" },
  { title: "another id", headers: { "webhook-id": "msg_2" }, failure: "signature_wrong" },
  {
    title: "an id with a blank, as two headers make it",
    headers: { "webhook-id": "a, a" },
    failure: "signature_malformed",
  },
  { title: "no time", headers: { "webhook-timestamp": null }, failure: "time_missing" },
  { title: "a time that is a word", headers: { "webhook-timestamp": "hello" }, failure: "time_out_of_range" },
  { title: "a time in milliseconds", headers: { "webhook-timestamp": "1795166400000" }, failure: "time_out_of_range" },
  { title: "two times", headers: { "webhook-timestamp": "1795166400, 1795166400" }, failure: "time_out_of_range" },
  { title: "a signature of another secret", headers: { "webhook-signature": FOREIGN }, failure: "signature_wrong" },
  {
    title: "signatures of other versions alone",
    headers: { "webhook-signature": FOREIGN.replace("v1", "v1a") },
    failure: "signature_malformed",
  },
  {
    title: "the header twice, which a comma joins",
    headers: { "webhook-signature": `${FOREIGN}, ${FOREIGN}` },
    failure: "signature_malformed",
  },
  {
    title: "more signatures than anyone sends",
    headers: { "webhook-signature": Array.from({ length: 9 }, () => FOREIGN).join(" ") },
    failure: "signature_malformed",
  },
  {
    title: "a good signature beside a spoilt one",
    headers: { "webhook-signature": `${FOREIGN} ${FOREIGN.slice(0, -1)}` },
    failure: "signature_malformed",
  },
  { title: "a secret that is no base64", secrets: ["whsec_not-base64"], failure: "signature_wrong" },
  { title: "an empty key", secrets: ["whsec_"], failure: "signature_wrong" },
];

export const standardCase: ListenerCase = {
  listener: standardWebhooks,
  documentation: [SPECIFICATION],
  secrets: SIGNING_SECRETS,
  sign: signStandard,
  signature: { header: "webhook-signature", prefix: "v1,", encoding: "base64", isList: true },
  coversBody: true,
  windowSeconds: 300,
  samples: [
    {
      title: "the specification's example payload",
      headers: { "Content-Type": "application/json" },
      body: () =>
        '{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}',
      reads: {
        kind: "event",
        event: {
          name: "contact.created",
          action: null,
          summary: "contact.created through Standard Webhooks",
          dedupe_key: MESSAGE_ID,
        },
        context: [`Id: ${MESSAGE_ID}`, "Happened at: 2022-11-03T20:26:10.344522Z"],
        paths: { "data.id": "1f81eb52-5198-4599-803e-771906343485" },
      },
    },
    {
      title: "a payload without a type",
      headers: { "Content-Type": "application/json" },
      body: () => '{"test": 2432232314}',
      reads: {
        kind: "event",
        event: { name: "webhook" },
        context: ['"test": 2432232314'],
        paths: { test: 2432232314 },
      },
    },
    {
      title: "a payload in another form",
      headers: { "Content-Type": "text/csv" },
      body: () => "a;b\n1;2",
      reads: { kind: "event", event: { name: "webhook" }, context: ["a;b\n1;2"], paths: { text: "a;b\n1;2" } },
    },
    {
      title: "a payload that is called JSON and is none",
      headers: { "Content-Type": "application/json" },
      body: () => "nothing",
      reads: { kind: "unreadable", reason: /called JSON/ },
    },
  ],
  sends: standardSends,
  vectors: standardVectors,
  refusals: standardRefusals,
};

/** As the specification says: over id, time and body, with the bytes that the secret stands for. */
export async function signStandard(body: Uint8Array<ArrayBuffer>, secret: string, atMs: number, id = MESSAGE_ID) {
  const seconds = Math.floor(atMs / 1_000);
  const key = Uint8Array.from(atob(secret.replace("whsec_", "")), (char) => char.charCodeAt(0));
  const head = bytesOf(`${id}.${seconds}.`);
  const message = Uint8Array.from([...head, ...body]);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${await hmacBase64(key, message)}`,
  };
}

/** The same under the names that Svix gave the headers before the specification did. */
export const svixCase: ListenerCase = {
  ...standardCase,
  variant: "the headers of Svix",
  documentation: ["https://docs.svix.com/receiving/verifying-payloads/how-manual"],
  sign: async (body, secret, atMs) => ofSvix(await signStandard(body, secret, atMs)),
  signature: { ...standardCase.signature, header: "svix-signature" },
  vectors: standardVectors.map((one) => ({ ...one, headers: ofSvix(one.headers) })),
  refusals: [
    ...standardRefusals.map((one) => (one.headers === undefined ? one : { ...one, headers: ofSvix(one.headers) })),
    {
      title: "a good signature of Svix's beside a wrong one under the specification's name",
      headers: { "webhook-signature": FOREIGN, "webhook-id": MESSAGE_ID, "webhook-timestamp": "1795166400" },
      failure: "time_out_of_range",
    },
    {
      title: "an id under the other name alone",
      headers: { "svix-id": null, "webhook-id": MESSAGE_ID },
      failure: "signature_missing",
    },
  ],
};

function ofSvix<Value>(headers: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.replace(/^webhook-/, "svix-"), value]),
  );
}
