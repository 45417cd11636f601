/** Filters of triggers: where a field is looked for, what each operator holds for, and what people are told. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Filter, type FilterOperator, filterSchema, filtersSchema } from "#protocol/filters.ts";
import type { Json } from "#protocol/schema.ts";
import { filtersFaults, judgeFilters } from "#rules/filters/judge-filters.ts";

const PULL_REQUEST = {
  payload: {
    action: "opened",
    number: 7,
    merged: false,
    body: null,
    title: "Fix the login\nof guests",
    base: { ref: "dev", repo: { id: 42 } },
    labels: [
      { name: "bug", color: "red" },
      { name: "needs-backport", color: null },
    ],
    reviewers: [],
    commits: [{ files: ["a.ts", "b.ts"] }, { files: ["c.ts"] }, { files: null }],
    matrix: [[1, 2], [[3]]],
    "app.kubernetes.io/name": "api",
    metadata: { "team.name": "web", team: { name: "other" } },
    base_branch: "payload",
    empty: "",
    zero: 0,
  },
  fields: {
    base_branch: "main",
    labels: ["bug", "needs-backport"],
    is_draft: false,
    head_branch: null,
    "a.b": "named",
  },
} satisfies { payload: Json; fields: Record<string, Json> };

type Row = [field: string, operator: FilterOperator, value: unknown, matched: boolean, why: string];

function check(field: string, operator: FilterOperator, value: unknown, event = PULL_REQUEST as Event) {
  const [result] = judgeFilters([filterSchema.parse({ field, operator, value })], event);
  return result;
}

interface Event {
  payload: Json;
  fields: Record<string, Json>;
}

describe("a filter", () => {
  it.each<Row>([
    ["base_branch", "equals", "main", true, 'base_branch is "main"'],
    ["base_branch", "equals", "dev", false, 'base_branch is "main", not "dev"'],
    ["base_branch", "equals", "Main", false, 'base_branch is "main", not "Main"'],
    ["is_draft", "equals", false, true, "is_draft is false"],
    ["is_draft", "equals", "false", true, "is_draft is false"],
    ["is_draft", "equals", true, false, "is_draft is false, not true"],
    ["number", "equals", 7, true, "number is 7"],
    ["number", "equals", "7", true, "number is 7"],
    ["number", "equals", "7.0", false, 'number is 7, not "7.0"'],
    ["zero", "equals", false, false, "zero is 0, not false"],
    ["empty", "equals", "", true, 'empty is ""'],
    ["title", "contains", "login", true, 'title is "Fix the login\\nof guests", which contains "login"'],
    ["title", "contains", "Login", false, 'title is "Fix the login\\nof guests", which does not contain "Login"'],
    ["number", "contains", 7, false, "number is 7, which does not contain 7"],
    ["base_branch", "starts_with", "ma", true, 'base_branch is "main", which starts with "ma"'],
    ["base_branch", "starts_with", "ain", false, 'base_branch is "main", which does not start with "ain"'],
    ["number", "starts_with", "7", false, 'number is 7, which does not start with "7"'],
    ["action", "is_one_of", ["opened", "closed"], true, 'action is "opened", one of "opened", "closed"'],
    ["action", "is_one_of", ["closed"], false, 'action is "opened", not one of "closed"'],
    ["number", "is_one_of", ["6", "7"], true, 'number is 7, one of "6", "7"'],
    [
      "action",
      "is_one_of",
      ["a", "b", "c", "d", "e"],
      false,
      'action is "opened", not one of "a", "b", "c" and 2 more',
    ],
    ["action", "is_not_one_of", ["closed"], true, 'action is "opened", not one of "closed"'],
    ["action", "is_not_one_of", ["opened"], false, 'action is "opened", one of "opened"'],
    ["base_branch", "matches_regex", "ma.*", true, 'base_branch is "main", which matches "ma.*"'],
    ["base_branch", "matches_regex", "ma", false, 'base_branch is "main", which does not match "ma" as a whole'],
    ["number", "matches_regex", "[0-9]+", true, 'number is 7, which matches "[0-9]+"'],
    ["merged", "matches_regex", "true|false", true, 'merged is false, which matches "true|false"'],
    ["action", "exists", true, true, "action is there"],
    ["action", "exists", false, false, "action is there"],
    ["empty", "exists", undefined, true, "empty is there"],
  ])("%s %s %j: %s", (field, operator, value, matched, why) => {
    expect(check(field, operator, value)).toEqual({ field, operator, matched, why });
  });
});

describe("a list", () => {
  it.each<Row>([
    ["labels", "equals", "bug", true, 'labels has "bug"'],
    ["labels", "contains", "bug", true, 'labels has "bug"'],
    ["labels", "contains", "needs", false, 'labels is ["bug", "needs-backport"], where none is "needs"'],
    ["labels", "starts_with", "needs", true, 'labels has "needs-backport", which starts with "needs"'],
    ["labels", "starts_with", "x", false, 'labels is ["bug", "needs-backport"], where none starts with "x"'],
    ["labels", "is_one_of", ["x", "bug"], true, 'labels has "bug", one of "x", "bug"'],
    ["labels", "is_one_of", ["x"], false, 'labels is ["bug", "needs-backport"], where none is one of "x"'],
    ["labels", "is_not_one_of", ["x"], true, 'labels is ["bug", "needs-backport"], where none is one of "x"'],
    ["labels", "is_not_one_of", ["bug"], false, 'labels has "bug", one of "bug"'],
    ["labels", "matches_regex", ".*port", true, 'labels has "needs-backport", which matches ".*port"'],
    ["labels", "matches_regex", "b", false, 'labels is ["bug", "needs-backport"], where none matches "b" as a whole'],
    ["labels", "exists", true, true, "labels is there"],
    ["matrix", "equals", 3, true, "matrix has 3"],
    ["matrix", "equals", 4, false, "matrix is [1, 2, 3], where none is 4"],
    ["reviewers", "exists", true, true, "reviewers is there"],
    ["reviewers", "equals", "a", false, "reviewers is an empty list"],
    ["reviewers", "is_not_one_of", ["a"], true, "reviewers is an empty list"],
    ["commits.files", "is_one_of", ["c.ts"], true, 'commits.files has "c.ts", one of "c.ts"'],
    ["commits.files", "equals", "d", false, 'commits.files is ["a.ts", "b.ts", "c.ts"], where none is "d"'],
  ])("%s %s %j: %s", (field, operator, value, matched, why) => {
    expect(check(field, operator, value)).toEqual({ field, operator, matched, why });
  });
});

describe("what is missing", () => {
  const missing: Filter[] = [
    { field: "gone.away", operator: "equals", value: "" },
    { field: "gone.away", operator: "contains", value: "" },
    { field: "gone.away", operator: "starts_with", value: "" },
    { field: "gone.away", operator: "is_one_of", value: [""] },
    { field: "gone.away", operator: "matches_regex", value: ".*" },
    { field: "gone.away", operator: "exists", value: true },
  ];

  it.each(missing)("$operator does not hold", (filter) => {
    const [result] = judgeFilters([filter], PULL_REQUEST);
    expect(result).toMatchObject({ matched: false, why: "gone.away is not there" });
  });

  it.each<Row>([
    ["gone.away", "is_not_one_of", ["x"], true, "gone.away is not there"],
    ["gone.away", "exists", false, true, "gone.away is not there"],
    ["body", "exists", false, true, "body is not there"],
    ["body", "equals", "null", false, "body is not there"],
    ["head_branch", "exists", true, false, "head_branch is not there"],
    ["reviewers.login", "exists", true, false, "reviewers.login is not there"],
    ["action.length", "exists", true, false, "action.length is not there"],
    ["labels.2.name", "exists", true, false, "labels.2.name is not there"],
  ])("%s %s %j: %s", (field, operator, value, matched, why) => {
    expect(check(field, operator, value)).toEqual({ field, operator, matched, why });
  });
});

describe("an object", () => {
  it.each<[string, FilterOperator, unknown]>([
    ["base", "equals", "[object Object]"],
    ["base", "contains", "ref"],
    ["base", "is_one_of", ["dev"]],
    ["base", "is_not_one_of", ["x"]],
    ["base", "matches_regex", ".*"],
  ])("%s %s %j does not hold", (field, operator, value) => {
    const why = "base is an object: name one of its fields, as in base.id";
    expect(check(field, operator, value)).toMatchObject({ matched: false, why });
  });

  it("in a list does not count as anything", () => {
    const event = { payload: { labels: [{ name: "bug" }, "urgent"] }, fields: {} };
    expect(check("labels", "equals", "urgent", event)).toMatchObject({ matched: true });
    expect(check("labels", "is_not_one_of", ["bug"], event)).toMatchObject({
      matched: false,
      why: "labels holds objects: name one of their fields, as in labels.id",
    });
  });

  it("is there", () => {
    expect(check("base", "exists", true)).toMatchObject({ matched: true });
  });
});

describe("a field", () => {
  it.each<[string, Json, string]>([
    ["base_branch", "main", "a named field comes before the payload"],
    ["a.b", "named", "a named field is looked up by its whole name"],
    ["base.ref", "dev", "a path goes down into objects"],
    ["base.repo.id", 42, "and further"],
    ["labels.0.name", "bug", "of the payload alone: labels is a name, labels.0.name is none"],
    ["commits.1.files.0", "c.ts", "an index counts from 0"],
    ["matrix.1.0.0", 3, "in lists of lists"],
    ["app.kubernetes.io/name", "api", "a key with dots is found by its whole name"],
    ["metadata.team.name", "web", "below the top too, before the path that it could be"],
  ])("%s is %j: %s", (field, value) => {
    expect(check(field, "equals", value)).toMatchObject({ matched: true });
  });

  it("that goes through a list goes through all its items", () => {
    const event = { payload: { labels: [{ name: "a" }, { other: 1 }, "text", null, { name: "b" }] }, fields: {} };
    expect(check("labels.name", "equals", "b", event)).toMatchObject({ why: 'labels.name has "b"' });
    expect(check("labels.name", "equals", "c", event)).toMatchObject({
      why: 'labels.name is ["a", "b"], where none is "c"',
    });
  });

  it.each([
    "__proto__",
    "constructor",
    "toString",
    "base.__proto__",
    "base.constructor.name",
    "labels.constructor",
    "commits.length",
    "commits.0.hasOwnProperty",
    "title.0",
    "number.toFixed",
    "",
    ".",
    "base.",
    ".base",
    "base..ref",
    "labels.00.name",
    "labels.-1.name",
  ])("%j finds nothing that the event does not hold", (field) => {
    expect(judgeFilters([{ field, operator: "exists", value: false }], PULL_REQUEST)).toMatchObject([
      { matched: true },
    ]);
  });

  it("is found in lists nested deeper than any stack", () => {
    const depth = 200_000;
    const payload: Json = JSON.parse(`{"deep":${"[".repeat(depth)}{"name":"x"}${"]".repeat(depth)}}`);
    expect(check("deep.name", "equals", "x", { payload, fields: {} })).toMatchObject({ matched: true });
  });

  it("of a payload that is no object is not there", () => {
    for (const payload of ["text", 7, null, true, []] satisfies Json[]) {
      expect(check("a", "exists", false, { payload, fields: {} })).toMatchObject({ matched: true });
    }
  });
});

describe("docs/filters.md", () => {
  const text = readFileSync(new URL("../../docs/filters.md", import.meta.url), "utf8");
  const examples = text.slice(text.indexOf("## Examples"));
  const payload: Json = JSON.parse(/```json\n(.*?)```/s.exec(examples)?.[1] ?? "");
  const fields = { base_branch: "main", labels: ["bug", "needs-backport"], is_draft: false };
  const rows = [...examples.matchAll(/^\| `(.+?)` +\| `(.+?)` +\| `(.+?)` +\| (yes|no) +\| (.+?) +\|$/gm)].map((row) =>
    row.slice(1).map((cell) => cell.replaceAll("\\|", "|")),
  );

  it("has examples", () => {
    expect(rows.length).toBeGreaterThan(10);
    for (const [name, value] of Object.entries(fields)) {
      expect(examples).toContain(`\`${name}: ${JSON.stringify(value).replaceAll(",", ", ")}\``);
    }
  });

  it.each(rows)("tells the truth of %s %s %s: %s", (field, operator, value, holds, why) => {
    const filter = filterSchema.parse({ field, operator, value: JSON.parse(value ?? "") });
    expect(judgeFilters([filter], { payload, fields })).toEqual([{ field, operator, matched: holds === "yes", why }]);
  });
});

describe("several filters", () => {
  it("are judged one by one, in their order", () => {
    const filters = filtersSchema.parse([
      { field: "base_branch", operator: "equals", value: "main" },
      { field: "is_draft", operator: "equals", value: true },
      { field: "labels", operator: "contains", value: "bug" },
    ]);
    expect(judgeFilters(filters, PULL_REQUEST).map(({ matched }) => matched)).toEqual([true, false, true]);
  });

  it("are none when there are none", () => {
    expect(judgeFilters([], PULL_REQUEST)).toEqual([]);
  });

  it("judge every event without throwing, in short sentences, and opposites as opposites", () => {
    const path = fc.stringMatching(/^[a-c0_.]{1,6}$/);
    const event = fc.record({
      payload: fc.jsonValue({ maxDepth: 5 }).map((value): Json => JSON.parse(JSON.stringify(value))),
      fields: fc.dictionary(path, fc.oneof(fc.string({ maxLength: 3_000 }), fc.integer(), fc.constant(null))),
    });
    const scalar = fc.oneof(fc.string({ maxLength: 1_000 }), fc.boolean(), fc.integer());
    fc.assert(
      fc.property(event, path, scalar, (given, field, value) => {
        const target = { ...given, payload: { a: given.payload, b: [given.payload, { c: given.payload }] } };
        const checks = judgeFilters(
          [
            { field, operator: "equals", value },
            { field, operator: "is_one_of", value: [value] },
            { field, operator: "is_not_one_of", value: [value] },
            { field, operator: "exists", value: true },
            { field, operator: "exists", value: false },
          ],
          target,
        );
        const [equal, one, notOne, there, absent] = checks.map(({ matched }) => matched);
        expect(one).toBe(equal);
        expect(there).toBe(!absent);
        if (one) expect(notOne).toBe(false);
        if (absent) expect(notOne).toBe(true);
        for (const { why } of checks) expect(why.length).toBeLessThanOrEqual(500);
      }),
    );
  });
});

describe("saving filters", () => {
  const filter = (value: string): Filter => ({ field: "title", operator: "matches_regex", value });

  it("accepts what can be judged", () => {
    expect(filtersFaults([filter("a|b"), { field: "x", operator: "exists", value: true }])).toEqual([]);
  });

  it.each([
    ["(", "missing closing );"],
    ["a)|(b", "unexpected );"],
    ["(?=a)", "invalid or unsupported Perl syntax at (?="],
    ["(?<!a)b", "invalid"],
    ["(a)\\1", "invalid escape sequence at \\1"],
    ["a**", "invalid nested repetition operator at **"],
    ["[b-a]", "invalid character class range at b-a"],
    ["((a{1000}){1000}){1000}", "is too costly"],
  ])("refuses %s and says where", (pattern, message) => {
    const fault = filtersFaults([filter("a"), { field: "x", operator: "exists", value: true }, filter(pattern)]);
    expect(fault).toEqual([{ field: "filters[2].value", message: expect.stringContaining(message) }]);
  });

  it("tells all faults at once", () => {
    expect(filtersFaults([filter("("), filter("a"), filter("["), filter("(?=a)")]).map(({ field }) => field)).toEqual([
      "filters[0].value",
      "filters[2].value",
      "filters[3].value",
    ]);
  });
});

describe("texts that say the same in other characters", () => {
  const NFC = "caf\u00e9";
  const NFD = "cafe\u0301";
  const check = (field: string, operator: string, value: unknown, payload: Json) =>
    judgeFilters([filterSchema.parse({ field, operator, value })], {
      payload,
      fields: { branch: payload as string },
    })[0];

  it.each([
    ["equals", "branch", NFC, NFD],
    ["equals", "branch", NFD, NFC],
    ["contains", "branch", NFC, `feat/${NFD}-1`],
    ["starts_with", "branch", NFD, `${NFC}/x`],
    ["is_one_of", "branch", ["x", NFD], NFC],
    ["matches_regex", "branch", `.*${NFD}`, `a ${NFC}`],
    ["matches_regex", "branch", "caf.", NFD],
    ["equals", "branch", "\u1112\u1161\u11ab", "\ud55c"],
    ["equals", "branch", "\u212b", "\u00c5"],
  ])("%s of %s takes %j in %j", (operator, field, value, found) => {
    expect(check(field, operator, value, found)).toMatchObject({ matched: true });
  });

  it.each([
    ["is_not_one_of", [NFC], NFD],
    ["equals", "cafe", NFD],
    ["equals", "caf\u00e8", NFD],
    ["equals", "\ufb01", "fi"],
  ])("%s of %j does not take %j", (operator, value, found) => {
    expect(check("branch", operator, value, found)).toMatchObject({ matched: false });
  });

  it("find a field by its name, and show what came as it came", () => {
    const payload = { [NFD]: { [NFC]: NFD } };
    expect(check(`${NFC}.${NFD}`, "equals", "x", payload)).toMatchObject({
      matched: false,
      why: `${NFC}.${NFD} is "${NFD}", not "x"`,
    });
    expect(check(`${NFC}.${NFD}`, "equals", NFC, payload)).toMatchObject({ matched: true });
    expect(check(`${NFC}.missing`, "exists", true, payload)).toMatchObject({ matched: false });
  });

  it("are quoted by whole characters", () => {
    expect(check("branch", "equals", "x", "\u{1f6a8}".repeat(200))?.why).toBe(
      `branch is "${"\u{1f6a8}".repeat(100)}"…, not "x"`,
    );
  });
});
