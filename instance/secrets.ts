/** Tokens, tickets and sign-ins: made at random, kept as hashes, compared in constant time. */
import { toHex } from "./attempt-token.ts";

const encoder = new TextEncoder();

/** @param prefix tells people what a leaked text is, for instance `rvf_`. @returns 256 random bits behind it. */
export function makeSecret(prefix: string): string {
  return `${prefix}${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** SHA-256 of bytes, in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** SHA-256 in hex. Enough for secrets of 256 random bits: there is nothing to guess. */
export async function hashSecret(secret: string): Promise<string> {
  return sha256(new Uint8Array(encoder.encode(secret)));
}

const authorities = new WeakMap<object, Promise<string>>();

/**
 * What sign-ins, tickets and viewers' sockets are bound to: a keyed hash of the owner's token. Another OWNER_TOKEN or
 * SIGNING_KEY gives another hash, so that whatever was let in before is let in no more.
 */
export function authorityOf(config: { ownerToken: string; signingKey: string }): Promise<string> {
  const known = authorities.get(config) ?? makeAuthority(config.signingKey, config.ownerToken);
  authorities.set(config, known);
  return known;
}

async function makeAuthority(signingKey: string, ownerToken: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(signingKey), algorithm, false, ["sign"]);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`owner-token/${ownerToken}`))));
}

/** Compares two hashes in constant time. */
export function isSameHash(left: string, right: string): boolean {
  return left.length === right.length && crypto.subtle.timingSafeEqual(encoder.encode(left), encoder.encode(right));
}

/** Whether a secret that was shown is the one that is expected. Compares in constant time, also when the lengths differ. */
export async function secretsMatch(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([hashSecret(given), hashSecret(expected)]);
  return isSameHash(left, right);
}
