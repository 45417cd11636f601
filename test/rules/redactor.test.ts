/** No secret leaves, whole or in pieces, as it is or encoded, and nothing else is taken out. */
import { describe, expect, it } from "vitest";
import { MARK, Redactor } from "#rules/secrets/redactor.ts";
import { createLog } from "#sandbox-runner/process/log.ts";

const secret = "rvl_proxy_abcabcabd";
const redactor = new Redactor([secret, "rvl_link_0123456789", "short"]);

describe("scrubbing", () => {
  it.each([
    ["nothing to hide", "nothing to hide"],
    [`Bearer ${secret}!`, "Bearer [secret]!"],
    [`${secret}${secret} rvl_link_0123456789`, "[secret][secret] [secret]"],
    ["a short word stays", "a short word stays"],
    ["", ""],
    ["50% of R&D \\ costs &amp; more \\n", "50% of R&D \\ costs &amp; more \\n"],
  ])("makes %j into %j", (text, clean) => {
    expect(redactor.text(text)).toBe(clean);
  });

  it("reaches every text of a value, keys and numbers included", () => {
    const value = { a: [`x ${secret}`, { [secret]: 1, ok: true, none: null }], n: 3 };
    expect(redactor.json(value)).toEqual({ a: ["x [secret]", { "[secret]": 1, ok: true, none: null }], n: 3 });
    const digits = new Redactor(["12345678"]);
    expect(digits.json({ pin: 12_345_678, other: 1 })).toEqual({ pin: MARK, other: 1 });
    expect(digits.value({ pin: 12_345_678, text: "12345678" })).toEqual({ pin: 12_345_678, text: MARK });
    const clean = { a: [1, "x"] };
    expect(redactor.json(clean)).toBe(clean);
  });

  it("is done on log lines", () => {
    const lines: string[] = [];
    createLog(
      redactor,
      (line) => lines.push(line),
      () => 0,
    )("clone", { outcome: `failed with ${secret}`, ms: 3 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { at: "1970-01-01T00:00:00.000Z", level: "info", what: "clone", outcome: "failed with [secret]", ms: 3 },
    ]);
  });

  it("knows what it learns later", () => {
    const late = new Redactor([]);
    expect(late.text(`a ${secret}`)).toBe(`a ${secret}`);
    late.learn([secret]);
    expect(late.text(`a ${secret}`)).toBe("a [secret]");
  });

  it("takes out what is left of a secret where a text was cut", () => {
    for (const end of ["", "…"]) {
      for (let length = 8; length < secret.length; length += 1) {
        expect(redactor.text(`it is ${secret.slice(0, length)}${end}`)).toBe(`it is [secret]${end}`);
      }
      expect(redactor.text(`it is ${secret.slice(0, 7)}${end}`)).toBe(`it is ${secret.slice(0, 7)}${end}`);
      expect(redactor.text(`it is ${btoa(secret).slice(0, 13)}${end}`)).toBe(`it is [secret]${end}`);
      expect(redactor.text(`${secret} ${encodeURIComponent(`${secret}`).slice(0, 9)}${end}`)).toBe(
        `[secret] [secret]${end}`,
      );
    }
    const stream = redactor.stream();
    expect(stream.push(`it is ${secret.slice(0, 12)}`) + stream.end()).toBe("it is [secret]");
  });

  it.each([" padded-secret ", "\tpadded-secret", "padded-secret\n", "\r\n padded-secret"])(
    "takes %j out without its blanks",
    (value) => {
      const padded = new Redactor([value]);
      for (const text of ["padded-secret", btoa("padded-secret"), btoa("x:padded-secret")]) {
        expect(padded.text(`<${text}>`)).toContain(MARK);
      }
    },
  );

  it("takes out all of secrets that overlap", () => {
    const both = new Redactor(["abcdefghij", "ghijklmnop", "hijklmno"]);
    expect(both.text("x abcdefghijklmnop y")).toBe("x [secret] y");
  });
});

/** Values that encodings treat in ways of their own. */
const VALUES = [
  "hunter2hunter2",
  "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
  "p@ss/w\"or+d=&<%>?#'x",
  "C:\\new\\table\\x",
  "pässwörd-€uro-🔑-key",
  "two words and a tab\tend",
  "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7\n-----END KEY-----\n",
  "aaaaaaaaaaaa",
  "%41%42%43%44",
  "&amp;&lt;&gt;",
  "{{TOKEN}}\\\\n",
];

const bytesOf = (value: string) => Buffer.from(value, "utf8");
const wrapped = (text: string, width: number, by = "\n") =>
  (text.match(new RegExp(`.{1,${width}}`, "gsu")) ?? []).join(by);
const basic = (before: string) => (value: string) => Buffer.from(before + value).toString("base64");

