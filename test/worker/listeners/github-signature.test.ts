/** Who GitHub's signature lets in, in the runtime that checks it. */
import { sign } from "@octokit/webhooks-methods";
import { describe, expect, it } from "vitest";
import { verifyGithub } from "#worker/inbound/sources/github/signature.ts";

/** As GitHub's documentation publishes them ("Validating webhook deliveries", testing the validation). */
const SECRET = "It's a Secret to Everybody";
const PAYLOAD = "Hello, World!";
const DIGEST = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const signed = (signature: string) => new Headers({ "x-hub-signature-256": signature });
const verify = (signature: string, body = PAYLOAD, secrets: readonly string[] = [SECRET]) =>
  verifyGithub(signed(signature), bytes(body), secrets);

describe("a signature", () => {
  it("is right in GitHub's own example", async () => {
    expect(await verify(`sha256=${DIGEST}`)).toEqual({ ok: true });
  });

  it("is right by either secret while one is rotated", async () => {
    expect(await verify(`sha256=${DIGEST}`, PAYLOAD, ["new secret", SECRET])).toEqual({ ok: true });
    expect(await verify(`sha256=${DIGEST}`, PAYLOAD, [SECRET, "new secret"])).toEqual({ ok: true });
    expect(await verify(`sha256=${DIGEST}`, PAYLOAD, ["", SECRET])).toEqual({ ok: true });
  });

  it.each(["{}", '{"title":"Grüße, 世界 🌍"}', "\uFEFF{}", `{"long":"${"x".repeat(100_000)}"}`])(
    "of GitHub's own library is right: %#",
    async (body) => {
      expect(await verify(await sign(SECRET, body), body)).toEqual({ ok: true });
    },
  );

  it("covers every byte, also those that are no UTF-8", async () => {
    const body = new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]);
    const key = await crypto.subtle.importKey("raw", bytes(SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const digest = new Uint8Array(await crypto.subtle.sign("HMAC", key, body));
    const header = signed(`sha256=${[...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`);
    expect(await verifyGithub(header, body, [SECRET])).toEqual({ ok: true });
    // Decoded as text, both would be the same.
    const other = new Uint8Array([0x7b, 0xfd, 0xfc, 0x7d]);
    expect(await verifyGithub(header, other, [SECRET])).toEqual({ ok: false, failure: "signature_wrong" });
  });

  it("tells a byte order mark from none", async () => {
    const header = await sign(SECRET, "\uFEFF{}");
    expect(await verify(header, "{}")).toEqual({ ok: false, failure: "signature_wrong" });
  });

  it("is not right for another body, secret or digest", async () => {
    const wrong = { ok: false, failure: "signature_wrong" };
    expect(await verify(`sha256=${DIGEST}`, "Hello, World")).toEqual(wrong);
    expect(await verify(`sha256=${DIGEST}`, "")).toEqual(wrong);
    expect(await verify(`sha256=${DIGEST}`, PAYLOAD, ["another"])).toEqual(wrong);
    expect(await verify(`sha256=${"0".repeat(64)}`)).toEqual(wrong);
    expect(await verify(`sha256=${DIGEST.slice(0, -1)}8`)).toEqual(wrong);
  });

  it.each([
    ["no prefix", DIGEST],
    ["another prefix", `sha1=${DIGEST}`],
    ["a prefix in upper case", `SHA256=${DIGEST}`],
    ["upper case", `sha256=${DIGEST.toUpperCase()}`],
    ["one digit in upper case", `sha256=${DIGEST.replace("e", "E")}`],
    ["nothing after the prefix", "sha256="],
    ["a word", "foo"],
    ["a digit too few", `sha256=${DIGEST.slice(1)}`],
    ["a digit too many", `sha256=${DIGEST}0`],
    ["half of it", `sha256=${DIGEST.slice(0, 32)}`],
    ["junk between the pairs", `sha256=${DIGEST.replace(/../g, "$&-")}`],
    ["a space inside", `sha256= ${DIGEST}`],
    ["base64", "sha256=dXEH6g6yUJ/CESIczpiEs6N1cLbXWGwixG9DeciwQ+Fw=="],
    ["two at once", `sha256=${DIGEST}, sha256=${DIGEST}`],
  ])("with %s is malformed", async (_, signature) => {
    expect(await verify(signature)).toEqual({ ok: false, failure: "signature_malformed" });
  });

  it("has to be there, and SHA-1 is none", async () => {
    const headers = new Headers({ "x-hub-signature": `sha1=${"0".repeat(40)}` });
    const body = bytes(PAYLOAD);
    expect(await verifyGithub(headers, body, [SECRET])).toEqual({ ok: false, failure: "signature_missing" });
    expect(await verifyGithub(signed(""), body, [SECRET])).toEqual({ ok: false, failure: "signature_missing" });
  });

  it.each([[[]], [[""]]])("means nothing without a secret: %j", async (secrets) => {
    expect(await verify(`sha256=${DIGEST}`, PAYLOAD, secrets)).toEqual({ ok: false, failure: "no_secret" });
  });
});
