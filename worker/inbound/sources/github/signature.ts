/** Whether GitHub signed a body: strict in the header's form, then over the bytes as they arrived. */
import type { VerificationFailure } from "#protocol/delivery.ts";
import { hexDigest, isSignedByAny } from "../hmac.ts";
import type { Verification } from "../listener.ts";

const HEADER = "X-Hub-Signature-256";
const PREFIX = "sha256=";

/**
 * Checks `X-Hub-Signature-256`. The bytes go to the platform's HMAC as they are; `@octokit/webhooks-methods` takes text
 * alone, and a body that has been decoded first is no longer what was signed.
 * @param secrets those in force; two while a rotation overlaps. An empty one signs nothing.
 * @see docs/decisions/0009-github-signatures-over-bytes.md
 */
export async function verifyGithub(
  headers: Headers,
  body: Uint8Array<ArrayBuffer>,
  secrets: readonly string[],
): Promise<Verification> {
  const read = readSignature(headers, secrets);
  if ("failure" in read) return { ok: false, failure: read.failure };
  const isOurs = await isSignedByAny(secrets, "sha256", body, read.signature);
  return isOurs ? { ok: true } : { ok: false, failure: "signature_wrong" };
}

/** What a request is signed with, or what is wrong before its body is looked at: none is read for whoever has not even tried. */
export function readSignature(
  headers: Headers,
  secrets: readonly string[],
): { signature: Uint8Array<ArrayBuffer> } | { failure: VerificationFailure } {
  if (!secrets.some((secret) => secret !== "")) return { failure: "no_secret" };
  const header = headers.get(HEADER);
  if (header === null || header === "") return { failure: "signature_missing" };
  const signature = header.startsWith(PREFIX) ? hexDigest(header.slice(PREFIX.length), "sha256") : null;
  return signature === null ? { failure: "signature_malformed" } : { signature };
}
