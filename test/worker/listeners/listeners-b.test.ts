/** GitLab, Pub/Sub, Standard Webhooks and the generic listener: what all have in common, and what each has alone. */
import { describe, expect, it } from "vitest";
import type { GenericAuth } from "#protocol/triggers.ts";
import { generic } from "#worker/inbound/sources/generic.ts";
import { gitlab } from "#worker/inbound/sources/gitlab.ts";
import type { InboundRequest, VerifyContext } from "#worker/inbound/sources/listener.ts";
import { casesB } from "./listener-cases-b.ts";
import { describeListener } from "./listener-suite.ts";
import { bytesOf } from "./signing.ts";

casesB.forEach(describeListener);

const SIGNING_TOKEN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

function context(secrets: string[], { auth = null, nowMs = 0 }: { auth?: GenericAuth | null; nowMs?: number } = {}) {
  const fetchKeys = () => Promise.reject(new Error("nobody has keys"));
  const settings = { auth, pubsub: null, url: "https://reveille.example" };
  return { secrets, settings, nowMs, fetchKeys } satisfies VerifyContext;
}

function request(headers: Record<string, string>, body: string): InboundRequest {
  return { headers: new Headers(headers), body: bytesOf(body) };
}

describe("GitLab, while a secret token gives way to a signing token", () => {
  const secrets = [SIGNING_TOKEN, "old-token"];

  it("accepts the old token of a delivery that is not signed yet", async () => {
    const unsigned = request({ "X-Gitlab-Token": "old-token" }, "{}");
    expect(await gitlab.verify(unsigned, context(secrets))).toEqual({ ok: true });
  });

  it("accepts a signature, whatever token stands beside it", async () => {
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      "X-Gitlab-Token": "another-token",
    };
    const signed = request(headers, '{"test": 2432232314}');
    expect(await gitlab.verify(signed, context(secrets, { nowMs: 1_614_265_330_000 }))).toEqual({ ok: true });
  });

  it("takes no signature for granted that it can't check", async () => {
    const signed = request({ "webhook-signature": "v1,unknown", "X-Gitlab-Token": "old-token" }, "{}");
    expect(await gitlab.verify(signed, context(["old-token"]))).toEqual({ ok: true });
    expect((await gitlab.verify(signed, context(secrets))).ok).toBe(false);
  });

  it("takes no signature under another name, beside which an id would be nobody's", async () => {
    const headers = {
      "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "svix-timestamp": "1614265330",
      "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      "webhook-id": "another",
    };
    const renamed = request(headers, '{"test": 2432232314}');
    const failure = "signature_missing";
    expect(await gitlab.verify(renamed, context([SIGNING_TOKEN], { nowMs: 1_614_265_330_000 }))).toEqual({
      ok: false,
      failure,
    });
  });

  it.each([
    [{ "webhook-id": "one", "Idempotency-Key": "two" }, "one"],
    [{ "Idempotency-Key": "two", "X-Gitlab-Event-UUID": "three" }, "two"],
    [{ "X-Gitlab-Event-UUID": "three", "X-Gitlab-Webhook-UUID": "four" }, null],
  ])("knows a delivery of the headers %j by %j", (headers, key) => {
    const reading = gitlab.read(request(headers, '{"object_kind":"push"}'), context([]).settings);
    expect(reading).toMatchObject({ kind: "event", event: { dedupe_key: key } });
  });
});

describe("the generic listener", () => {
  /** RFC 4231, test case 2. */
  const SHA512 =
    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
  const auth: GenericAuth = { kind: "hmac", header: "X-Signature", prefix: "", algorithm: "sha512", encoding: "hex" };
  const body = "what do ya want for nothing?";

  it("checks SHA-512 as RFC 4231 computes it", async () => {
    expect(await generic.verify(request({ "X-Signature": SHA512 }, body), context(["Jefe"], { auth }))).toEqual({
      ok: true,
    });
    const base64 = btoa(
      (SHA512.match(/../g) ?? []).map((pair) => String.fromCharCode(Number.parseInt(pair, 16))).join(""),
    );
    const encoded = { auth: { ...auth, encoding: "base64" as const } };
    expect(await generic.verify(request({ "X-Signature": base64 }, body), context(["Jefe"], encoded))).toEqual({
      ok: true,
    });
  });

  it.each([
    [
      { kind: "hmac", header: "X-Signature", prefix: "", algorithm: "sha512", encoding: "hex" } as const,
      "signature_missing",
    ],
    [{ kind: "bearer" } as const, "token_missing"],
    [null, "token_missing"],
  ])("asked for %j, misses it", async (asked, failure) => {
    const given = await generic.verify(request({}, body), context(["Jefe"], { auth: asked }));
    expect(given).toEqual({ ok: false, failure });
  });

  it("reads a body of bytes as nothing", () => {
    const bytes = { headers: new Headers(), body: Uint8Array.from([0xff, 0xfe, 0x00]) };
    const reading = generic.read(bytes, context([]).settings);
    expect(reading).toEqual({ kind: "unreadable", reason: "The body is neither JSON nor text in UTF-8." });
  });

  it("gives an agent no more of a long body than fits, and filters all of it", () => {
    const long = JSON.stringify({ type: "long", rows: Array.from({ length: 20_000 }, (_, row) => ({ row })) });
    const reading = generic.read(request({ "Content-Type": "application/json" }, long), context([]).settings);
    if (reading.kind !== "event") throw new Error(reading.reason);
    expect(reading.event.context).toHaveLength(16_384);
    expect(reading.event.context.endsWith("…")).toBe(true);
    expect(reading.event.payload).toMatchObject({ rows: { length: 20_000 } });
  });
});
