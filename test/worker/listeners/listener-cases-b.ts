/** What the suite must know of GitLab, Pub/Sub, Standard Webhooks and the generic listener. */
import type { GenericAuth } from "#protocol/triggers.ts";
import { generic } from "#worker/inbound/sources/generic.ts";
import { gitlab } from "#worker/inbound/sources/gitlab.ts";
import { pubsub } from "#worker/inbound/sources/pubsub.ts";
import { cloudEventSamples, plainSamples } from "./generic-samples.ts";
import { gitlabSamples } from "./gitlab-samples.ts";
import { gitlabSends } from "./gitlab-sends.ts";
import { AUDIENCE, fetchGoogleKeys, googleToken, SERVICE_ACCOUNT } from "./google-tokens.ts";
import type { ListenerCase } from "./listener-case.ts";
import { genericSends } from "./open-sends.ts";
import { pubsubSamples } from "./pubsub-samples.ts";
import { pubsubSends } from "./pubsub-sends.ts";
import { bytesOf, hmacBase64, hmacHex } from "./signing.ts";
import {
  FOREIGN,
  SIGNING_SECRETS,
  signStandard,
  standardCase,
  standardRefusals,
  standardVector,
  svixCase,
} from "./standard-case.ts";

const GITLAB = "https://docs.gitlab.com/user/project/integrations/webhooks/";
const PUBSUB = "https://docs.cloud.google.com/pubsub/docs";

const TOKENS = ["3f6d2c8a41b7e90512fd", "a-rotated-token-of-the-owner"] as const;
const SHA512_HEX = "0".repeat(128);

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
  vectors: [standardVector],
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
  svixCase,
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
