/**
 * Reads JSON out of bytes as they come, strictly, and holds no more of it than the beginning of the text that it is at.
 * What is valid here means the same to every parser: UTF-8, no byte order mark, nothing that the specification does not have.
 * @see docs/decisions/0012-json-scanner.md
 * @see https://www.rfc-editor.org/rfc/rfc8259
 */
import type { Json } from "#protocol/schema.ts";

export type JsonKind = "object" | "array" | "string" | "number" | "word";

export interface JsonVisitor {
  /** A member's key; its value begins next. `scalar()` tells it. */
  key(): void;
  /** @param at of the value's first byte, in the chunk that is being read. */
  begin(kind: JsonKind, at: number): void;
  /** The innermost value that has begun ends. For all but objects and arrays `scalar()` tells it. @param at behind its last byte. */
  end(at: number): void;
}

/** What is read is no JSON, or nested too deeply. The message completes "The body". */
export class JsonFault extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const COLON = 0x3a;
const FIRST_PRINTABLE = 0x20;
const WHITESPACE: readonly number[] = [0x20, 0x09, 0x0a, 0x0d];

const ESCAPE = /^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/;
const BEGUN_ESCAPE = /^\\(?:u[0-9a-fA-F]{0,3})?$/;
const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const WORD = /^(?:true|false|null)$/;
const BARE = /[-+.0-9A-Za-z]/;
/** No number has so many digits. */
const BARE_LIMIT = 1_000;

type Wanted = "value" | "item or end" | "key or end" | "key" | "colon" | "comma or end";

const whole = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });

export class JsonScanner {
  readonly #visitor: JsonVisitor;
  readonly #nesting: number;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The open containers: whether each is an object. */
  readonly #open: boolean[] = [];
  #wanted: Wanted = "value";
  #inside: "nothing" | "text" | "escape" | "bare" = "nothing";
  #isKey = false;
  /** The beginning of the present text, as it is written. */
  readonly #text: Uint8Array;
  #length = 0;
  #isCut = false;
  #hasEscapes = false;
  /** A number, a word or an escape, as far as it has come. */
  #token = "";
  #isText = false;

  /** @param limits `nesting`: so many containers within each other; `text`: so many bytes are held of a text. */
  constructor(visitor: JsonVisitor, limits: { nesting: number; text: number }) {
    this.#visitor = visitor;
    this.#nesting = limits.nesting;
    this.#text = new Uint8Array(limits.text);
  }

  /** How many containers are open. */
  get depth(): number {
    return this.#open.length;
  }

