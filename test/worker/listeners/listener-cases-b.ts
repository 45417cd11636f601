/** What the suite must know of GitLab, Pub/Sub, Standard Webhooks and the generic listener. */
import type { GenericAuth } from "#protocol/triggers.ts";
import { generic } from "#worker/inbound/sources/generic.ts";
import { gitlab } from "#worker/inbound/sources/gitlab.ts";
import { pubsub } from "#worker/inbound/sources/pubsub.ts";
import { standardWebhooks } from "#worker/inbound/sources/standard-webhooks.ts";
import { cloudEventSamples, plainSamples } from "./generic-samples.ts";
import { gitlabSamples } from "./gitlab-samples.ts";
import { gitlabSends } from "./gitlab-sends.ts";
import { AUDIENCE, fetchGoogleKeys, googleToken, SERVICE_ACCOUNT } from "./google-tokens.ts";
import type { ListenerCase, ListenerRefusal, ListenerVector } from "./listener-case.ts";
import { genericSends, standardSends } from "./open-sends.ts";
import { pubsubSamples } from "./pubsub-samples.ts";
import { pubsubSends } from "./pubsub-sends.ts";
import { bytesOf, hmacHex } from "./signing.ts";

const STANDARD = "https://github.com/standard-webhooks/standard-webhooks";
const SPECIFICATION = `${STANDARD}/blob/main/spec/standard-webhooks.md`;
const GITLAB = "https://docs.gitlab.com/user/project/integrations/webhooks/";
const PUBSUB = "https://docs.cloud.google.com/pubsub/docs";

const SIGNING_SECRETS = [
  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  "whsec_dGVzdHRlc3R0ZXN0dGVzdHRlc3R0ZXN0dGVzdHRlc3Q=",
] as const;
const TOKENS = ["3f6d2c8a41b7e90512fd", "a-rotated-token-of-the-owner"] as const;
const MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
const FOREIGN = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
const SHA512_HEX = "0".repeat(128);

