/** Text that is no well-formed Unicode is mended where JSON comes in and goes out, and on its way to the model. */
import { describe, expect, it } from "vitest";
import { roundDollars } from "#protocol/money.ts";
import { usageSchema } from "#protocol/run.ts";
import { wellFormedJson } from "#protocol/well-formed.ts";
import { parseJson } from "#rules/json.ts";
import { WellFormedBytes } from "#worker/proxy/model/well-formed-bytes.ts";

const LONE = "\\ufffd";
const texts: [json: string, mended: string][] = [
  ['"plain"', '"plain"'],
  ['"\\ud800"', `"${LONE}"`],
  ['"\\udfff"', `"${LONE}"`],
  ['"\\uD83D\\uDE00"', '"\\uD83D\\uDE00"'],
  ['"\\ude00\\ud83d"', `"${LONE}${LONE}"`],
  ['"\\ud83d\\ud83d\\ude00\\ude00"', `"${LONE}\\ud83d\\ude00${LONE}"`],
  ['"\\ud83dx\\ude00"', `"${LONE}x${LONE}"`],
  ['"\\ud83d\\n"', `"${LONE}\\n"`],
  ['"\\ud83d\\u0041"', `"${LONE}\\u0041"`],
  ['"\\\\ud800"', '"\\\\ud800"'],
  ['"\\\\\\ud800"', `"\\\\${LONE}"`],
  ['"\\\\\\\\ud800\\ud800"', `"\\\\\\\\ud800${LONE}"`],
  ['{"\\udbff":["\\udc00",{"a":"\\ud800"}]}', `{"${LONE}":["${LONE}",{"a":"${LONE}"}]}`],
  ['"ends \\ud83d"', `"ends ${LONE}"`],
  ['"😀 ä \\u00e4 \\ud7ff \\ue000"', '"😀 ä \\u00e4 \\ud7ff \\ue000"'],
];

describe("half of a surrogate pair", () => {
  it.each(texts)("in %s is mended", (json, mended) => {
    expect(wellFormedJson(json)).toBe(mended);
    expect(parseJson(json)).toEqual(JSON.parse(mended));
  });

  it("is mended where it stands itself, as no JSON text should have it", () => {
    expect(wellFormedJson('"\ud800 and \ude00"')).toBe('"\ufffd and \ufffd"');
  });

  it("is mended in what was cut, when it is written", () => {
    expect(wellFormedJson(JSON.stringify({ text: "a😀".slice(0, 2) }))).toBe(`{"text":"a${LONE}"}`);
  });

  it("is mended in bytes as they pass by, in pieces of any size, and their number stays", () => {
    const encoder = new TextEncoder();
    for (const [json, mended] of texts) {
      for (let size = 1; size <= 14; size += 1) {
        const bytes = encoder.encode(json);
        const passing = new WellFormedBytes();
        const passed: number[] = [];
        for (let at = 0; at < bytes.length; at += size) passed.push(...passing.push(bytes.slice(at, at + size)));
        passed.push(...passing.rest());
        expect(new TextDecoder().decode(new Uint8Array(passed))).toBe(mended);
        expect(passed).toHaveLength(bytes.length);
      }
    }
  });

  it("is left to whoever refuses it in what is no JSON", () => {
    for (const text of ['"\\', '"\\u', '"\\ud8', '"\\ud83d\\', '"\\ud83d\\ud', '"\\uzzzz"']) {
      const passing = new WellFormedBytes();
      const passed = [...passing.push(new TextEncoder().encode(text)), ...passing.rest()];
      expect(new TextDecoder().decode(new Uint8Array(passed))).toBe(text);
    }
  });
});

describe("money", () => {
  it.each([
    [0.00056 + 0.0000000000000001, 0.00056],
    [0.1 + 0.2, 0.3],
    [0.000_000_4, 0],
    [12.345_678_9, 12.345_679],
    [3, 3],
  ])("%d is shown as %d", (amount, shown) => {
    expect(roundDollars(amount)).toBe(shown);
    const usage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, cost_usd: amount };
    expect(usageSchema.parse(usage).cost_usd).toBe(shown);
  });
});
