/** Regular expressions of filters: whole values, RE2's syntax, and no expression that can hang the worker. */
import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it, vi } from "vitest";
import { FILTER_LIMITS, type Filter } from "#protocol/filters.ts";
import type { Json } from "#protocol/schema.ts";
import { FilterBudget } from "#rules/filters/filter-budget.ts";
import { judgeFilters } from "#rules/filters/judge-filters.ts";
import { findWholeMatch, REGEX_LIMITS, regexFault } from "#rules/filters/regex.ts";
import { regexSize } from "#rules/filters/regex-size.ts";

/** Grows without bound in engines that go back. */
const CATASTROPHIC = [
  "(a+)+$",
  "(a*)*b",
  "(a|a)*b",
  "(a|aa)+b",
  "(a|a?)+b",
  "(a+a+)+b",
  "([a-zA-Z]+)*1",
  "(.*a){12}",
  "(.*)*(.*)*(.*)*b",
  "a*a*a*a*a*a*a*a*b",
  "^(([a-z])+.)+[A-Z]([a-z])+$",
  "(?:a*){30}b",
  "(a|b)*a(a|b){12}",
];

/** An instruction is taken in hand to enter it, to try it and to go back to it. */
const STEPS_PER_INSTRUCTION = 3;

function matches(pattern: string, text: string): boolean {
  expect(regexFault(pattern)).toBeNull();
  return findWholeMatch(pattern, [text]).result === "matched";
}

describe("an expression", () => {
  it.each<[string, string, boolean]>([
    ["main", "main", true],
    ["main", "domain", false],
    ["main", "mainly", false],
    ["", "", true],
    ["", "a", false],
    ["a|b", "a", true],
    ["a|b", "b", true],
    ["a|b", "ab", false],
    ["main|release/.*", "release/1.2", true],
    ["main|release/.*", "xmain", false],
    ["a|ab", "ab", true],
    ["a*?", "aaa", true],
    ["^main$", "main", true],
    ["^a|b$", "ab", false],
    ["(?i)hotfix", "HotFix", true],
    ["(?i)straße", "STRAẞE", true],
    [".*hotfix.*", "a first line\r\nthe hotfix\nand more", true],
    ["(?-s).*hotfix.*", "a first line\nthe hotfix", false],
    ["main", "main\n", false],
    [".", "😀", true],
    ["..", "😀", false],
    ["\\p{Greek}+", "αβγ", true],
    ["[\\w.+-]+@example\\.com", "a.b+c@example.com", true],
    ["\\Qa.b|c\\E", "a.b|c", true],
    ["v[0-9]{1,3}(?:\\.[0-9]{1,3}){2}", "v1.20.300", true],
    ["v[0-9]{1,3}(?:\\.[0-9]{1,3}){2}", "v1.20", false],
  ])("%j of %j: %j", (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it("means what JavaScript's means in the syntax that both have", () => {
    const piece = fc.constantFrom("a", "b", "c", ".", "[ab]", "[^a]", "\\.", "a|b", "", "^", "$", "\\d", "\\b");
    const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
      pattern: fc.oneof(
        { maxDepth: 5 },
        piece,
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `${a}${b}`),
        fc.tuple(tie("pattern"), tie("pattern")).map(([a, b]) => `${a}|${b}`),
        tie("pattern").map((inner) => `(${inner})`),
        fc
          .tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{0}"))
          .map(([inner, count]) => `(?:${inner})${count}`),
      ),
    }));
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c", ".", "1", "\n"), maxLength: 8 });
    let both = 0;
    fc.assert(
      fc.property(pattern, text, (expression, value) => {
        fc.pre(expression.length <= FILTER_LIMITS.value && regexFault(expression) === null);
        const isMatch = new RegExp(`^(?:${expression})$`, "s").test(value);
        if (isMatch) both += 1;
        expect(matches(expression, value)).toBe(isMatch);
      }),
      { numRuns: 2_000 },
    );
    expect(both).toBeGreaterThan(20);
  });
});

