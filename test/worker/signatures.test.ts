/** Signatures of commits: made by the platform that the worker runs on, told once, and bounded. */
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { asking, ownerOf } from "#test/support/objects.ts";
import { signCommit } from "#worker/proxy/sign/ssh-signature.ts";
import { ProxyBed } from "./proxy-bed.ts";

const bed = ProxyBed.make();
const encoder = new TextEncoder();
const field = (bytes: Uint8Array) => [0, 0, 0, bytes.length, ...bytes];

it("is made in workerd, over the fields that OpenSSH says", async () => {
  const pair = (await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"])) as CryptoKeyPair;
  const pkcs8 = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
  const raw = new Uint8Array((await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer);
  const publicBlob = Uint8Array.from([...field(encoder.encode("ssh-ed25519")), ...field(raw)]);
  const payload = encoder.encode("tree …");
  const armored = await signCommit({ seed: pkcs8.slice(-32), publicBlob }, Uint8Array.from(payload));
  const [begin, ...rest] = armored.split("\n");
  const [end, last] = rest.slice(-2);
  expect([begin, end, last]).toEqual(["-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----", ""]);
  const blob = Uint8Array.from(atob(rest.slice(0, -2).join("")), (char) => char.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", payload));
  const about = [...field(encoder.encode("git")), 0, 0, 0, 0, ...field(encoder.encode("sha512"))];
  const signed = Uint8Array.from([...encoder.encode("SSHSIG"), ...about, ...field(hash)]);
  expect(await crypto.subtle.verify("Ed25519", pair.publicKey, blob.slice(-64), signed)).toBe(true);
});

it("is told to the transcript once in an attempt, and not made without end", async () => {
  const { runId, offer, notices } = await bed.begin();
  const begin = () => asking(runId).beginSignature(offer.lease);
  expect([(await begin()).ok, (await begin()).ok]).toEqual([true, true]);
  expect((await notices()).map(({ code }) => code)).toEqual(["commits_signed"]);
  await runInDurableObject(ownerOf(runId), (_object, { storage }) => {
    storage.sql.exec("UPDATE counters SET count = 9999 WHERE name LIKE '% signatures'");
  });
  expect([(await begin()).ok, await begin(), await begin()]).toMatchObject([
    true,
    { refusal: { code: "proxy_refused", reason: expect.stringContaining("10000 commits") } },
    { ok: false },
  ]);
  const later = { ...offer.lease, generation: offer.lease.generation + 1 };
  expect(await asking(runId).beginSignature(later)).toMatchObject({ refusal: { code: "proxy_token_refused" } });
});
