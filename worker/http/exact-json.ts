/**
 * JSON whose numbers keep their digits: senders' ids are often whole numbers beyond what a number here can hold
 * (7654321098765432101 would be read as 7654321098765432000). Such a number is the text of its digits, which filters compare with
 * as with any number, and is written for people and agents as the number that it was. Pure.
 */
import type { Json } from "#protocol/schema.ts";

/** What may have such a number where a value begins, and not within a digest: most texts are read the quick way. */
const MAY_BE_LONG = /(?:^|[:,[])\s*-?(?:[0-9.]{16}|[0-9.]*[0-9][eE])/;

/** Where a text stands for a number: within an object or list, under these keys. */
const longNumbers = new WeakMap<object, Set<string>>();

/** As the language has it, though its types don't yet. @see https://github.com/tc39/proposal-json-parse-with-source */
const exact = JSON as unknown as {
  parse(text: string, reviver: (this: object, key: string, value: Json, from: { source?: string }) => Json): Json;
  rawJSON(text: string): Json;
};

/** @throws SyntaxError */
export function parseExact(text: string): Json {
  if (!MAY_BE_LONG.test(text)) return JSON.parse(text);
  return exact.parse(text, function (key, value, { source }) {
    if (typeof value !== "number" || source === undefined || isSame(source, value)) return value;
    noteLong(this, key);
    return source;
  });
}

/** A number that is read on its own: a text where it would lose digits. @param written as JSON has it. */
export function readNumber(written: string): number | string {
  const value = Number(written);
  return isSame(written, value) ? value : written;
}

/** From now on the text under this key is printed as the number that it was. @param holder an object, or a list. */
export function noteLong(holder: object, key: string): void {
  const keys = longNumbers.get(holder) ?? new Set();
  longNumbers.set(holder, keys.add(key));
}

/** What a text says, twice where it has to be. */
export interface ReadToWrite {
  /** As the language reads it. */
  value: Json;
  /** `JSON.stringify` writes each number as it was, and nothing else can be done with a long one. The same value where none is long. */
  toWrite: Json;
}

/** For what is judged, and then written again. @throws SyntaxError */
export function parseToWrite(text: string): ReadToWrite {
  const value: Json = JSON.parse(text);
  if (!MAY_BE_LONG.test(text)) return { value, toWrite: value };
  const toWrite = exact.parse(text, (_key, item, { source }) =>
    typeof item !== "number" || source === undefined || isSame(source, item) ? item : exact.rawJSON(source),
  );
  return { value, toWrite };
}

/**
 * @param value as `parseExact` gave it, or a part of it. @param indent as of `JSON.stringify`.
 * @param isLeftOut what is not printed.
 */
export function printExact(value: Json, indent: number, isLeftOut?: (key: string, item: Json) => boolean): string {
  const asRead = function (this: object, key: string, item: Json) {
    if (isLeftOut?.(key, item) === true) return undefined;
    return typeof item === "string" && longNumbers.get(this)?.has(key) === true ? exact.rawJSON(item) : item;
  };
  return JSON.stringify(value, asRead, indent);
}

/** Whether a number says what was written: other spellings of it do, as `1.0` of 1. */
function isSame(source: string, value: number): boolean {
  if (!Number.isFinite(value)) return false;
  const text = String(value);
  return text === source || formOf(text) === formOf(source);
}

/** Significant digits and exponent. @param text a number as JSON or the language writes it. */
function formOf(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  if (significant === "") return "0";
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}
