/** Which shared budgets are a routine's, what they let through together, and when a routine spends faster than usual. */
import { describe, expect, it } from "vitest";
import { previousMonthOf, spentWords } from "#rules/run/budget.ts";
import { dayOf, fastWords, firstDayBefore, usualWhereFast } from "#rules/run/fast-spending.ts";
import { accountOf, isFor, isOtherBudgets, judgeShared, type KnownBudget, spentOf } from "#rules/run/shared-budgets.ts";

const INSTANCE: KnownBudget = { scope: "instance", monthlyUsd: 10, spent: null };
const DOCS: KnownBudget = { scope: "tag", tag: "team", value: "docs", monthlyUsd: 1, spent: null };
const OTHER: KnownBudget = { ...DOCS, value: "web" };
const sum = (team: string, usd: number, isInFlight = false) => ({ tags: { team }, usd, isInFlight });

describe("a shared budget", () => {
  it.each([
    [INSTANCE, {}, true],
    [DOCS, { team: "docs", env: "prod" }, true],
    [DOCS, { team: "web" }, false],
    [DOCS, {}, false],
    [{ ...DOCS, tag: "constructor", value: String(Object) }, {}, false],
  ] as const)("is for those that have its tag: %o, %o: %s", (budget, tags, expected) => {
    expect(isFor(budget, tags)).toBe(expected);
  });

  it("adds up what its routines have spent, and what their calls under way may cost", () => {
    const sums = [sum("docs", 0.25), sum("docs", 0.5), sum("web", 4), sum("docs", 0.125, true)];
    expect(accountOf(DOCS, sums)).toEqual({ budgetUsd: 1, spentUsd: 0.75, inFlightUsd: 0.125 });
    expect(accountOf(INSTANCE, sums)).toEqual({ budgetUsd: 10, spentUsd: 4.75, inFlightUsd: 0.125 });
  });

  it.each([
    ["all have room", [sum("docs", 0.5)], 0.25, "go"],
    ["one has none for two calls at once", [sum("docs", 0.5), sum("docs", 0.3, true)], 0.25, "soon"],
    ["one is spent, and the other reserved", [sum("docs", 1), sum("web", 8.9), sum("web", 1, true)], 0.25, "spent"],
  ] as const)("lets a call go only where %s", (_what, sums, usd, verdict) => {
    expect(judgeShared([INSTANCE, DOCS], sums, usd)).toBe(verdict);
  });

  it("is spent in the month in which it was found to be", () => {
    const spent = { ...DOCS, spent: { month: "2026-11", usd: 1.25 } };
    expect(spentOf([INSTANCE, spent], { team: "docs" }, "2026-11")).toBe(spent);
    expect(spentOf([INSTANCE, spent], { team: "docs" }, "2026-12")).toBeNull();
    expect(spentOf([INSTANCE, spent], { team: "web" }, "2026-11")).toBeNull();
  });

  it("becomes another's when tags change", () => {
    const all = [INSTANCE, DOCS, OTHER];
    expect(isOtherBudgets(all, { team: "docs" }, { team: "web" })).toBe(true);
    expect(isOtherBudgets(all, { team: "docs" }, { team: "docs", env: "prod" })).toBe(false);
    expect(isOtherBudgets([], { team: "docs" }, { team: "web" })).toBe(false);
  });

  it("is told by name, with when it begins anew", () => {
    const untilMs = Date.UTC(2026, 11);
    const spent = { name: "limits.budget_usd", budgetUsd: 5, spentUsd: 5.01234, untilMs: null };
    expect(spentWords(spent)).toBe("limits.budget_usd is 5, and 5.0123 is spent");
    expect(spentWords({ ...spent, untilMs })).toBe(
      "limits.budget_usd is 5, and 5.0123 is spent; it begins anew at 2026-12-01T00:00:00.000Z",
    );
    expect([previousMonthOf(untilMs), previousMonthOf(Date.UTC(2026, 0, 31))]).toEqual(["2026-11", "2025-12"]);
  });
});

describe("a day", () => {
  it.each([
    ["is usual where it costs as much as others", 2, [2, 2, 2], null],
    ["is not where it costs three times as much", 6, [2, 2, 2], 2],
    ["is usual below that", 5.9, [2, 2, 2], null],
    ["is compared with the days that had calls", 6, [0, 2, 0, 0, 2, 0, 2], 2],
    ["is compared with the middle one, not with one that was dear", 6, [1, 2, 40], 2],
    ["is compared with the middle of two", 9, [1, 2, 4, 8], 3],
    ["is usual while there are two others", 100, [1, 1], null],
    ["is usual where there are none", 100, [], null],
    ["is usual where it is a matter of cents", 0.9, [0.01, 0.01, 0.01], null],
    ["is not where it is a dollar more", 1.01, [0.01, 0.01, 0.01], 0.01],
  ])("%s: %d after %o", (_what, today, before, usual) => {
    expect(usualWhereFast(today, before)).toBe(usual);
  });

  it("begins and ends in UTC", () => {
    const at = Date.parse("2026-12-01T23:59:59.999Z");
    expect([dayOf(at), dayOf(at + 1), firstDayBefore(at)]).toEqual(["2026-12-01", "2026-12-02", "2026-11-03"]);
    expect(fastWords(dayOf(at), 12.4, 2)).toBe("12.40 dollars on 2026-12-01 (UTC) so far; a usual day costs 2.00.");
  });
});