const ENCODINGS: Record<string, (value: string) => string> = {
  "as it is": (value) => value,
  "with CRLF": (value) => value.replaceAll("\n", "\r\n"),
  "in capitals": (value) => value.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase()),
  JSON: (value) => JSON.stringify(value),
  "JSON in JSON": (value) => JSON.stringify(JSON.stringify(value)),
  "JSON in ASCII": (value) =>
    JSON.stringify(value).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  "JSON with slashes escaped": (value) => JSON.stringify(value).replaceAll("/", "\\/"),
  "part of an address": encodeURIComponent,
  "part of an address in small letters": (value) =>
    encodeURIComponent(value).replaceAll(/%../g, (sign) => sign.toLowerCase()),
  "every byte of an address": (value) => bytesOf(value).toString("hex").replaceAll(/../g, "%$&"),
  "a form": (value) => new URLSearchParams({ v: value }).toString(),
  HTML: (value) =>
    value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  "HTML by number": (value) => value.replaceAll(/[&<>"'\\/]/g, (sign) => `&#${sign.charCodeAt(0)};`),
  "HTML in hexadecimal": (value) => value.replaceAll(/[&<>"']/g, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`),
  shell: (value) => value.replaceAll(/[^A-Za-z0-9\n]/gu, "\\$&"),
  base64: basic(""),
  "base64 behind one byte": basic("u"),
  "base64 behind two": basic("u:"),
  "base64 with more behind": (value) => basic("user:")(`${value}\n and more`),
  base64url: (value) => bytesOf(value).toString("base64url"),
  "base64 in lines of 76": (value) => wrapped(basic("x".repeat(70))(value), 76),
  "base64 in lines of 64, JSON": (value) => JSON.stringify(wrapped(basic("x".repeat(41))(value), 64)),
  "base64 in lines of 76, CRLF, indented": (value) => wrapped(basic("x".repeat(50))(value), 76, "\r\n    "),
  "base64 in lines of 9": (value) => wrapped(basic("")(value), 9),
  "base64 in an address": (value) => encodeURIComponent(basic("ab")(value)),
  hexadecimal: (value) => bytesOf(value).toString("hex"),
  "hexadecimal in capitals": (value) => bytesOf(value).toString("hex").toUpperCase(),
  "hexadecimal in lines of 60": (value) => wrapped(bytesOf(`${"-".repeat(25)}${value}`).toString("hex"), 60),
};

describe.each(Object.entries(ENCODINGS))("a secret as %s", (_name, encode) => {
  it.each(VALUES)("is taken out: %j", (value) => {
    const one = new Redactor([value]);
    const encoded = encode(value);
    const text = `before ${encoded} behind`;
    const clean = one.text(text);
    expect(clean).toContain(MARK);
    expect(clean.length).toBeLessThanOrEqual(text.length);
    expect(clean.startsWith("before")).toBe(true);
    expect(clean.endsWith("behind")).toBe(true);
    // Of what it says hardly more is left than its neighbours in a group of base64, and quotes.
    const left = clean.replaceAll(MARK, "").replace("before ", "").replace(" behind", "");
    expect(left.replaceAll(/x|eHh4|2d|\s|\\n|\\r/g, "").length).toBeLessThan(30);
    for (let at = 0; at + 10 <= value.length; at += 1) expect(clean).not.toContain(value.slice(at, at + 10));
  });

  it.each([1, 2, 3, 7, 64])("is taken out of pieces of %i", (size) => {
    for (const value of VALUES) {
      const one = new Redactor(VALUES);
      const text = `before ${encode(value)} behind`;
      const stream = one.stream();
      let shown = "";
      for (let at = 0; at < text.length; at += size) shown += stream.push(text.slice(at, at + size));
      shown += stream.end();
      expect(shown).toBe(one.text(text));
    }
  });
});

describe("scrubbing a text in pieces", () => {
  const text = `a rvl_ b rvl_proxy_abcabc rvl_proxy_abcabcabcabd c ${secret} d`;
  const clean = redactor.text(text);

  it.each([1, 2, 3, 5, 7, 11, 100])("shows the same in pieces of %i", (size) => {
    const stream = redactor.stream();
    let shown = "";
    for (let at = 0; at < text.length; at += size) {
      shown += stream.push(text.slice(at, at + size));
      expect(clean.startsWith(shown)).toBe(true);
    }
    expect(shown + stream.end()).toBe(clean);
  });

  it("never shows the beginning of a secret that is still coming", () => {
    const stream = redactor.stream();
    const shown = [...secret].map((letter) => stream.push(letter)).join("");
    expect(shown).toBe("[secret]");
  });

  it("holds back a beginning until it is known to be none", () => {
    const stream = redactor.stream();
    expect([stream.push("see rvl_pro"), stream.push("x"), stream.push(" rvl_"), stream.end()]).toEqual([
      "see ",
      "",
      "rvl_prox ",
      "rvl_",
    ]);
  });

  it("shows one mark for secrets that overlap across pieces", () => {
    const stream = new Redactor(["abcdefghij", "ghijklmnop"]).stream();
    expect([stream.push("abcdefghij"), stream.push("klmnop!"), stream.end()].join("")).toBe("[secret]!");
  });
});