  /** @throws JsonFault, and whatever the visitor throws. */
  push(chunk: Uint8Array): void {
    this.#checkText(chunk);
    for (let at = 0; at < chunk.length; ) {
      if (this.#inside === "text") at = this.#readText(chunk, at);
      else if (this.#inside === "escape") at = this.#readEscape(chunk, at);
      else if (this.#inside === "bare") at = this.#readBare(chunk, at);
      else at = this.#readMark(chunk[at] ?? 0, at);
    }
  }

  /** Nothing more comes. @throws JsonFault when that is too early. */
  finish(): void {
    this.#checkText(null);
    if (this.#inside === "bare") this.#endBare(0);
    const isWhole = this.#inside === "nothing" && this.#open.length === 0 && this.#wanted === "comma or end";
    if (!isWhole) throw new JsonFault("ends before its JSON does");
  }

  /** The present key, text, number or word; of a long text its beginning. */
  scalar(): { value: Json; isWhole: boolean } {
    if (!this.#isText) return { value: JSON.parse(this.#token), isWhole: true };
    const bytes = this.#text.subarray(0, this.#length);
    // A text that is cut may be cut within a character, which a decoder that waits for more leaves out.
    const text = this.#isCut
      ? new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(bytes, { stream: true })
      : whole.decode(bytes);
    return { value: this.#hasEscapes ? JSON.parse(`"${text}"`) : text, isWhole: !this.#isCut };
  }

  /** The present number or word as it is written. */
  get written(): string {
    return this.#token;
  }

  #checkText(chunk: Uint8Array | null): void {
    try {
      if (chunk === null) this.#utf8.decode();
      else this.#utf8.decode(chunk, { stream: true });
    } catch {
      throw new JsonFault("is not UTF-8");
    }
  }

  #readMark(byte: number, at: number): number {
    if (WHITESPACE.includes(byte)) return at + 1;
    const isEnd = this.#wanted.endsWith("end") && this.#open.length > 0;
    if (isEnd && byte === (this.#open.at(-1) ? CLOSE_OBJECT : CLOSE_LIST)) this.#close(at + 1);
    else if (this.#wanted === "value" || this.#wanted === "item or end") this.#beginValue(byte, at);
    else if (this.#wanted === "colon" && byte === COLON) this.#wanted = "value";
    else if (this.#wanted === "comma or end" && byte === COMMA && this.#open.length > 0) {
      this.#wanted = this.#open.at(-1) ? "key" : "value";
    } else if (this.#wanted.startsWith("key") && byte === QUOTE) this.#beginText(true);
    else throw new JsonFault(`is not valid JSON: ${this.#expectation()}`);
    return this.#inside === "bare" ? at : at + 1;
  }

  #expectation(): string {
    return this.#open.length === 0 ? "something follows its end" : `it lacks a ${this.#wanted}`;
  }

  #beginValue(byte: number, at: number): void {
    if (byte === QUOTE) {
      this.#visitor.begin("string", at);
      this.#beginText(false);
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      const isObject = byte === OPEN_OBJECT;
      if (this.#open.length === this.#nesting) {
        throw new JsonFault(`is nested deeper than ${this.#nesting} levels`);
      }
      this.#visitor.begin(isObject ? "object" : "array", at);
      this.#open.push(isObject);
      this.#wanted = isObject ? "key or end" : "item or end";
    } else {
      const character = String.fromCharCode(byte);
      if (!/[-0-9tfn]/.test(character)) throw new JsonFault(`is not valid JSON: it lacks a ${this.#wanted}`);
      this.#visitor.begin(/[tfn]/.test(character) ? "word" : "number", at);
      this.#inside = "bare";
      this.#isText = false;
      this.#token = "";
    }
  }

  #close(end: number): void {
    this.#open.pop();
    this.#wanted = "comma or end";
    this.#visitor.end(end);
  }

  #beginText(isKey: boolean): void {
    this.#inside = "text";
    this.#isKey = isKey;
    this.#isText = true;
    this.#length = 0;
    this.#isCut = false;
    this.#hasEscapes = false;
  }

  #readText(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === QUOTE || byte === BACKSLASH) break;
      if (byte < FIRST_PRINTABLE) throw new JsonFault("is not valid JSON: a text has a control character in it");
    }
    this.#hold(chunk.subarray(from, at));
    if (at === chunk.length) return at;
    if (chunk[at] === BACKSLASH) {
      this.#inside = "escape";
      this.#token = "\\";
      return at + 1;
    }
    this.#inside = "nothing";
    this.#wanted = this.#isKey ? "colon" : "comma or end";
    if (this.#isKey) this.#visitor.key();
    else this.#visitor.end(at + 1);
    return at + 1;
  }

  #readEscape(chunk: Uint8Array, at: number): number {
    this.#token += String.fromCharCode(chunk[at] ?? 0);
    if (ESCAPE.test(this.#token)) {
      this.#inside = "text";
      this.#hasEscapes = true;
      const bytes = Uint8Array.from(this.#token, (character) => character.charCodeAt(0));
      // Half an escape means nothing.
      if (this.#length + bytes.length > this.#text.length) this.#isCut = true;
      else this.#hold(bytes);
    } else if (!BEGUN_ESCAPE.test(this.#token)) throw new JsonFault("is not valid JSON: a text has an unknown escape");
    return at + 1;
  }

  #hold(bytes: Uint8Array): void {
    if (this.#isCut) return;
    const fitting = bytes.subarray(0, this.#text.length - this.#length);
    this.#text.set(fitting, this.#length);
    this.#length += fitting.length;
    this.#isCut = fitting.length < bytes.length;
  }

  #readBare(chunk: Uint8Array, from: number): number {
    let at = from;
    for (; at < chunk.length; at += 1) {
      const character = String.fromCharCode(chunk[at] ?? 0);
      if (!BARE.test(character)) break;
      this.#token += character;
      if (this.#token.length > BARE_LIMIT) throw new JsonFault("has a number that is too long");
    }
    if (at < chunk.length) this.#endBare(at);
    return at;
  }

  #endBare(end: number): void {
    if (!NUMBER.test(this.#token) && !WORD.test(this.#token)) {
      throw new JsonFault("is not valid JSON: it has a word or number that JSON does not have");
    }
    this.#inside = "nothing";
    this.#wanted = "comma or end";
    this.#visitor.end(end);
  }
}
