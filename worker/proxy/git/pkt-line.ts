/** Git's pkt-line framing. Pure. */
import { ByteQueue } from "./byte-queue.ts";

/** A packet's payload, or null for a flush packet. */
export type Packet = Uint8Array | null;

const encoder = new TextEncoder();

/** Splits bytes into packets as they come. */
export class PacketReader {
  readonly #rest = new ByteQueue();

  /**
   * The packets that are whole with these bytes, one by one: those before bytes that are no pkt-line come before the error, in
   * however many pieces the bytes have come. @throws RangeError when the bytes are no pkt-line.
   */
  *push(bytes: Uint8Array): Generator<Packet, void> {
    this.#rest.push(bytes);
    for (;;) {
      const packet = packetAt(this.#rest.view(), 0);
      if (packet === null) return;
      this.#rest.drop(packet.length);
      yield packet.payload;
    }
  }
}

/** @returns the packet at an offset with its length on the wire, or null while it is not whole. */
export function packetAt(bytes: Uint8Array, offset: number): { payload: Packet; length: number } | null {
  if (bytes.length - offset < 4) return null;
  const digits = String.fromCharCode(...bytes.subarray(offset, offset + 4));
  if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new RangeError("not a pkt-line");
  const length = Number.parseInt(digits, 16);
  if (length === 0) return { payload: null, length: 4 };
  if (length < 4) throw new RangeError("not a pkt-line of this protocol version");
  if (bytes.length - offset < length) return null;
  return { payload: bytes.slice(offset + 4, offset + length), length };
}

/** The longest payload that git reads in one packet. */
export const PAYLOAD_LIMIT = 65_515;

/** @param payload at most `PAYLOAD_LIMIT` bytes. */
export function packet(payload: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof payload === "string" ? encoder.encode(payload) : payload;
  return joined([encoder.encode((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

export const FLUSH: Uint8Array = encoder.encode("0000");

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
