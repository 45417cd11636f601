/** Inputs as somebody may send who means harm, or whose program is broken. */
import fc from "fast-check";

/** What steers, ends, opens or belongs to something else, in whatever is read. */
export const SIGNS = [
  ..."\0\t\n\r \"'`\\/|&;<>(){}[]#*?!$%^~=+-_.,:@",
  ...[
    "\u001b[31m",
    "\u009b",
    "\u202e",
    "\u2028",
    "\ufeff",
    "\ud800",
    "\udc00",
    "😀",
    "e\u0301",
    "ß",
    "İ",
    "ﬁ",
    "\u00a0",
  ],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "prototype", "null", "NaN", "Infinity", "-0", "1e400"],
  ...["9".repeat(40), "0x10", "..", "//", "\\u0000", "{{", "}}", "$(", "${", "a", "A", "0", "1"],
];

/** A text of one grammar: its own words and examples, broken, mixed with whatever steers, and repeated. */
export function textOf(words: readonly string[], examples: readonly string[]): fc.Arbitrary<string> {
  const sign = fc.constantFrom(...SIGNS, ...words);
  const example = examples.length === 0 ? sign : fc.constantFrom(...examples);
  return fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.array(sign, { maxLength: 30 }).map((signs) => signs.join("")),
    fc.tuple(example, fc.array(fc.tuple(fc.nat(), fc.nat(6), sign), { maxLength: 4 })).map(([text, changes]) =>
      changes.reduce((changed, [at, length, put]) => {
        const from = at % (changed.length + 1);
        return changed.slice(0, from) + put + changed.slice(from + length);
      }, text),
    ),
    fc
      .tuple(fc.array(sign, { minLength: 1, maxLength: 3 }), fc.nat(400))
      .map(([unit, times]) => unit.join("").repeat(times)),
  );
}

/** A key that an object may have of JavaScript, or that steers whoever reads it. */
const key = fc.oneof(
  fc.constantFrom("__proto__", "constructor", "toString", "", "a.b", "type", "id", "name"),
  fc.string(),
);

/** Any JSON value, as `JSON.parse` gives it, with odd keys, large numbers and whatever steers in its texts. */
export function jsonOf(words: readonly string[]): fc.Arbitrary<unknown> {
  const text = fc.oneof(fc.constantFrom(...words, ...SIGNS), fc.string({ unit: "binary", maxLength: 20 }));
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.oneof(text, fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(1e300)),
      fc.array(tie("value"), { maxLength: 5 }),
      fc.array(fc.tuple(fc.oneof(key, fc.constantFrom(...words)), tie("value")), { maxLength: 6 }).map(objectOf),
    ),
  }));
  return value.map((one) => JSON.parse(JSON.stringify(one)) as unknown);
}

/** An object as `JSON.parse` makes it, with `__proto__` as a key like any other. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const made = {};
  for (const [name, value] of entries) {
    Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}

/** A document of which one place, whichever, has another value. */
export function changed(documents: readonly unknown[], words: readonly string[]): fc.Arbitrary<unknown> {
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(fc.tuple(fc.nat(), jsonOf(words)), { minLength: 1, maxLength: 3 }))
    .map(([document, changes]) => changes.reduce<unknown>((one, [place, value]) => put(one, place, value), document));
}

function put(document: unknown, place: number, value: unknown): unknown {
  let left = place % placesIn(document);
  const walk = (current: unknown): unknown => {
    left -= 1;
    if (left === -1) return value;
    if (typeof current !== "object" || current === null) return current;
    if (Array.isArray(current)) return current.map(walk);
    return objectOf(Object.entries(current).map(([name, item]) => [name, walk(item)]));
  };
  return walk(document);
}

function placesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1;
  return Object.values(value).reduce<number>((sum, item) => sum + placesIn(item), 1);
}

/** A value that is nested so deep, in lists and objects by turns. */
export function nested(levels: number): unknown {
  let value: unknown = "x";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Bytes: any, and examples of which some are others, or missing, or there twice. */
export function bytesOf(examples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array<ArrayBuffer>> {
  const any = fc.uint8Array({ maxLength: 120 }).map((bytes) => Uint8Array.from(bytes));
  if (examples.length === 0) return any;
  const change = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 4 }));
  const broken = fc
    .tuple(fc.constantFrom(...examples), fc.array(change, { maxLength: 4 }), fc.nat())
    .map(([example, changes, end]) => {
      let bytes = [...example];
      for (const [at, length, piece] of changes) {
        const from = at % (bytes.length + 1);
        bytes = [...bytes.slice(0, from), ...piece, ...bytes.slice(from + length)];
      }
      return Uint8Array.from(end % 3 === 0 ? bytes.slice(0, end % (bytes.length + 1)) : bytes);
    });
  return fc.oneof(any, broken);
}

/** The same bytes in pieces. */
export function piecesOf(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.slice(at, at + size));
    at += size;
  }
  return [...pieces, bytes.slice(at)];
}
