/** Signatures as `ssh-keygen -Y sign` makes them, by OpenSSH's PROTOCOL.sshsig. */
import type { CommitKey } from "#instance/commit-key.ts";

const NAMESPACE = "git";
const HASH = "sha512";
/** Before the 32 bytes of an Ed25519 key in PKCS #8. */
const PKCS8_HEAD = Uint8Array.from("302e020100300506032b657004220420".match(/../g) ?? [], (hex) =>
  Number.parseInt(hex, 16),
);
const LINE = 70;
const encoder = new TextEncoder();

/** @returns the signature in its armor, with a line feed at its end. */
export async function signCommit(key: CommitKey, payload: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-512", payload));
  const about = [field(NAMESPACE), field(""), field(HASH)];
  const signed = joined([encoder.encode("SSHSIG"), ...about, field(hash)]);
  const secret = await crypto.subtle.importKey("pkcs8", joined([PKCS8_HEAD, key.seed]), "Ed25519", false, ["sign"]);
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", secret, signed));
  const version = Uint8Array.of(0, 0, 0, 1);
  const whole = field(joined([field("ssh-ed25519"), field(signature)]));
  const blob = joined([encoder.encode("SSHSIG"), version, field(key.publicBlob), ...about, whole]);
  const lines = btoa(String.fromCharCode(...blob)).match(new RegExp(`.{1,${LINE}}`, "g")) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

/** Bytes or a text with their length before them. */
function field(content: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return joined([length, bytes]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
