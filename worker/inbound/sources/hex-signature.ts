/** The check that most sources share: one header with one HMAC-SHA256 in hex, after a prefix or bare. */
import { hexDigest, isSignedByAny } from "./hmac.ts";
import type { Verification } from "./listener.ts";

/**
 * @param header as it arrived; null when it did not. Two headers of one name arrive as a list, which has no good form.
 * @param prefix what has to stand before the digest, for instance `sha256=`; empty for none.
 */
export async function verifyHexSignature(
  header: string | null,
  prefix: string,
  message: Uint8Array<ArrayBuffer>,
  secrets: readonly string[],
): Promise<Verification> {
  if (!hasSecret(secrets)) return { ok: false, failure: "no_secret" };
  if (header === null || header === "") return { ok: false, failure: "signature_missing" };
  const digest = header.startsWith(prefix) ? hexDigest(header.slice(prefix.length), "sha256") : null;
  if (digest === null) return { ok: false, failure: "signature_malformed" };
  const isSigned = await isSignedByAny(secrets, "sha256", message, digest);
  return isSigned ? { ok: true } : { ok: false, failure: "signature_wrong" };
}

/** Whether anything can be checked at all: an empty secret is none. */
export function hasSecret(secrets: readonly string[]): boolean {
  return secrets.some((secret) => secret !== "");
}
