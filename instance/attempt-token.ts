/**
 * The two secrets of an attempt: the link token for the runner alone, and the proxy token for its sandbox.
 *
 * A token is its lease and an HMAC over kind and lease, so that it can be checked without anything stored. Only the run's
 * object knows whether the attempt is still on.
 */
import { runIdSchema } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { InForce } from "./in-force.ts";

export type AttemptTokenKind = "link" | "proxy";

const encoder = new TextEncoder();

/** @param signingKey the instance's present SIGNING_KEY. */
export async function makeAttemptToken(signingKey: string, kind: AttemptTokenKind, lease: LeaseRef): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", await hmacKey(signingKey), signedText(kind, lease));
  return `rvl_${kind}_${lease.run_id}_${lease.generation}_${toHex(new Uint8Array(mac))}`;
}

/**
 * @param signingKeys those whose tokens are good: the present one, and the one before while it is changed.
 * @returns the lease that the token was made for, or null when it is not one of ours.
 */
export async function verifyAttemptToken(
  signingKeys: InForce,
  kind: AttemptTokenKind,
  token: string,
): Promise<LeaseRef | null> {
  const [, tokenKind, runId = "", generation = "", mac = ""] =
    /^rvl_(link|proxy)_(run_[0-9A-Z]{26})_([1-9][0-9]{0,5})_([0-9a-f]{64})$/.exec(token) ?? [];
  if (tokenKind !== kind || !runIdSchema.safeParse(runId).success) return null;
  const lease = { run_id: runId, generation: Number(generation) };
  const checked = signingKeys.map(async (signingKey) =>
    // `verify` compares in constant time.
    crypto.subtle.verify("HMAC", await hmacKey(signingKey), fromHex(mac), signedText(kind, lease)),
  );
  return (await Promise.all(checked)).includes(true) ? lease : null;
}

function signedText(kind: AttemptTokenKind, lease: LeaseRef) {
  return encoder.encode(`attempt-token/${kind}/${lease.run_id}/${lease.generation}`);
}

function hmacKey(signingKey: string) {
  return crypto.subtle.importKey("raw", encoder.encode(signingKey), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
