/** Escapes of half a surrogate pair in JSON that passes by become those of the replacement character, which are as long. */
import { joined } from "./request-reader.ts";

const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const ESCAPE_LENGTH = 6;
const REPLACEMENT = new TextEncoder().encode("\\ufffd");
const NOTHING = new Uint8Array();

export class WellFormedBytes {
  /** An escape of which the end, or the other half of the pair, has not come. */
  #held: Uint8Array = NOTHING;

  /** @returns what may go on; the chunk itself is changed. */
  push(chunk: Uint8Array): Uint8Array {
    const bytes = this.#held.length === 0 ? chunk : joined([this.#held, chunk]);
    let at = bytes.indexOf(BACKSLASH);
    while (at !== -1) {
      const length = escapeLength(bytes, at);
      if (length === null) break;
      if (length === ESCAPE_LENGTH && isSurrogate(codeAt(bytes, at))) bytes.set(REPLACEMENT, at);
      at = bytes.indexOf(BACKSLASH, at + length);
    }
    const end = at === -1 ? bytes.length : at;
    this.#held = bytes.slice(end);
    return bytes.subarray(0, end);
  }

  /** The request has ended. @returns what was held back: it ends within an escape, and is no JSON. */
  rest(): Uint8Array {
    return this.#held;
  }
}

/** @returns how long an escape is, a pair as one; null while that can't be told. */
function escapeLength(bytes: Uint8Array, at: number): number | null {
  const kind = bytes[at + 1];
  if (kind === undefined) return null;
  if (kind !== LETTER_U) return 2;
  if (at + ESCAPE_LENGTH > bytes.length) return null;
  if (!isHigh(codeAt(bytes, at))) return ESCAPE_LENGTH;
  const next = at + ESCAPE_LENGTH;
  const [after, kindAfter] = [bytes[next], bytes[next + 1]];
  if (after === undefined || (after === BACKSLASH && kindAfter === undefined)) return null;
  if (after !== BACKSLASH || kindAfter !== LETTER_U) return ESCAPE_LENGTH;
  if (next + ESCAPE_LENGTH > bytes.length) return null;
  return isLow(codeAt(bytes, next)) ? 2 * ESCAPE_LENGTH : ESCAPE_LENGTH;
}

/** The code of the escape at an offset. */
function codeAt(bytes: Uint8Array, at: number): number {
  return Number.parseInt(String.fromCharCode(...bytes.subarray(at + 2, at + ESCAPE_LENGTH)), 16);
}

const isHigh = (code: number) => code >= 0xd800 && code < 0xdc00;
const isLow = (code: number) => code >= 0xdc00 && code < 0xe000;
const isSurrogate = (code: number) => isHigh(code) || isLow(code);