/** The specification's libraries sign this in their own tests; its pages show signatures, but no secret to them. */
const vector: ListenerVector = {
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
  vector,
  {
    ...vector,
    source: "…/webhook.test.ts (with and without signature prefix)",
    secrets: ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  },
  { ...vector, source: "the secret as Supabase shows it", secrets: ["v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] },
  {
    ...vector,
    source: "…/webhook.test.ts (multi sig payload is valid)",
    headers: {
      ...vector.headers,
      "webhook-signature": `${FOREIGN} ${FOREIGN.replace("v1", "v2")} ${vector.headers["webhook-signature"]} ${FOREIGN}`,
    },
  },
  {
    ...vector,
    source: `${SPECIFICATION} (a signature of version v1a beside it)`,
    headers: {
      ...vector.headers,
      "webhook-signature":
        `${vector.headers["webhook-signature"]} ` +
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
    },
  },
];

const standardRefusals: readonly ListenerRefusal[] = [
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

const standardCase: ListenerCase = {
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

const gitlabSigned: ListenerCase = {
  ...standardCase,
  listener: gitlab,
  variant: "signing token",
  documentation: [`${GITLAB}#signing-tokens`, `${GITLAB.replace("webhooks", "webhook_events")}`],
  // GitLab sends the same value in both headers.
  sign: async (body, secret, atMs) => {
    const headers = await signStandard(body, secret, atMs, "a5461c4d-9c7f-4af9-add6-cddebe3c426f");
    return { ...headers, "Idempotency-Key": headers["webhook-id"] };
  },
  samples: gitlabSamples,
  sends: gitlabSends,
  vectors: [vector],
  refusals: [
    ...standardRefusals.filter(({ secrets }) => secrets === undefined),
    {
      title: "the signing token shown as a token",
      headers: { "webhook-signature": null, "X-Gitlab-Token": SIGNING_SECRETS[0] },
      failure: "signature_missing",
    },
    {
      title: "a wrong signature beside a good token, while both kinds are in force",
      headers: { "webhook-signature": FOREIGN, "X-Gitlab-Token": TOKENS[0] },
      secrets: [SIGNING_SECRETS[0], TOKENS[0]],
      failure: "signature_wrong",
    },
  ],
};

const gitlabToken: ListenerCase = {
  listener: gitlab,
  variant: "secret token",
  documentation: [GITLAB],
  secrets: TOKENS,
  // From 19.0 on, id and time come with every delivery; the signature only where there is a signing token.
  sign: async (_body, secret, atMs) => ({
    "X-Gitlab-Token": secret,
    "webhook-id": "a5461c4d-9c7f-4af9-add6-cddebe3c426f",
    "webhook-timestamp": String(Math.floor(atMs / 1_000)),
  }),
  signature: {
    header: "X-Gitlab-Token",
    prefix: "",
    encoding: "token",
    missing: "token_missing",
    wrong: "token_wrong",
  },
  coversBody: false,
  windowSeconds: null,
  samples: gitlabSamples,
  sends: gitlabSends,
  refusals: [
    { title: "two tokens", headers: { "X-Gitlab-Token": `${TOKENS[0]}, ${TOKENS[0]}` }, failure: "token_wrong" },
    { title: "a token in capitals", headers: { "X-Gitlab-Token": TOKENS[0].toUpperCase() }, failure: "token_wrong" },
    {
      title: "a token while a signature is asked for",
      secrets: [SIGNING_SECRETS[0]],
      failure: "signature_missing",
    },
  ],
};

const bearerCase: ListenerCase = {
  listener: generic,
  variant: "bearer",
  documentation: ["docs/listeners/generic.md", "https://github.com/cloudevents/spec"],
  secrets: TOKENS,
  sign: async (_body, secret) => ({ Authorization: `Bearer ${secret}` }),
  signature: {
    header: "Authorization",
    prefix: "Bearer ",
    encoding: "token",
    missing: "token_missing",
    wrong: "token_wrong",
  },
  coversBody: false,
  windowSeconds: null,
  samples: [...plainSamples, ...cloudEventSamples],
  sends: genericSends,
  refusals: [
    { title: "a bare token", headers: { Authorization: TOKENS[0] }, failure: "signature_malformed" },
    { title: "another scheme", headers: { Authorization: `Basic ${TOKENS[0]}` }, failure: "signature_malformed" },
    {
      title: "a scheme in capitals",
      headers: { Authorization: `BEARER ${TOKENS[0]}` },
      failure: "signature_malformed",
    },
    { title: "two blanks", headers: { Authorization: `Bearer  ${TOKENS[0]}` }, failure: "signature_malformed" },
    {
      title: "the header twice",
      headers: { Authorization: `Bearer ${TOKENS[0]}, Bearer ${TOKENS[0]}` },
      failure: "signature_malformed",
    },
    {
      title: "a token while a digest is asked for",
      settings: { auth: hmacAuth({ header: "X-Signature" }) },
      failure: "signature_missing",
    },
  ],
};

const hexCase: ListenerCase = {
  listener: generic,
  variant: "a digest in hex behind a prefix",
  documentation: ["https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries"],
  settings: { auth: hmacAuth({ header: "X-Hub-Signature-256", prefix: "sha256=" }) },
  secrets: TOKENS,
  sign: async (body, secret) => ({ "X-Hub-Signature-256": `sha256=${await hmacHex(secret, body)}` }),
  signature: { header: "X-Hub-Signature-256", prefix: "sha256=", encoding: "hex" },
  coversBody: true,
  windowSeconds: null,
  samples: [...plainSamples.slice(0, 2), ...cloudEventSamples.slice(0, 2)],
  sends: genericSends,
  vectors: [
    {
      source:
        "https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries (testing the payload validation)",
      headers: { "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
      body: "Hello, World!",
      secrets: ["It's a Secret to Everybody"],
      atMs: 0,
    },
  ],
  refusals: [
    {
      title: "a digest of another length than the algorithm's",
      settings: { auth: hmacAuth({ header: "X-Hub-Signature-256", prefix: "sha256=", algorithm: "sha512" }) },
      failure: "signature_malformed",
    },
  ],
};

const base64Case: ListenerCase = {
  ...hexCase,
  variant: "a digest in base64 without a prefix",
  documentation: ["docs/listeners/generic.md"],
  settings: { auth: hmacAuth({ header: "X-Signature", encoding: "base64" }) },
  sign: async (body, secret) => ({ "X-Signature": await hmacBase64(bytesOf(secret), body) }),
  signature: { header: "X-Signature", prefix: "", encoding: "base64" },
  vectors: [],
  refusals: [
    {
      title: "a digest of SHA-512 where SHA-256 is asked for",
      headers: { "X-Signature": SHA512_HEX },
      failure: "signature_malformed",
    },
  ],
};

const pubsubCase: ListenerCase = {
  listener: pubsub,
  documentation: [`${PUBSUB}/authenticate-push-subscriptions`, `${PUBSUB}/push`, `${PUBSUB}/payload-unwrapping`],
  settings: { url: AUDIENCE, pubsub: { service_account: SERVICE_ACCOUNT } },
  // Nobody has a secret.
  secrets: ["", ""],
  fetchKeys: fetchGoogleKeys,
  sign: async (_body, _secret, atMs) => ({ Authorization: `Bearer ${await googleToken(atMs)}` }),
  // A token with another letter at its end is no token any more.
  signature: {
    header: "Authorization",
    prefix: "Bearer ",
    encoding: "token",
    missing: "token_missing",
    wrong: "signature_malformed",
  },
  coversBody: false,
  // What a token says of time is tried with tokens of its own: it may be old, and hardly young.
  windowSeconds: null,
  samples: pubsubSamples,
  sends: pubsubSends,
  refusals: [
    { title: "another endpoint", settings: { url: "https://example.com/other" }, failure: "token_wrong" },
    {
      title: "another account",
      settings: { pubsub: { service_account: "someone@example.iam.gserviceaccount.com" } },
      failure: "token_wrong",
    },
    { title: "another scheme", headers: { Authorization: "Basic dXNlcjpwYXNz" }, failure: "signature_malformed" },
  ],
};

export const casesB: readonly ListenerCase[] = [
  standardCase,
  gitlabSigned,
  gitlabToken,
  bearerCase,
  hexCase,
  base64Case,
  pubsubCase,
];

function hmacAuth(auth: Partial<Extract<GenericAuth, { kind: "hmac" }>>): GenericAuth {
  return { kind: "hmac", header: "X-Signature", prefix: "", algorithm: "sha256", encoding: "hex", ...auth };
}

/** As the specification says: over id, time and body, with the bytes that the secret stands for. */
async function signStandard(body: Uint8Array<ArrayBuffer>, secret: string, atMs: number, id = MESSAGE_ID) {
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

async function hmacBase64(secret: Uint8Array<ArrayBuffer>, message: Uint8Array<ArrayBuffer>): Promise<string> {
  const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign("HMAC", key, message))));
}
