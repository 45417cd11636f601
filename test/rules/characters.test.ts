/** Lengths by characters, and texts that say the same. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { atMost, characterCount, composed, firstCharacters } from "#protocol/characters.ts";
import { oneSeenLine } from "#protocol/unseen-characters.ts";
import { readEvent } from "#worker/inbound/sources/payload.ts";

describe("a text", () => {
  it.each([
    ["", 0],
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 2],
    ["🚨", 1],
    ["a🚨b🚨", 4],
    ["👨‍👩‍👧", 5],
    ["\ud83d", 1],
    ["\udea8\ud83d", 2],
    ["\ud83d\ud83d\udea8", 2],
  ])("%j has %d characters, as JSON Schema counts", (text, count) => {
    expect(characterCount(text)).toBe(count);
    expect(characterCount(text)).toBe([...text].length);
    expect(firstCharacters(text, count)).toBe(text);
    expect(firstCharacters(text, count + 1)).toBe(text);
    expect(firstCharacters(text, 1)).toBe([...text][0] ?? "");
  });

  it.each([
    ["a", "a", true],
    ["caf\u00e9", "cafe\u0301", true],
    ["\ud55c", "\u1112\u1161\u11ab", true],
    ["\u212a", "K", true],
    ["caf\u00e9", "cafe", false],
    ["\ufb01", "fi", false],
    ["A", "a", false],
  ])("%j and %j say the same: %s", (one, other, isSame) => {
    expect(composed(one) === composed(other)).toBe(isSame);
  });

  it.each([
    ["🚨🚨🚨", true],
    ["abc", true],
    ["abcd", false],
    ["🚨🚨🚨🚨", false],
    ["\ud83d\ud83d\ud83d\ud83d", false],
  ])("%j has at most three: %s", (text, isWithin) => {
    const schema = z.string().check(atMost(3));
    expect(schema.safeParse(text).success).toBe(isWithin);
    expect(z.toJSONSchema(schema)).toMatchObject({ maxLength: 3 });
  });
});

describe("an event that a source tells", () => {
  const read = (name: string, summary: string) =>
    readEvent({ name, action: null, summary, dedupe_key: null, payload: {}, fields: {}, context: "" });

  it.each([101, 199, 200])("keeps a name of %d emoji, as a trigger may have it", (count) => {
    expect(read("🚨".repeat(count), "a").name).toBe("🚨".repeat(count));
  });

  it("has a longer name cut at a whole character", () => {
    expect(read("🚨".repeat(201), "a").name).toBe(`${"🚨".repeat(199)}…`);
  });

  it.each([
    ["a\u0000b", "a\\u0000b"],
    ["a\u001b[31mred", "a\\u001b[31mred"],
    ["a\u202eb\u202c", "a\\u202eb\\u202c"],
    ["a\u200b \u2060\u00ad b", "a b"],
    [`a${"\u{e0041}\u{e0042}"}b`, "ab"],
    ["line\r\nline\u2028line", "line line line"],
    ["👨‍👩‍👧 ❤️ می‌خواهم", "👨‍👩‍👧 ❤️ می‌خواهم"],
    ["half \ud83d", "half \ufffd"],
  ])("of the summary %j shows %j", (summary, shown) => {
    expect(oneSeenLine(summary)).toBe(shown);
    expect(read("a", summary).summary).toBe(shown);
  });

  it("has a summary of at most 200 characters", () => {
    expect(read("a", "🚨".repeat(300)).summary).toBe(`${"🚨".repeat(199)}…`);
  });
});
