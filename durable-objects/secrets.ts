/** Tokens, tickets and sign-ins: made at random, kept as hashes, compared in constant time. */
import { toHex } from "./attempt-token.ts";

const encoder = new TextEncoder();

/** @param prefix tells people what a leaked text is, for instance `rvf_`. @returns 256 random bits behind it. */
export function makeSecret(prefix: string): string {
  return `${prefix}${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}

/** SHA-256 in hex. Enough for secrets of 256 random bits: there is nothing to guess. */
export async function hashSecret(secret: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(secret))));
}

/** Compares two hashes in constant time. */
export function isSameHash(left: string, right: string): boolean {
  return left.length === right.length && crypto.subtle.timingSafeEqual(encoder.encode(left), encoder.encode(right));
}
