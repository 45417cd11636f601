/** JSON that is read as it comes means what `JSON.parse` says that it means, however it is cut into pieces. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import { JsonFault, type JsonKind, JsonScanner, type JsonVisitor } from "#worker/http/json-scanner.ts";

const encoder = new TextEncoder();

/** Puts the value together again, and notes what each value's bytes are. */
class Rebuilder implements JsonVisitor {
  readonly scanner: JsonScanner;
  value: Json = null;
  readonly #open: { value: Json[] | Map<string, Json>; key: string }[] = [];
  #key = "";

  constructor(text = 10_000) {
    this.scanner = new JsonScanner(this, { nesting: 50, text });
  }

  key(): void {
    this.#key = String(this.scanner.scalar().value);
  }

  begin(kind: JsonKind): void {
    if (kind === "object") this.#open.push({ value: new Map(), key: this.#key });
    else if (kind === "array") this.#open.push({ value: [], key: this.#key });
    else this.#open.push({ value: [], key: `${kind} ${this.#key}` });
  }

  end(): void {
    const { value, key } = this.#open.pop() ?? expect.unreachable();
    const [, kind, name] = /^(string|number|word) (.*)$/s.exec(key) ?? [];
    const ended = kind === undefined ? plain(value) : this.scanner.scalar().value;
    const parent = this.#open.at(-1)?.value;
    if (parent === undefined) this.value = ended;
    else if (Array.isArray(parent)) parent.push(ended);
    else parent.set(name ?? key, ended);
  }
}

function plain(value: Json[] | Map<string, Json>): Json {
  return Array.isArray(value) ? value : Object.fromEntries(value);
}

function read(bytes: Uint8Array, size: number): Json {
  const rebuilder = new Rebuilder();
  for (let at = 0; at < bytes.length; at += size) rebuilder.scanner.push(bytes.slice(at, at + size));
  rebuilder.scanner.finish();
  return rebuilder.value;
}

function parsed(text: string): { value: Json } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

describe("JSON in pieces", () => {
  const sizes = fc.integer({ min: 1, max: 20 });
  const texts = fc
    .tuple(fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }), fc.constantFrom(undefined, 1, "\t"))
    .map(([value, space]) => JSON.stringify(value, null, space));

  it("is what it is as a whole", () => {
    fc.assert(
      fc.property(texts, sizes, (text, size) => {
        expect(read(encoder.encode(text), size)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("is refused where it is none, and nowhere else", () => {
    const marks = fc.constantFrom(
      ..."{}[]\",:\\u0eE+-.1tn/ \t\n\u0001ü'\ufeff",
      "true",
      "null",
      "\\ud800",
      "//",
      "NaN",
    );
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3), marks), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(texts, edits, sizes, (text, changes, size) => {
        let broken = text;
        for (const [place, removed, mark] of changes) {
          const at = place % (broken.length + 1);
          broken = `${broken.slice(0, at)}${mark}${broken.slice(at + removed)}`.toWellFormed();
        }
        const wanted = parsed(broken);
        if (wanted === null) expect(() => read(encoder.encode(broken), size)).toThrow(JsonFault);
        else expect(read(encoder.encode(broken), size)).toEqual(wanted.value);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, number[] | string, RegExp]>([
    ["a character that is spelt too long", [0x22, 0xc0, 0xa2, 0x22], /UTF-8/],
    ["half a character", [0x22, 0xc3, 0x22], /UTF-8/],
    ["half a character at the end", [0x22, 0x22, 0xc3], /JSON|UTF-8/],
    ["a surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22], /UTF-8/],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x7b, 0x7d], /valid JSON/],
    ["nothing", "", /ends before/],
    ["an object that is not closed", '{"a":1', /ends before/],
    ["a number and no more, too long", "1".repeat(1_001), /too long/],
    ["two values", "{} {}", /follows/],
    ["what is nested too deeply", "[".repeat(51), /nested/],
  ])("that is %s is refused", (_what, given, message) => {
    const bytes = typeof given === "string" ? encoder.encode(given) : Uint8Array.from(given);
    for (const size of [1, 2, 100]) expect(() => read(bytes, size)).toThrow(message);
  });

  it.each([
    ["plain", "x".repeat(100), "x".repeat(10)],
    ["within a character", `${"x".repeat(9)}€€`, "x".repeat(9)],
    ["before an escape that does not fit", `${"x".repeat(8)}\\u20ac`, "x".repeat(8)],
    ["behind an escape that fits", "\\u20ac\\u20ac", "€"],
    ["whole", "0123456789", "0123456789"],
  ])("a long text is told by its beginning: %s", (_what, written, told) => {
    for (const size of [1, 3, 1_000]) {
      const texts: { value: Json; isWhole: boolean }[] = [];
      const scanner: JsonScanner = new JsonScanner(
        { key: () => {}, begin: () => {}, end: () => void texts.push(scanner.scalar()) },
        { nesting: 1, text: 10 },
      );
      const bytes = encoder.encode(`"${written}"`);
      for (let at = 0; at < bytes.length; at += size) scanner.push(bytes.slice(at, at + size));
      scanner.finish();
      expect(texts).toEqual([{ value: told, isWhole: told === written }]);
    }
  });

  it("tells where values begin and end", () => {
    const text = ' {"a" : [1, 22 ,"ü\\n"],"b":true } ';
    const bytes = encoder.encode(text);
    for (const size of [1, 4, 100]) {
      const spans: string[] = [];
      const begun: number[] = [];
      let before = 0;
      const scanner = new JsonScanner(
        {
          key: () => {},
          begin: (_kind, at) => begun.push(before + at),
          end: (at) => spans.push(new TextDecoder().decode(bytes.slice(begun.pop(), before + at))),
        },
        { nesting: 9, text: 9 },
      );
      for (; before < bytes.length; before += size) scanner.push(bytes.slice(before, before + size));
      scanner.finish();
      expect(spans).toEqual(["1", "22", '"ü\\n"', '[1, 22 ,"ü\\n"]', "true", '{"a" : [1, 22 ,"ü\\n"],"b":true }']);
    }
  });
});
