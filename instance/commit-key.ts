/** Reads a private key of OpenSSH's (`openssh-key-v1`), as `ssh-keygen -t ed25519` writes it. Pure. */

import type { CommitIdentity } from "#protocol/commit.ts";

export interface CommitKey {
  /** The private key, 32 bytes. */
  seed: Uint8Array<ArrayBuffer>;
  /** The public key as it is on the wire: its type and its 32 bytes, each with their length. */
  publicBlob: Uint8Array<ArrayBuffer>;
}

const MAGIC = "openssh-key-v1\0";
const TYPE = "ssh-ed25519";
const PEM = /^-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----$/;
const decoder = new TextDecoder("latin1");

/** @param text the key's file; its line breaks may be written as `\n`. @returns null for every other key, and for one with a passphrase. */
export function readCommitKey(text: string): CommitKey | null {
  const [, base64] = PEM.exec(text.replaceAll("\\n", "\n").trim()) ?? [];
  if (base64 === undefined) return null;
  try {
    const reader = new Reader(Uint8Array.from(atob(base64.replace(/\s+/g, "")), (char) => char.charCodeAt(0)));
    if (decoder.decode(reader.take(MAGIC.length)) !== MAGIC) return null;
    const [cipher, derivation] = [reader.text(), reader.text()];
    reader.string();
    if (cipher !== "none" || derivation !== "none" || reader.number() !== 1) return null;
    const publicBlob = reader.string().slice();
    const secret = new Reader(reader.string());
    const [check, again] = [secret.number(), secret.number()];
    if (check !== again || secret.text() !== TYPE) return null;
    const [publicKey, pair] = [secret.string(), secret.string()];
    const isOne =
      pair.length === 64 && publicKey.length === 32 && publicKey.every((byte, at) => byte === pair[32 + at]);
    return isOne ? { seed: pair.slice(0, 32), publicBlob } : null;
  } catch (error) {
    if (error instanceof RangeError || error instanceof DOMException) return null;
    throw error;
  }
}

/** The public half as people and git know it: `ssh-ed25519 AAAA…`. */
function publicLine({ publicBlob }: CommitKey): string {
  return `${TYPE} ${btoa(String.fromCharCode(...publicBlob))}`;
}

/** As a runner gets to know it: without the private key. */
export function shownIdentity({
  name,
  email,
  key,
}: {
  name: string;
  email: string;
  key: CommitKey | null;
}): CommitIdentity {
  return { name, email, signing_key: key === null ? null : publicLine(key) };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError("the key ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(): number {
    const bytes = this.take(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  }

  string(): Uint8Array {
    return this.take(this.number());
  }

  text(): string {
    return decoder.decode(this.string());
  }
}