describe("no expression hangs", () => {
  it.each(CATASTROPHIC)("%s on a long text", (pattern) => {
    expect(matches(pattern, `${"a".repeat(4_000)}!`)).toBe(false);
  });

  it.each(CATASTROPHIC)("%s takes steps in proportion to the text", (pattern) => {
    const few = countSteps(pattern, `${"a".repeat(500)}!`);
    const many = countSteps(pattern, `${"a".repeat(4_000)}!`);
    expect(few).toBeGreaterThan(500);
    // Eight times the text: 8 if linear, 64 if quadratic.
    expect(many / few).toBeLessThan(20);
    expect(many).toBeLessThanOrEqual(STEPS_PER_INSTRUCTION * regexSize(pattern) * 4_002);
  });

  it("and none takes more than its instructions for each character", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      ".",
      "a?",
      "a*",
      "(a|b)",
      "(a|ab)*",
      "[ab]+",
      "\\b",
      "^",
      "$",
      "(?:.*a){3}",
    );
    const pattern = fc
      .array(fc.tuple(piece, fc.constantFrom("", "*", "+", "{2,5}", "{0,9}")), { minLength: 1, maxLength: 8 })
      .map((pieces) => pieces.reduce((before, [inner, count]) => `(?:${before}${inner})${count}`, ""));
    const text = fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 50, maxLength: 400 });
    fc.assert(
      fc.property(pattern, text, (expression, value) => {
        fc.pre(regexFault(expression) === null);
        const bound = STEPS_PER_INSTRUCTION * regexSize(expression) * (value.length + 1);
        expect(countSteps(expression, value)).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 300 },
    );
  });

  it("though repetitions are nested: refused or answered", () => {
    const count = fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 1_000 }), fc.constant(99_999_999_999));
    const counts = fc.oneof(
      count.map((n) => `{${n}}`),
      count.map((n) => `{${n},}`),
      fc.tuple(count, count).map(([a, b]) => `{${Math.min(a, b)},${Math.max(a, b)}}`),
      fc.constantFrom("*", "+", "?"),
    );
    const atom = fc.constantFrom("a", ".", "a?", "[a-z]", "a|aa", "\\pL", "a*", "(?i)[b-\\x{1E942}]", "");
    const nested = fc
      .tuple(atom, fc.array(counts, { minLength: 1, maxLength: 6 }))
      .map(([inner, outer]) => outer.reduce((pattern, count) => `(${pattern})${count}`, inner));
    const seen = { refused: 0, answered: 0 };
    fc.assert(
      fc.property(nested, (pattern) => {
        const { result } = findWholeMatch(pattern, [`${"a".repeat(1_500)}!`]);
        if (result === "refused") seen.refused += 1;
        else seen.answered += 1;
        expect(result === "refused").toBe(regexFault(pattern) !== null);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.refused, seen.answered)).toBeGreaterThan(20);
  });

  it.each([
    ["((a{1000}){1000}){1000}", 1e9],
    [`(${"b".repeat(980)}){1000}`, 980_000],
    [`(?:${"a?".repeat(400)}){1000}`, 1_000_000],
    ["a{999999999}", 1e9 - 1],
    ["(?i)[B-\\x{1E942}]".repeat(55), 10_000],
    ["\\pL".repeat(330), 3_300],
    [`(?:${"(".repeat(300)}a${")".repeat(300)}){1000}`, 900_000],
  ])("%s is refused before it is compiled", (pattern, size) => {
    expect(regexSize(pattern)).toBeGreaterThanOrEqual(size);
    expect(regexFault(pattern)).toMatch(/^is too costly: it becomes more than 2000 instructions; use smaller counts/);
  });

  it.each([
    "a{1000}",
    "b".repeat(1_000),
    "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "\\p{L}{1,50}",
    "(?i)[à-ü]{3,50}",
  ])("%s is accepted", (pattern) => {
    expect(regexFault(pattern)).toBeNull();
  });

  it("because an expression is never larger than was told from its text", () => {
    const token = fc.constantFrom(
      ...["a", "b", "(", "(?:", "(?P<x>", "(?i)", "(?s-i:", ")", ")", ")", "|", "*", "+?", "?", "{2}", "{3,}", "{2,5}"],
      ...[
        "{0}",
        "{,3}",
        "{",
        "}",
        "[",
        "]",
        "[a-c]",
        "[^]a]",
        "[[:alpha:]]",
        "[(a{9}]",
        "[\\]({9}]",
        "\\Q(a{9}\\E",
        "\\Q",
      ],
      ...["\\E", "\\pL", "\\p{Greek}", "\\d", "\\x{41}", "\\(", "\\\\", "\\b", "^", "$", ".", "é", "😀", "\\123"],
    );
    let compiled = 0;
    fc.assert(
      fc.property(fc.array(token, { maxLength: 24 }), (tokens) => {
        const pattern = tokens.join("");
        const size = programSize(pattern);
        if (size === null) return;
        compiled += 1;
        expect(regexSize(pattern)).toBeGreaterThanOrEqual(size);
      }),
      { numRuns: 5_000 },
    );
    expect(compiled).toBeGreaterThan(200);
  });
});

describe("a text that is too long", () => {
  const judge = (value: string, payload: string | string[]) =>
    judgeFilters([{ field: "body", operator: "matches_regex", value }], { payload: { body: payload }, fields: {} })[0];

  it("is not matched, and why says so", () => {
    expect(judge("a*", "a".repeat(REGEX_LIMITS.text))).toMatchObject({ matched: true });
    expect(judge("a*", "a".repeat(REGEX_LIMITS.text + 1))).toEqual({
      field: "body",
      operator: "matches_regex",
      matched: false,
      why: 'body is too long for "a*": at most 65536 characters are tried, and fewer with a long expression',
    });
  });

  it("is shorter for a long expression", () => {
    expect(judge("(?:a|bc){200}.*", "a".repeat(1_000))).toMatchObject({ matched: true });
    expect(judge("(?:a|bc){200}.*", "a".repeat(10_000))).toMatchObject({
      matched: false,
      why: expect.stringContaining("body is too long for"),
    });
  });

  it("in a list does not keep the others from matching", () => {
    const long = "b".repeat(REGEX_LIMITS.text + 1);
    expect(judge("a*", [long, "aaa"])).toMatchObject({ matched: true, why: 'body has "aaa", which matches "a*"' });
    expect(judge("a*", [long, "b"])).toMatchObject({ matched: false, why: expect.stringContaining("too long") });
  });

  it("is many short ones too", () => {
    expect(judge("a", Array<string>(300_000).fill("b"))).toMatchObject({
      matched: false,
      why: expect.stringContaining("body is too long for"),
    });
    expect(judge("a", Array<string>(3_000).fill("b"))).toMatchObject({
      matched: false,
      why: 'body is ["b", "b", "b" and 2997 more], where none matches "a" as a whole',
    });
  });
});

