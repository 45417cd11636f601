/** Objects at the beginning of a pack, as git writes it: commits come first. Pure. @see git's gitformat-pack */
import { inflate } from "./inflate.ts";

/** The objects of a pack that are commits, as far as they have been read. */
export class Commits {
  readonly #byOffset = new Map<number, Uint8Array>();
  readonly #byName = new Map<string, Uint8Array>();
  /** How long a name is, in bytes. */
  #nameLength = 0;

  add(offset: number, name: string, content: Uint8Array): void {
    this.#byOffset.set(offset, content);
    this.#byName.set(name, content);
    this.#nameLength = name.length / 2;
  }

  at(offset: number): Uint8Array | undefined {
    return this.#byOffset.get(offset);
  }

  /** @returns the commit whose name stands at an offset, undefined for one that has not been read; null while the name is not whole. */
  named(bytes: Uint8Array, offset: number): { content: Uint8Array | undefined; end: number } | null {
    const end = offset + this.#nameLength;
    if (bytes.length < end) return null;
    const name = Array.from(bytes.subarray(offset, end), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { content: this.#byName.get(name), end };
  }
}

export type PackStep =
  /** A commit, and the offset of what comes next. */
  | { kind: "commit"; content: Uint8Array; end: number }
  /** The bytes end before the entry does. */
  | { kind: "more" }
  /** Something else than a commit, or an entry that is too large to be one that anybody wrote. */
  | { kind: "other" };

const HEADER_BYTES = 12;
const CONTENT_LIMIT_BYTES = 1_048_576;
const COMMIT = 1;
const OFFSET_DELTA = 6;
const NAME_DELTA = 7;

/** @returns how many objects the pack has and where they begin; "more" while that is not there. @throws RangeError for no pack. */
export function packHeader(bytes: Uint8Array, offset: number): { count: number; end: number } | "more" {
  if (bytes.length < offset + HEADER_BYTES) return "more";
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, HEADER_BYTES);
  const isPack = view.getUint32(0) === 0x5041434b && (view.getUint32(4) === 2 || view.getUint32(4) === 3);
  if (!isPack) throw new RangeError("not a pack");
  return { count: view.getUint32(8), end: offset + HEADER_BYTES };
}

/** Reads the entry at an offset. @param before commits of this pack that came before. @throws RangeError when it is broken. */
export function packEntry(bytes: Uint8Array, offset: number, before: Commits): PackStep {
  const head = entryHead(bytes, offset);
  if (head === null) return { kind: "more" };
  if (head.size > CONTENT_LIMIT_BYTES) return { kind: "other" };
  if (head.type === COMMIT) {
    const read = inflate(bytes, head.end, head.size);
    return read === null ? { kind: "more" } : { kind: "commit", content: read.data, end: read.end };
  }
  if (head.type !== OFFSET_DELTA && head.type !== NAME_DELTA) return { kind: "other" };
  const base = head.type === NAME_DELTA ? before.named(bytes, head.end) : baseAt(bytes, offset, head.end, before);
  if (base === null) return { kind: "more" };
  if (base.content === undefined) return { kind: "other" };
  const delta = inflate(bytes, base.end, head.size);
  if (delta === null) return { kind: "more" };
  return { kind: "commit", content: applyDelta(base.content, delta.data), end: delta.end };
}

function baseAt(bytes: Uint8Array, entryAt: number, offset: number, before: Commits) {
  const back = distanceAt(bytes, offset);
  return back === null ? null : { content: before.at(entryAt - back.value), end: back.end };
}

function entryHead(bytes: Uint8Array, offset: number): { type: number; size: number; end: number } | null {
  let at = offset;
  let byte = bytes[at];
  if (byte === undefined) return null;
  const type = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; byte >= 128; factor *= 128) {
    at += 1;
    byte = bytes[at];
    if (byte === undefined) return null;
    size += (byte & 127) * factor;
  }
  return { type, size, end: at + 1 };
}

function distanceAt(bytes: Uint8Array, offset: number): { value: number; end: number } | null {
  let at = offset;
  let byte = bytes[at];
  if (byte === undefined) return null;
  let value = byte & 127;
  while (byte >= 128) {
    at += 1;
    byte = bytes[at];
    if (byte === undefined) return null;
    value = (value + 1) * 128 + (byte & 127);
  }
  return { value, end: at + 1 };
}

/** @throws RangeError when the delta is not one of this base. */
export function applyDelta(base: Uint8Array, delta: Uint8Array): Uint8Array {
  let at = 0;
  const next = () => {
    const byte = delta[at];
    if (byte === undefined) throw new RangeError("the delta ends too early");
    at += 1;
    return byte;
  };
  const readSize = () => {
    let size = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = next();
      size += (byte & 127) * factor;
      if (byte < 128) return size;
    }
  };
  const readParts = (flags: number, count: number) => {
    let value = 0;
    for (let place = 0; place < count; place += 1) if (flags & (1 << place)) value += next() * 256 ** place;
    return value;
  };
  if (readSize() !== base.length) throw new RangeError("the delta is of another base");
  const size = readSize();
  if (size > CONTENT_LIMIT_BYTES) throw new RangeError("the delta makes too much");
  const made = new Uint8Array(size);
  let length = 0;
  const add = (piece: Uint8Array, wanted: number) => {
    if (piece.length !== wanted || length + wanted > size) throw new RangeError("the delta reaches too far");
    made.set(piece, length);
    length += wanted;
  };
  while (at < delta.length) {
    const code = next();
    if (code >= 128) {
      const from = readParts(code, 4);
      const count = readParts(code >> 4, 3) || 65_536;
      add(base.subarray(from, from + count), count);
    } else if (code > 0) {
      add(delta.subarray(at, at + code), code);
      at += code;
    } else throw new RangeError("not a delta");
  }
  if (length !== size) throw new RangeError("the delta makes too little");
  return made;
}
