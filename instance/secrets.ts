/** Tokens, tickets and sign-ins: made at random, kept as hashes, compared in constant time. */
import { toHex } from "./attempt-token.ts";
import type { InForce } from "./in-force.ts";
import { type DrawnSecret, SECRET_PREFIXES } from "./secret-prefixes.ts";

const encoder = new TextEncoder();

/** @param of whose it is, where it says so. @returns 256 random bits behind its prefix. */
export function makeSecret(kind: DrawnSecret, of?: string): string {
  return `${SECRET_PREFIXES[kind]}${of === undefined ? "" : `${of}_`}${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** SHA-256 of bytes, in hex. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** SHA-256 in hex. Enough for secrets of 256 random bits: there is nothing to guess. */
export async function hashSecret(secret: string): Promise<string> {
  return sha256(new Uint8Array(encoder.encode(secret)));
}

/** What the owner is known by: the newest authority first, then those that are accepted too while a secret is changed. */
export type Authorities = readonly [current: string, ...previous: string[]];

const authorities = new WeakMap<object, Promise<Authorities>>();

/**
 * What sign-ins, tickets and viewers' sockets are bound to: keyed hashes of the owner's tokens, the first for what is let in
 * anew. Another OWNER_TOKEN or SIGNING_KEY gives another hash, so that whatever was let in before is let in no more once
 * OWNER_TOKEN_PREVIOUS and SIGNING_KEY_PREVIOUS are gone.
 */
export function authoritiesOf(config: { ownerTokens: InForce; signingKeys: InForce }): Promise<Authorities> {
  const known = authorities.get(config) ?? makeAuthorities(config.signingKeys, config.ownerTokens);
  authorities.set(config, known);
  return known;
}

async function makeAuthorities(signingKeys: InForce, ownerTokens: InForce): Promise<Authorities> {
  const pairs = signingKeys.flatMap((key) => ownerTokens.map((token) => [key, token] as const));
  const made = pairs.slice(1).map(([key, token]) => makeAuthority(key, token));
  return [await makeAuthority(signingKeys[0], ownerTokens[0]), ...(await Promise.all(made))];
}

async function makeAuthority(signingKey: string, ownerToken: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(signingKey), algorithm, false, ["sign"]);
  return toHex(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`owner-token/${ownerToken}`))));
}

/** Compares two hashes, or two tokens as they came, in constant time. */
export function isSameHash(left: string, right: string): boolean {
  const [one, other] = [encoder.encode(left), encoder.encode(right)];
  // Texts of as many characters may have another number of bytes.
  return one.length === other.length && crypto.subtle.timingSafeEqual(one, other);
}

/**
 * Whether a secret that was shown is one of those in force. Compares in constant time, also when the lengths differ.
 * @returns its place among them, or null.
 */
export async function placeOfSecret(given: string, inForce: InForce): Promise<number | null> {
  const [hash = "", ...known] = await Promise.all([given, ...inForce].map(hashSecret));
  const place = known.map((one) => isSameHash(hash, one)).indexOf(true);
  return place === -1 ? null : place;
}

/** Whether a text is one of the owner's tokens. @returns what it lets in is bound to, or null when it is none. */
export async function authorityOfToken(
  config: { ownerTokens: InForce; signingKeys: InForce },
  given: string,
): Promise<string | null> {
  const place = await placeOfSecret(given, config.ownerTokens);
  // The first authorities are those of the present key, in the order of the tokens.
  return place === null ? null : ((await authoritiesOf(config))[place] ?? null);
}
