/** No token leaves the runner, whole or in pieces. */
import { describe, expect, it } from "vitest";
import { createLog } from "#sandbox-runner/process/log.ts";
import { Redactor } from "#sandbox-runner/process/redact.ts";

const secret = "rvl_proxy_abcabcabd";
const redactor = new Redactor([secret, "rvl_link_0123456789", "short"]);

describe("scrubbing", () => {
  it.each([
    ["nothing to hide", "nothing to hide"],
    [`Bearer ${secret}!`, "Bearer [redacted]!"],
    [`${secret}${secret} rvl_link_0123456789`, "[redacted][redacted] [redacted]"],
    ["a short word stays", "a short word stays"],
  ])("makes %j into %j", (text, clean) => {
    expect(redactor.text(text)).toBe(clean);
  });

  it("reaches every text of a value, keys included", () => {
    const value = { a: [`x ${secret}`, { [secret]: 1, ok: true, none: null }], n: 3 };
    expect(redactor.value(value)).toEqual({ a: ["x [redacted]", { "[redacted]": 1, ok: true, none: null }], n: 3 });
  });

  it("is done on log lines", () => {
    const lines: string[] = [];
    createLog(
      redactor,
      (line) => lines.push(line),
      () => 0,
    )("clone", { outcome: `failed with ${secret}`, ms: 3 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { at: "1970-01-01T00:00:00.000Z", level: "info", what: "clone", outcome: "failed with [redacted]", ms: 3 },
    ]);
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
    expect(shown).toBe(clean);
  });

  it("never shows the beginning of a secret that is still coming", () => {
    const stream = redactor.stream();
    const shown = [...secret].map((letter) => stream.push(letter)).join("");
    expect(shown).toBe("[redacted]");
  });
});
