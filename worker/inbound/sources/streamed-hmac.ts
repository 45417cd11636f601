/** An HMAC over a body that passes by: the platform's own takes a whole one. Made of two digests, as RFC 2104 has it. */

/** Bytes of a block of SHA-256. */
const BLOCK = 64;
const INNER = 0x36;
const OUTER = 0x5c;
const encoder = new TextEncoder();

export class StreamedHmac {
  readonly #outerKey: Uint8Array<ArrayBuffer>;
  readonly #inner = new crypto.DigestStream("SHA-256");
  readonly #writer = this.#inner.getWriter();

  private constructor(key: Uint8Array) {
    this.#outerKey = padded(key, OUTER);
    // One that is left has no digest, and nobody waits for it.
    this.#inner.digest.catch(() => {});
  }

  /** Begins an HMAC with SHA-256. */
  static async begin(secret: string): Promise<StreamedHmac> {
    const bytes = encoder.encode(secret);
    const key = bytes.length > BLOCK ? new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)) : bytes;
    const hmac = new StreamedHmac(key);
    await hmac.write(padded(key, INNER));
    return hmac;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#writer.write(chunk);
  }

  /** The body has ended. */
  async end(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#writer.close();
    const inner = new Uint8Array(await this.#inner.digest);
    const message = new Uint8Array(BLOCK + inner.length);
    message.set(this.#outerKey);
    message.set(inner, BLOCK);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", message));
  }

  /** Gives the computation up. Never rejects. */
  async leave(): Promise<void> {
    await this.#writer.abort().catch(() => {});
  }
}

function padded(key: Uint8Array, pad: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: BLOCK }, (_, place) => (key[place] ?? 0) ^ pad);
}
