/** Secrets: drawn, hashed for keeping, and compared so that the time taken tells nothing. */
import { toHex } from "#durable-objects/attempt-token.ts";

const encoder = new TextEncoder();

function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", encoder.encode(text));
}

/** SHA-256 in hex: what is stored of a secret, and the fingerprint of what was sent. */
export async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await sha256(text)));
}

/** Compares in constant time, also when the lengths differ. */
export async function secretsMatch(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(given), sha256(expected)]);
  return crypto.subtle.timingSafeEqual(left, right);
}

/** 256 random bits behind a prefix that tells what the secret is for. */
export function drawSecret(prefix: string): string {
  return `${prefix}${toHex(crypto.getRandomValues(new Uint8Array(32)))}`;
}
