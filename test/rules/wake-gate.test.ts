/** A gate's `when`: what it makes of an answer, and what is said of one that can't be meant. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "#protocol/schema.ts";
import { gateRefusal } from "#rules/wake-gate/gate-refusal.ts";
import { judgeAnswer } from "#rules/wake-gate/judge-answer.ts";
import { EXPRESSION_LENGTH, expressionFault } from "#rules/wake-gate/parse-expression.ts";
import { gateRetryMs } from "#rules/wake-gate/retry.ts";

const ISSUES: Json = { issues: [{ state: "triage", n: 3 }, { state: "done" }], next: null, "odd key": [1], ok: true };

describe("a gate", () => {
  it.each<[string, Json, boolean]>([
    ["count > 0", [], false],
    ["count > 0", [1], true],
    ["count >= 2", { issues: [1, 2], next: "x" }, true],
    ["count == 7", { count: 7 }, true],
    ["count > 0", null, false],
    ["count(issues) == 2", ISSUES, true],
    ['issues[0].state == "triage"', ISSUES, true],
    ["issues[0]['state'] == 'triage'", ISSUES, true],
    ["[1] == 2", [1, 2], true],
    ['count(["odd key"]) == 1', ISSUES, true],
    ["ok", ISSUES, true],
    ["not ok", ISSUES, false],
    ["!ok || ok && count(issues) < 3", ISSUES, true],
    ["not (ok and issues[0].n > 2)", ISSUES, false],
    ["exists(issues[1].n)", ISSUES, false],
    ["exists(issues[0].n)", ISSUES, true],
    ["exists(next)", ISSUES, false],
    ["next == null and nothing.there == null", ISSUES, true],
    ['contains(issues[0].state, "tri")', ISSUES, true],
    ["contains(list, 2)", { list: [1, 2] }, true],
    ['contains(list, "2")', { list: [1, 2] }, false],
    ["a != -1.5e2", { a: -150 }, false],
    ['a < "b"', { a: "a" }, true],
    ["true or count > 0", "text", true],
    // What a list or an object has of JavaScript's is none of the answer.
    ["exists(issues.length) or exists(constructor) or exists(__proto__.toString)", ISSUES, false],
    ['exists(["__proto__"])', JSON.parse('{"__proto__": {"a": 1}}'), true],
    ['a == "\\u00e9\\n"', { a: "é\n" }, true],
  ])("with %s, of %j, is %s", (when, answer, isOpen) => {
    expect(judgeAnswer(answer, when)).toMatchObject({ ok: true, isOpen });
  });

  it.each<[Json, boolean]>([
    [[], false],
    [[1], true],
    [{}, false],
    [{ issues: [], next: null }, false],
    [{ issues: [1] }, true],
    [{ state: "open" }, true],
    ["  ", false],
    ["there is news", true],
    [null, false],
    [0, false],
    [false, false],
    [true, true],
  ])("without an expression, of %j, is %s", (answer, isOpen) => {
    expect(judgeAnswer(answer, undefined)).toMatchObject({ ok: true, isOpen });
  });

  it("tells the figures", () => {
    expect(judgeAnswer(ISSUES, "count(issues) > 4 or issues[0].state == 'open'")).toEqual({
      ok: true,
      isOpen: false,
      detail: `count(issues) > 4 or issues[0].state == 'open' is false (count(issues) is 2, issues[0].state is "triage").`,
    });
  });

  it.each<[string, Json, RegExp]>([
    ["count > 0", "all is well", /has no list to count/],
    ["count > 0", { a: [], b: [] }, /is no list; its lists: count\(a\), count\(b\)/],
    ["count(isues) > 0", ISSUES, /there is no isues in the answer; its lists: count\(issues\)/],
    ["issues[0].n", ISSUES, /issues\[0\]\.n is 3, and true or false is wanted/],
    ["missing > 3", ISSUES, /> compares two numbers or two texts, not null and 3/],
    ["issues == 3", ISSUES, /== and != compare/],
    ["contains(3, 3)", ISSUES, /contains looks for/],
    // As another version may have saved it.
    ["size(issues) > 0", ISSUES, /size\(issues\) > 0 can't be read: "size\(" is not known/],
  ])("can't be decided with %s, of %j", (when, answer, words) => {
    const judged = judgeAnswer(answer, when);
    expect(judged.ok ? "" : judged.detail).toMatch(words);
  });
});

describe("an expression", () => {
  it.each<[string, RegExp]>([
    ["count", /a number decides nothing: write count > 0, at character 1/],
    ["count = 0", /"=" compares nothing: write ==, at character 7/],
    ["count > ", /ends where a value is wanted.*at character 9/],
    ['state == "open', /a text begins here that has no end, at character 10/],
    ["size(issues) > 0", /"size\(" is not known: there are count\(path\)/],
    ["a > 1 > 0", /two comparisons are joined by and, or, at character 7/],
    ["a b", /"b" is not expected/],
    ["(a", /"\)" is wanted/],
    ["and a", /nothing before "and"/],
    ["count and a", /join what is true or false/],
    ["a[-1] == 1", /in \[ \] a place from 0 on/],
    ["a. == 1", /a field is wanted after the dot/],
    ["count(3) > 1", /count wants a path/],
    ["count < 1e999", /larger than a number can be, at character 9/],
    ["a & b", /"&" is not understood/],
    ["'text'", /true or false is wanted/],
    [`${"(".repeat(30)}a${")".repeat(30)}`, /nested deeper than 20 levels/],
    [`${"not ".repeat(30)}a`, /nested deeper than 20 levels/],
    [" a ".repeat(EXPRESSION_LENGTH), /longer than 500 characters/],
  ])("%s is refused", (text, words) => {
    expect(expressionFault(text)).toMatch(words);
  });

  it("of any text is read or refused in words, and what is read is judged, whatever the answer", () => {
    const parts = [
      "count",
      "(",
      ")",
      "[",
      "]",
      "0",
      '"a"',
      ".",
      ">",
      "==",
      "and",
      "not",
      "a",
      ",",
      "contains",
      "exists",
    ];
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(fc.constantFrom(...parts), { maxLength: 12 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(text, fc.jsonValue(), (when, answer) => {
        const fault = expressionFault(when);
        if (fault !== null) expect(fault).toMatch(/, at character \d+$/);
        else expect(judgeAnswer(answer as Json, when).detail).not.toBe("");
      }),
      { numRuns: 150, seed: 14 },
    );
  });
});

it("is refused with another connector than the routine's, and with an expression that can't be read, both at once", () => {
  const refusal = gateRefusal({ connector: "linear", tool: "t", when: "count" }, ["other"]);
  expect(refusal?.issues?.map(({ field }) => field)).toEqual(["gate.connector", "gate.when"]);
  expect(gateRefusal({ connector: "linear", tool: "t", when: "count > 0" }, ["linear"])).toBeNull();
});

it("is asked again after five seconds, and twice as long each time, up to five minutes", () => {
  expect([1, 2, 6, 7, 100].map((failures) => gateRetryMs(failures) / 1_000)).toEqual([5, 10, 160, 300, 300]);
});
