/** The name of a server in the first message of TLS, which is sent in clear: RFC 8446, section 4.1.2, and RFC 6066, section 3. */

export type HelloName =
  /** The message has not come whole. */
  | { kind: "more" }
  /** What comes is no beginning of TLS. */
  | { kind: "not_tls" }
  /** Null where the client names none, or more than one. */
  | { kind: "hello"; name: string | null };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
/** Of a record, and of the message in it. */
const HEADER = { record: 5, message: 4 } as const;
/** A hello with keys for several kinds of exchange has two kilobytes. */
export const LONGEST_HELLO = 16_384;

/** @param bytes what a client has sent so far. */
export function helloName(bytes: Buffer): HelloName {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return { kind: "not_tls" };
  const message = joinRecords(bytes);
  if (message === null || (message.length > 0 && message[0] !== CLIENT_HELLO)) return { kind: "not_tls" };
  if (message.length < HEADER.message) return { kind: "more" };
  const length = message.readUIntBE(1, 3);
  if (length > LONGEST_HELLO) return { kind: "not_tls" };
  if (message.length < HEADER.message + length) return { kind: "more" };
  try {
    const names = namesIn(message.subarray(HEADER.message, HEADER.message + length));
    return { kind: "hello", name: names.length === 1 ? (names[0] ?? null) : null };
  } catch {
    return { kind: "not_tls" };
  }
}

/** What the records carry, as far as it has come: a message may be cut into several. @returns null for what is no handshake. */
function joinRecords(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; at + HEADER.record <= bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3) return null;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0) return null;
    parts.push(bytes.subarray(at + HEADER.record, at + HEADER.record + length));
    at += HEADER.record + length;
  }
  return Buffer.concat(parts);
}

/** @throws RangeError for lengths that lead out of the message. */
function namesIn(hello: Buffer): string[] {
  const reader = new Reader(hello);
  reader.skip(2 + 32);
  reader.take(1);
  reader.take(2);
  reader.take(1);
  const extensions = new Reader(reader.take(2));
  const names: string[] = [];
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const body = extensions.take(2);
    if (type !== SERVER_NAME) continue;
    const list = new Reader(new Reader(body).take(2));
    while (!list.isAtEnd) {
      const kind = list.number(1);
      const name = list.take(2).toString("latin1");
      if (kind === HOST_NAME) names.push(name);
    }
  }
  return names;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(size: number): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  /** What a length of so many bytes stands before. */
  take(sizeOfLength: number): Buffer {
    const length = this.number(sizeOfLength);
    const start = this.#at;
    this.skip(length);
    return this.#bytes.subarray(start, this.#at);
  }

  skip(length: number): void {
    if (this.#at + length > this.#bytes.length) throw new RangeError("out of the message");
    this.#at += length;
  }
}
