/**
 * SHA-256 without waiting: the platform's own answers later, and between the first read and the last write of a decision nothing
 * may be awaited. For keys, which are short; what is long or secret goes through the platform. Pure.
 * @see https://csrc.nist.gov/pubs/fips/180-4/upd1/final
 */

const BLOCK = 64;
/** Bytes at the end of the last block that say how long the message is. */
const LENGTH_BYTES = 8;
const encoder = new TextEncoder();

/** The first 32 bits of the fractions of roots of the first primes: square roots to begin with, cube roots for the rounds. */
const PRIMES = firstPrimes(64);
const START = PRIMES.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const ROUNDS = Uint32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

/** @returns 64 digits in lower-case hex. @param text as UTF-8, in which half of a pair of surrogates is U+FFFD. */
export function sha256Hex(text: string): string {
  const message = padded(encoder.encode(text));
  const view = new DataView(message.buffer);
  const state = Uint32Array.from(START);
  const words = new Uint32Array(ROUNDS.length);
  for (let at = 0; at < message.length; at += BLOCK) {
    for (let place = 0; place < 16; place += 1) words[place] = view.getUint32(at + 4 * place);
    mix(state, words);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

function mix(state: Uint32Array, words: Uint32Array): void {
  for (let place = 16; place < words.length; place += 1) {
    const [old, late] = [at(words, place - 15), at(words, place - 2)];
    const [low, high] = [
      turned(old, 7) ^ turned(old, 18) ^ (old >>> 3),
      turned(late, 17) ^ turned(late, 19) ^ (late >>> 10),
    ];
    words[place] = at(words, place - 16) + low + at(words, place - 7) + high;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let round = 0; round < words.length; round += 1) {
    const chosen = (e & f) ^ (~e & g);
    const more =
      (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + at(ROUNDS, round) + at(words, round)) | 0;
    const major = (a & b) ^ (a & c) ^ (b & c);
    const less = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + major) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + more) | 0, c, b, a, (more + less) | 0];
  }
  for (const [place, word] of [a, b, c, d, e, f, g, h].entries()) state[place] = at(state, place) + word;
}

function turned(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function at(words: Uint32Array, place: number): number {
  return words[place] ?? 0;
}

/** A one after the message, zeros up to whole blocks, and its length in bits. */
function padded(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK);
  const whole = new Uint8Array(blocks * BLOCK);
  whole.set(message);
  whole[message.length] = 0x80;
  new DataView(whole.buffer).setBigUint64(whole.length - LENGTH_BYTES, BigInt(message.length) * 8n);
  return whole;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let next = 2; primes.length < count; next += 1)
    if (primes.every((prime) => next % prime !== 0)) primes.push(next);
  return primes;
}

function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32);
}
