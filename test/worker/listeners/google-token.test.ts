/** Which of Google's tokens are believed: the right one, of the right account, for this endpoint, now. */
import { exportSPKI, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import type { PubsubAuth } from "#protocol/triggers.ts";
import { GOOGLE_KEYS_URL, verifyGoogleToken } from "#worker/inbound/sources/google-token.ts";
import { keepIssuerKeys } from "#worker/inbound/sources/issuer-keys.ts";
import {
  AUDIENCE,
  fetchGoogleKeys,
  googleKeys,
  googleToken,
  SERVICE_ACCOUNT,
  type TokenChange,
} from "./google-tokens.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 9, 30);
const NOW_S = NOW_MS / 1_000;

/**
 * The token that the documentation shows: its key is long gone.
 * @see https://docs.cloud.google.com/pubsub/docs/authenticate-push-subscriptions
 */
const DOCUMENTED =
  "eyJhbGciOiJSUzI1NiIsImtpZCI6IjdkNjgwZDhjNzBkNDRlOTQ3MTMzY2JkNDk5ZWJjMWE2MWMzZDVhYmMiLCJ0eXAiOiJKV1QifQ.eyJhdWQiOiJodHRwczovL2V4YW1wbGUuY29tIiwiYXpwIjoiMTEzNzc0MjY0NDYzMDM4MzIxOTY0IiwiZW1haWwiOiJnYWUtZ2NwQGFwcHNwb3QuZ3NlcnZpY2VhY2NvdW50LmNvbSIsImVtYWlsX3ZlcmlmaWVkIjp0cnVlLCJleHAiOjE1NTAxODU5MzUsImlhdCI6MTU1MDE4MjMzNSwiaXNzIjoiaHR0cHM6Ly9hY2NvdW50cy5nb29nbGUuY29tIiwic3ViIjoiMTEzNzc0MjY0NDYzMDM4MzIxOTY0In0.QVjyqpmadTyDZmlX2u3jWd1kJ68YkdwsRZDo-QxSPbxjug4ucLBwAs2QePrcgZ6hhkvdc4UHY4YF3fz9g7XHULNVIzX5xh02qXEH8dK6PgGndIWcZQzjSYfgO-q-R2oo2hNM5HBBsQN4ARtGK_acG-NGGWM3CQfahbEjZPAJe_B8M7HfIu_G5jOLZCw2EUcGo8BvEwGcLWB2WqEgRM0-xt5-UPzoa3-FpSPG7DHk7z9zRUeq6eB__ldb-2o4RciJmjVwHgnYqn3VvlX9oVKEgXpNFhKuYA-mWh5o7BCwhujSMmFoBOh6mbIXFcyf5UiVqKjpqEbqPGo_AvKvIQ9VTQ";

interface Given {
  url?: string;
  pubsub?: PubsubAuth | null;
  nowMs?: number;
  fetchKeys?: (url: string) => Promise<unknown>;
}

function verify(token: string, { url = AUDIENCE, pubsub, nowMs = NOW_MS, fetchKeys = fetchGoogleKeys }: Given = {}) {
  const settings = { auth: null, url, pubsub: pubsub === undefined ? { service_account: SERVICE_ACCOUNT } : pubsub };
  return verifyGoogleToken(token, { secrets: [], settings, nowMs, fetchKeys }, keepIssuerKeys());
}

describe("a token of Google's", () => {
  it("is believed when it is for the endpoint's address", async () => {
    expect(await verify(await googleToken(NOW_MS))).toEqual({ ok: true });
  });

  it("is believed when it is for the audience that the trigger names", async () => {
    const token = await googleToken(NOW_MS, { claims: { aud: "reveille" } });
    const pubsub = { service_account: SERVICE_ACCOUNT, audience: "reveille" };
    expect(await verify(token, { pubsub })).toEqual({ ok: true });
    expect(await verify(await googleToken(NOW_MS), { pubsub })).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("may name its issuer without a scheme", async () => {
    expect(await verify(await googleToken(NOW_MS, { claims: { iss: "accounts.google.com" } }))).toEqual({ ok: true });
  });

  it.each<[string, TokenChange]>([
    ["another issuer", { claims: { iss: "https://accounts.google.com.evil.test" } }],
    ["no issuer", { claims: { iss: undefined } }],
    ["another audience", { claims: { aud: "https://example.com/other" } }],
    ["no audience", { claims: { aud: undefined } }],
    ["another account", { claims: { email: "someone@appspot.gserviceaccount.com" } }],
    ["no account", { claims: { email: undefined } }],
    ["an account that is not verified", { claims: { email_verified: false } }],
    ["an account that is verified in a word", { claims: { email_verified: "true" } }],
    ["no end", { claims: { exp: undefined } }],
    ["no beginning", { claims: { iat: undefined } }],
    ["an unknown key", { header: { kid: "another" } }],
  ])("is not believed with %s", async (_title, change) => {
    expect(await verify(await googleToken(NOW_MS, change))).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("is not believed when another key has signed it", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const token = await googleToken(NOW_MS, { key: privateKey });
    expect(await verify(token)).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("is not believed when its claims were changed after it was signed", async () => {
    const [header, , signature] = (await googleToken(NOW_MS)).split(".");
    const [, claims] = (await googleToken(NOW_MS, { claims: { sub: "1" } })).split(".");
    const token = [header, claims, signature].join(".");
    expect(await verify(token)).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("is not believed when it is signed with a public key as the secret", async () => {
    const { publicKey } = await generateKeyPair("RS256", { extractable: true });
    const key = new TextEncoder().encode(await exportSPKI(publicKey));
    const token = await googleToken(NOW_MS, { header: { alg: "HS256" }, key });
    expect(await verify(token)).toEqual({ ok: false, failure: "signature_malformed" });
  });

  it.each<[number, boolean]>([
    [0, true],
    [3_629, true],
    [3_630, false],
    [86_400, false],
    [-30, true],
    [-31, false],
    [-3_600, false],
  ])("that is %d s old is believed: %s", async (ageSeconds, isBelieved) => {
    const token = await googleToken(NOW_MS - ageSeconds * 1_000);
    expect(await verify(token)).toEqual(isBelieved ? { ok: true } : { ok: false, failure: "time_out_of_range" });
  });

  it("lives an hour, whatever it says", async () => {
    const token = await googleToken(NOW_MS - 7_200_000, { claims: { exp: NOW_S + 86_400 } });
    expect(await verify(token)).toEqual({ ok: false, failure: "time_out_of_range" });
  });

  it("is not believed before its time", async () => {
    const token = await googleToken(NOW_MS, { claims: { nbf: NOW_S + 60 } });
    expect(await verify(token)).toEqual({ ok: false, failure: "time_out_of_range" });
  });

  it("is late only if Google signed it", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const token = await googleToken(NOW_MS - 86_400_000, { key: privateKey });
    expect(await verify(token)).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("from the documentation has the claims that these tests sign, and the form of a token", async () => {
    const [header, claims] = (await googleToken(1_550_182_335_000)).split(".");
    expect(JSON.parse(atob(claims ?? ""))).toEqual(JSON.parse(atob(DOCUMENTED.split(".")[1] ?? "")));
    expect(JSON.parse(atob(header ?? ""))).toEqual(JSON.parse(atob(DOCUMENTED.split(".")[0] ?? "")));
    expect(await verify(DOCUMENTED, { nowMs: 1_550_182_400_000 })).toEqual({ ok: false, failure: "token_wrong" });
  });

  it("is not believed while nobody has said whose it has to be", async () => {
    expect(await verify(await googleToken(NOW_MS), { pubsub: null })).toEqual({ ok: false, failure: "token_wrong" });
  });
});

describe("what is no such token", () => {
  it.each<[string, (good: string) => string]>([
    ["one part", (good) => good.split(".")[0] ?? ""],
    ["two parts", (good) => good.split(".").slice(0, 2).join(".")],
    ["four parts", (good) => `${good}.e30`],
    ["no signature", (good) => good.replace(/[^.]+$/, "")],
    ["a padded signature", (good) => `${good}==`],
    ["a signature with other bits at its end", (good) => `${good.slice(0, -1)}${good.endsWith("A") ? "B" : "_"}`],
    ["a signature in the alphabet of base64", (good) => `${good.slice(0, -2)}+/`],
    ["a header that is no JSON", (good) => good.replace(/^[^.]+/, "bm8")],
    ["words", () => "not.a.token"],
    ["the algorithm none", (good) => good.replace(/^[^.]+/, encoded({ alg: "none", kid: "a" }))],
    ["no key id", (good) => good.replace(/^[^.]+/, encoded({ alg: "RS256" }))],
    ["an empty key id", (good) => good.replace(/^[^.]+/, encoded({ alg: "RS256", kid: "" }))],
  ])("is refused before anyone is asked: %s", async (_title, spoilt) => {
    const fetchKeys = () => Promise.reject(new Error("nobody is to be asked"));
    const given = await verify(spoilt(await googleToken(NOW_MS)), { fetchKeys });
    expect(given).toEqual({ ok: false, failure: "signature_malformed" });
  });
});

describe("Google's keys", () => {
  it("are read from where Google publishes them", async () => {
    const urls: string[] = [];
    const fetchKeys = (url: string) => {
      urls.push(url);
      return googleKeys();
    };
    expect(await verify(await googleToken(NOW_MS), { fetchKeys })).toEqual({ ok: true });
    expect(urls).toEqual([GOOGLE_KEYS_URL]);
    expect(GOOGLE_KEYS_URL).toBe("https://www.googleapis.com/oauth2/v3/certs");
  });

  it("may be out of reach, or unreadable", async () => {
    const token = await googleToken(NOW_MS);
    for (const fetchKeys of [() => Promise.reject(new Error("down")), async () => "<html>"]) {
      expect(await verify(token, { fetchKeys })).toEqual({ ok: false, failure: "keys_unreachable" });
    }
  });
});

function encoded(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
