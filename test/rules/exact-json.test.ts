/** Numbers of JSON that came from outside: those that would lose digits keep them, all others are as ever. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExact, parseToWrite, printExact } from "#worker/http/exact-json.ts";

describe("a number", () => {
  it.each([
    "7654321098765432101",
    "-7654321098765432101",
    "9007199254740993",
    "1e400",
    "-1e400",
    "0.12345678901234567890123",
    "123456789012345678901234567890",
    "1e-400",
  ])("%s keeps its digits, as text to filters and as a number to whoever reads it", (number) => {
    const text = `{"alert":{"id":${number},"list":[1,${number}]},"said":"${number}"}`;
    const value = parseExact(text);
    expect(value).toEqual({ alert: { id: number, list: [1, number] }, said: number });
    expect(printExact(value, 0)).toBe(text);
    expect(parseExact(`[ "a",\n\t${number} ]`)).toEqual(["a", number]);
    expect(parseExact(` ${number}`)).toBe(number);
    expect(JSON.stringify(parseToWrite(text).toWrite)).toBe(text);
    expect(JSON.stringify({ alone: parseToWrite(number).toWrite })).toBe(`{"alone":${number}}`);
  });

  it.each([
    ["7", 7],
    ["-0", -0],
    ["1.0", 1],
    ["1e3", 1000],
    ["1E+3", 1000],
    ["100000000000000000000000", 1e23],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992],
    ["0.1", 0.1],
    ["0.30000000000000004", 0.30000000000000004],
    ["1.7976931348623157e308", Number.MAX_VALUE],
    ["5e-324", Number.MIN_VALUE],
    ["0e999", 0],
  ])("%s is a number", (number, value) => {
    expect(parseExact(`[${number},"1234567890123456"]`)).toEqual([value, "1234567890123456"]);
  });
});

it("reads and writes whatever JSON has as the language does", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = JSON.stringify(value);
      expect(printExact(parseExact(text), 0)).toBe(JSON.stringify(JSON.parse(text)));
      const { value: read, toWrite } = parseToWrite(text);
      expect([read, toWrite]).toEqual([JSON.parse(text), JSON.parse(text)]);
    }),
    { seed: 17, numRuns: 300 },
  );
});

it("is told apart from a text of the same digits, in a part of the whole too", () => {
  const value = parseExact('{"a":[{"id":7654321098765432101},{"id":"7654321098765432101"}]}');
  const [number, text] = (value as { a: [object, object] }).a;
  expect(printExact(number as never, 0)).toBe('{"id":7654321098765432101}');
  expect(printExact(text as never, 0)).toBe('{"id":"7654321098765432101"}');
});

it("prints without what is left out", () => {
  const value = parseExact('{"id":7654321098765432101,"noise":1,"list":[{"noise":2,"id":9007199254740993}]}');
  expect(printExact(value, 0, (key) => key === "noise")).toBe(
    '{"id":7654321098765432101,"list":[{"id":9007199254740993}]}',
  );
});
