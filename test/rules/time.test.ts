/** Times and durations as they cross a boundary. */
import { describe, expect, it } from "vitest";
import { durationMs, durationSchema, timestamp, timestampSchema } from "#protocol/time.ts";

describe("durations", () => {
  it.each([
    ["1ms", 1],
    ["500ms", 500],
    ["30s", 30_000],
    ["60m", 3_600_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["999999s", 999_999_000],
  ])("%s is %i ms", (text, ms) => {
    expect(durationSchema.parse(text)).toBe(text);
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    ["nothing", ""],
    ["no unit", "30"],
    ["no number", "s"],
    ["zero", "0s"],
    ["a leading zero", "007m"],
    ["a sign", "-5m"],
    ["a fraction", "1.5h"],
    ["an exponent", "1e3s"],
    ["two parts", "1h30m"],
    ["a space inside", "30 s"],
    ["a space after", "30s "],
    ["a line end", "30s\n"],
    ["an unknown unit", "1w"],
    ["capitals", "30S"],
    ["words", "soon"],
    ["more digits than there is use for", "9999999s"],
  ])("%s is refused by the schema and thrown by durationMs", (_sentence, text) => {
    expect(durationSchema.safeParse(text).success).toBe(false);
    expect(() => durationMs(text)).toThrow(RangeError);
  });
});

describe("timestamps", () => {
  it.each([
    ["the epoch", 0, "1970-01-01T00:00:00.000Z"],
    ["milliseconds", 1_795_251_600_007, "2026-11-21T09:00:00.007Z"],
  ])("%s", (_sentence, ms, text) => {
    expect(timestamp(ms)).toBe(text);
    expect(timestampSchema.parse(text)).toBe(text);
    expect(Date.parse(text)).toBe(ms);
  });

  it.each([
    ["no milliseconds", "2026-11-21T09:00:00Z"],
    ["another zone", "2026-11-21T09:00:00.000+01:00"],
    ["no zone", "2026-11-21T09:00:00.000"],
    ["a day that does not exist", "2026-02-30T09:00:00.000Z"],
    ["a number", "1795251600007"],
  ])("%s is refused", (_sentence, text) => {
    expect(timestampSchema.safeParse(text).success).toBe(false);
  });
});
