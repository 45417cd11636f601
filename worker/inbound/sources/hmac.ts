/** Signatures of listeners: strict in their form, compared in constant time. */

export type HmacAlgorithm = "sha256" | "sha512" | "sha1";

const HASHES: Record<HmacAlgorithm, string> = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" };
const LENGTHS: Record<HmacAlgorithm, number> = { sha1: 20, sha256: 32, sha512: 64 };
const encoder = new TextEncoder();

/** @param secret text, or the bytes that a source's text stands for. @param signature from `hexDigest` or `base64Digest`. */
export async function isSigned(
  secret: string | Uint8Array<ArrayBuffer>,
  algorithm: HmacAlgorithm,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const bytes = typeof secret === "string" ? encoder.encode(secret) : secret;
  // An empty key is refused by the platform, and signs nothing.
  if (bytes.length === 0) return false;
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: HASHES[algorithm] }, false, ["verify"]);
  return crypto.subtle.verify("HMAC", key, signature, message);
}

/** Whether any of the secrets signed it. All are tried: how long that takes tells nothing of which. */
export async function isSignedByAny(
  secrets: readonly (string | Uint8Array<ArrayBuffer>)[],
  algorithm: HmacAlgorithm,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const signed = await Promise.all(secrets.map((secret) => isSigned(secret, algorithm, message, signature)));
  return signed.includes(true);
}

/** A digest in lower-case hex of exactly the right length; null for anything else. */
export function hexDigest(text: string, algorithm: HmacAlgorithm): Uint8Array<ArrayBuffer> | null {
  if (text.length !== LENGTHS[algorithm] * 2 || !/^[0-9a-f]+$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** A digest in padded base64 of exactly the right length, spelt as it has to be; null for anything else. */
export function base64Digest(text: string, algorithm: HmacAlgorithm): Uint8Array<ArrayBuffer> | null {
  const bytes = base64Bytes(text);
  return bytes?.length === LENGTHS[algorithm] ? bytes : null;
}

/** @returns null where the text is not padded base64, or not its one canonical spelling. */
export function base64Bytes(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  try {
    const decoded = atob(text);
    return btoa(decoded) === text ? Uint8Array.from(decoded, (char) => char.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/** Compares a presented token with each secret, in a time that tells nothing of where they differ. */
export async function isAnyToken(secrets: readonly string[], presented: string): Promise<boolean> {
  const digest = async (text: string) => new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
  const given = await digest(presented);
  const same = await Promise.all(
    secrets.map(async (secret) => {
      const wanted = await digest(secret);
      return (
        secret !== "" && wanted.reduce((difference, byte, place) => difference | (byte ^ (given[place] ?? 0)), 0) === 0
      );
    }),
  );
  return same.includes(true);
}

/** Whether a time that a source has signed is near enough. @param seconds Unix seconds. */
export function isNear(seconds: number, nowMs: number, windowSeconds: number): boolean {
  return Number.isSafeInteger(seconds) && Math.abs(nowMs / 1_000 - seconds) <= windowSeconds;
}

/** What was signed, where it is text before the body: one array of bytes. */
export function prefixed(text: string, body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(text);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}
