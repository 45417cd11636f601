/** What filters look at is counted, whatever has been sent and however many filters a routine has. */
import { describe, expect, it } from "vitest";
import type { Filter } from "#protocol/filters.ts";
import type { Json } from "#protocol/schema.ts";
import { FilterBudget } from "#rules/filters/filter-budget.ts";
import { judgeFilters } from "#rules/filters/judge-filters.ts";

describe("the filters of one event", () => {
  const texts = Array.from({ length: 20_000 }, (_value, at) => `text ${at}`);
  const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_value, at) => [`key ${at}`, at]));
  const filters: Filter[] = [
    { field: "f", operator: "equals", value: "none" },
    { field: "f.name", operator: "is_one_of", value: ["none"] },
    { field: "f", operator: "is_not_one_of", value: ["none"] },
    { field: "f.name", operator: "exists", value: false },
    { field: "f", operator: "starts_with", value: "none" },
    { field: "f", operator: "matches_regex", value: "none" },
  ];

  it.each<[string, Json]>([
    ["a list of 20,000 texts", texts],
    ["a list of 20,000 objects", texts.map((name) => ({ name }))],
    ["lists in lists", texts.map((text) => [[text]])],
    ["an object of 100,000 keys", wide],
    ["a text of 20 million characters", "x".repeat(20_000_000)],
    ["a text that has to be composed", "e\u0301".repeat(1_000_000)],
  ])("end with what is allowed, for %s, however many there are", (_title, f) => {
    const budget = new FilterBudget();
    const tried = Array.from({ length: 700 }, () =>
      judgeFilters(filters, { payload: { f }, fields: {} }, budget),
    ).flat();
    const first = tried.findIndex(({ why }) => why.includes("not tried"));
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(800);
    // What is not looked at lets nothing through, also where nothing would have been the answer.
    expect(tried.slice(first).filter(({ matched, why }) => matched || !why.includes("not tried"))).toEqual([]);
  });

  it("of usual sizes are all tried, in two hundred triggers of twenty", () => {
    const budget = new FilterBudget();
    const usualEvent = {
      payload: {
        title: "Fix the login\nof guests",
        base: { ref: "dev" },
        labels: [{ name: "bug" }, { name: "needs-backport" }],
        commits: [{ files: ["a.ts", "b.ts"] }, { files: ["c.ts"] }, { files: null }],
      },
      fields: { base_branch: "main" },
    };
    const usual: Filter[] = Array.from({ length: 20 }, (_value, at) => ({
      field: ["labels.name", "title", "commits.files", "base.ref"][at % 4] ?? "",
      operator: "is_not_one_of",
      value: ["none"],
    }));
    for (let trigger = 0; trigger < 200; trigger += 1) {
      expect(judgeFilters(usual, usualEvent, budget).every(({ matched }) => matched)).toBe(true);
    }
  });
});
