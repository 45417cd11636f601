/**
 * Inflates one zlib stream out of many that stand one behind the other, as in a pack of git's: the platform's own
 * decompression does not tell where a stream ends. Pure.
 * @see https://www.rfc-editor.org/rfc/rfc1951
 */

export interface Inflated {
  data: Uint8Array;
  /** The offset behind the stream. */
  end: number;
}

/**
 * @param size of the data, as it is known beforehand.
 * @returns null while the bytes end before the stream does. @throws RangeError when it is no stream of that size.
 */
export function inflate(bytes: Uint8Array, offset: number, size: number): Inflated | null {
  const bits = new BitReader(bytes, offset);
  try {
    const [method = 0, flags = 0] = [bits.take(8), bits.take(8)];
    if ((method & 15) !== 8 || (method * 256 + flags) % 31 !== 0 || (flags & 32) !== 0) throw broken();
    const out = new Output(size);
    while (!readBlock(bits, out));
    if (out.length !== size) throw broken();
    const end = bits.byteOffset() + CHECKSUM_BYTES;
    return end > bytes.length ? null : { data: out.bytes, end };
  } catch (error) {
    if (error instanceof EndsEarly) return null;
    throw error;
  }
}

/** The stream's checksum is skipped: the content is checked by its hash. */
const CHECKSUM_BYTES = 4;

class EndsEarly extends Error {}

function broken(): RangeError {
  return new RangeError("not a zlib stream of this size");
}

class BitReader {
  readonly #bytes: Uint8Array;
  #offset: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** @param count at most 16. */
  take(count: number): number {
    while (this.#count < count) {
      const next = this.#bytes[this.#offset];
      if (next === undefined) throw new EndsEarly();
      this.#held |= next << this.#count;
      this.#offset += 1;
      this.#count += 8;
    }
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#count -= count;
    return value;
  }

  /** Leaves what is left of a byte that was begun. */
  align(): void {
    this.#held >>>= this.#count & 7;
    this.#count -= this.#count & 7;
  }

  byteOffset(): number {
    return this.#offset - (this.#count >> 3);
  }
}

class Output {
  readonly bytes: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  put(byte: number): void {
    if (this.length === this.bytes.length) throw broken();
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  repeat(distance: number, length: number): void {
    if (distance > this.length) throw broken();
    for (let count = 0; count < length; count += 1) this.put(this.bytes[this.length - distance] ?? 0);
  }
}

/** @returns whether it was the last block. */
function readBlock(bits: BitReader, out: Output): boolean {
  const isLast = bits.take(1) === 1;
  switch (bits.take(2)) {
    case 0:
      copyStored(bits, out);
      break;
    case 1:
      decode(bits, out, FIXED_LENGTHS, FIXED_DISTANCES);
      break;
    case 2: {
      const { lengths, distances } = readCodes(bits);
      decode(bits, out, lengths, distances);
      break;
    }
    default:
      throw broken();
  }
  return isLast;
}

function copyStored(bits: BitReader, out: Output): void {
  bits.align();
  const length = bits.take(16);
  if ((bits.take(16) ^ length) !== 0xffff) throw broken();
  for (let count = 0; count < length; count += 1) out.put(bits.take(8));
}

/** A canonical Huffman code: how many codes of each length there are, and the symbols in the order of their codes. */
interface Code {
  counts: Uint16Array;
  symbols: Uint16Array;
}

const LONGEST_CODE = 15;

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  const starts = new Uint16Array(LONGEST_CODE + 2);
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    starts[length + 1] = (starts[length] ?? 0) + (counts[length] ?? 0);
  }
  const symbols = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const place = starts[length] ?? 0;
    symbols[place] = symbol;
    starts[length] = place + 1;
  }
  return { counts, symbols };
}

function symbolOf(bits: BitReader, { counts, symbols }: Code): number {
  let code = 0;
  let first = 0;
  let place = 0;
  for (let length = 1; length <= LONGEST_CODE; length += 1) {
    code |= bits.take(1);
    const count = counts[length] ?? 0;
    if (code - count < first) return symbols[place + code - first] ?? 0;
    place += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw broken();
}

const LENGTH_BASES = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];

const FIXED_LENGTHS = codeOf(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codeOf(new Array<number>(30).fill(5));

const END_OF_BLOCK = 256;

function decode(bits: BitReader, out: Output, lengths: Code, distances: Code): void {
  for (;;) {
    const symbol = symbolOf(bits, lengths);
    if (symbol === END_OF_BLOCK) return;
    if (symbol < END_OF_BLOCK) out.put(symbol);
    else {
      const length = withBits(bits, symbol - END_OF_BLOCK - 1, LENGTH_BASES, LENGTH_BITS);
      const distance = withBits(bits, symbolOf(bits, distances), DISTANCE_BASES, DISTANCE_BITS);
      out.repeat(distance, length);
    }
  }
}

function withBits(bits: BitReader, place: number, bases: readonly number[], extra: readonly number[]): number {
  const base = bases[place];
  if (base === undefined) throw broken();
  return base + bits.take(extra[place] ?? 0);
}

/** The order in which a block gives the code lengths of the code in which its own codes are written (RFC 1951, 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function readCodes(bits: BitReader): { lengths: Code; distances: Code } {
  const [lengthCount, distanceCount, orderCount] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const ofCodes = new Array<number>(ORDER.length).fill(0);
  for (const place of ORDER.slice(0, orderCount)) ofCodes[place] = bits.take(3);
  const code = codeOf(ofCodes);
  const lengths: number[] = [];
  while (lengths.length < lengthCount + distanceCount) {
    const symbol = symbolOf(bits, code);
    if (symbol < 16) lengths.push(symbol);
    else lengths.push(...repeated(bits, symbol, lengths.at(-1)));
  }
  if (lengths.length > lengthCount + distanceCount) throw broken();
  return { lengths: codeOf(lengths.slice(0, lengthCount)), distances: codeOf(lengths.slice(lengthCount)) };
}

function repeated(bits: BitReader, symbol: number, last: number | undefined): number[] {
  if (symbol === 16) {
    if (last === undefined) throw broken();
    return new Array<number>(3 + bits.take(2)).fill(last);
  }
  return new Array<number>(symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)).fill(0);
}
