/** Signatures of senders that sign with a private key, and tell the public one. */
import { hexDigest } from "./hmac.ts";

/** The public key, 32 bytes in hex, in either case. @returns null for anything else. */
export function publicKeyOf(text: string): Uint8Array<ArrayBuffer> | null {
  return hexDigest(text.toLowerCase(), "sha256");
}

/** A signature, 64 bytes in lower-case hex. @returns null for anything else. */
export function ed25519Signature(text: string): Uint8Array<ArrayBuffer> | null {
  return hexDigest(text, "sha512");
}

/** Whether one of the keys' owners signed it. A key that is none has signed nothing. */
export async function isSignedByKey(
  publicKeys: readonly string[],
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const checked = publicKeys.map(async (text) => {
    const bytes = publicKeyOf(text);
    if (bytes === null) return false;
    try {
      const key = await crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
    } catch {
      // Not every 32 bytes are a point of the curve.
      return false;
    }
  });
  return (await Promise.all(checked)).includes(true);
}