describe("the expressions of one event", () => {
  const long = "a".repeat(65_536);
  const filters = (count: number, value: string) =>
    Array.from({ length: count }, (): Filter => ({ field: "body", operator: "matches_regex", value }));
  const judged = (count: number, value: string, body: Json, budget = new FilterBudget()) =>
    judgeFilters(filters(count, value), { payload: { body }, fields: {} }, budget);

  it.each([
    ["that match nothing", "(?:a|b){5}.*z", long],
    ["of a list of texts", "(?:x|y){10}", Array<string>(5_000).fill("z".repeat(20))],
    ["that are costly to compile alone", "[a-z]{1990}", "a"],
    ["with many characters beyond the basic plane", ".{1,20}x", "\u{1f6a8}".repeat(60_000)],
  ])("%s end with what is allowed, however many triggers have them", (_title, value, body) => {
    const budget = new FilterBudget();
    const tried = Array.from({ length: 10 }, () => judged(20, value, body, budget)).flat();
    const first = tried.findIndex(({ why }) => why.includes("was not tried"));
    expect(first).toBeGreaterThan(0);
    // From there on all of the same cost are left.
    expect(tried.slice(first).every(({ why }) => why.includes("was not tried"))).toBe(true);
    expect(first).toBeLessThan(100);
  });

  it("are tried as far as it goes, and the rest says that it was not", () => {
    const checks = judged(20, "(?:a|b){5}.*z", long);
    expect(checks[0]).toMatchObject({ why: expect.stringContaining("which does not match") });
    expect(checks.at(-1)).toMatchObject({ matched: false, why: expect.stringContaining("was not tried") });
  });

  it("of usual sizes are all tried, however many triggers there are", () => {
    const budget = new FilterBudget();
    for (let trigger = 0; trigger < 200; trigger += 1) {
      expect(judged(3, "(?:feat|fix|release)/.*", "release/2026.11", budget)).toMatchObject(
        Array(3).fill({ matched: true }),
      );
    }
  });

  it("count characters, not the units of a text", () => {
    expect(judged(1, ".*", "\u{1f6a8}".repeat(65_536))).toMatchObject([{ matched: true }]);
    expect(judged(1, ".*", "\u{1f6a8}".repeat(65_537))).toMatchObject([{ why: expect.stringContaining("too long") }]);
  });
});

describe("an expression that is refused", () => {
  it("holds for nothing, and why says what is wrong with it", () => {
    const event = { payload: { title: "a" }, fields: {} };
    expect(judgeFilters([{ field: "title", operator: "matches_regex", value: "(?=a).*" }], event)).toMatchObject([
      { matched: false, why: expect.stringMatching(/^"\(\?=a\)\.\*" is not a regular expression in RE2's syntax: /) },
    ]);
  });
});

describe("expressions that are kept compiled", () => {
  it("answer as before, however many others come between", () => {
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < 300; number++) {
        expect(matches(`item-${number}`, `item-${number}`)).toBe(true);
        expect(matches(`item-${number}`, `item-${number + 1}`)).toBe(false);
      }
    }
  });
});

let patternsCounted = 0;

/** What the engine does: how often it takes an instruction in hand while it matches as filters do. */
function countSteps(pattern: string, text: string): number {
  let steps = 0;
  const counted = <Instructions extends object>(instructions: Instructions): Instructions =>
    new Proxy(instructions, {
      get(target, key) {
        steps += 1;
        return Reflect.get(target, key);
      },
    });
  const compile = RE2JS.compile;
  const spy = vi.spyOn(RE2JS, "compile").mockImplementation((...given) => {
    const expression = compile(...given);
    const { prog, onepass } = expression.re2();
    prog.inst = counted(prog.inst);
    if (onepass !== null) onepass.inst = counted(onepass.inst);
    return expression;
  });
  try {
    // An empty group with a name of its own, so that it is compiled here and not kept from before.
    patternsCounted += 1;
    findWholeMatch(`(?P<n${patternsCounted}>)${pattern}`, [text]);
    return steps;
  } finally {
    spy.mockRestore();
  }
}

function programSize(pattern: string): number | null {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL).programSize();
  } catch {
    return null;
  }
}
