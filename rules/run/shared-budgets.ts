/** What budgets of several routines together let through: which are for a routine, and what of each is gone. Pure. */
import { type BudgetScope, budgetKey } from "#protocol/shared-budget.ts";
import { type Account, type CallVerdict, judgeCall } from "./budget.ts";

export type Tags = Readonly<Record<string, string>>;

/** A budget as routines' objects know it. */
export type KnownBudget = BudgetScope & {
  monthlyUsd: number;
  /** The month in which it was found to be spent, and how much was; null for none. It is spent until that month has ended. */
  spent: { month: string; usd: number } | null;
};

/** Money of a routine's that has been spent, or may be. */
export interface Sum {
  tags: Tags;
  usd: number;
  /** Whether it is a call's that is under way. */
  isInFlight: boolean;
}

export function isFor(budget: BudgetScope, tags: Tags): boolean {
  return budget.scope === "instance" || (Object.hasOwn(tags, budget.tag) && tags[budget.tag] === budget.value);
}

/** What of a budget is gone. @param sums of all routines in the month. */
export function accountOf(budget: BudgetScope & { monthlyUsd: number }, sums: readonly Sum[]): Account {
  const own = sums.filter(({ tags }) => isFor(budget, tags));
  const total = (isInFlight: boolean) =>
    own.reduce((all, sum) => (sum.isInFlight === isInFlight ? all + sum.usd : all), 0);
  return { budgetUsd: budget.monthlyUsd, spentUsd: total(false), inFlightUsd: total(true) };
}

/** Whether a call may be made that all these budgets are for: one that is spent counts before one that is only reserved. */
export function judgeShared(
  budgets: readonly (BudgetScope & { monthlyUsd: number })[],
  sums: readonly Sum[],
  reserveUsd: number,
): CallVerdict {
  const verdicts = budgets.map((budget) => judgeCall(accountOf(budget, sums), reserveUsd));
  return (["spent", "soon"] as const).find((worst) => verdicts.includes(worst)) ?? "go";
}

/** The first of the routine's budgets that is spent in a month; null when none is. */
export function spentOf(budgets: readonly KnownBudget[], tags: Tags, month: string): KnownBudget | null {
  return budgets.find((budget) => budget.spent?.month === month && isFor(budget, tags)) ?? null;
}

/** Whether a change of tags makes other budgets the routine's. */
export function isOtherBudgets(budgets: readonly BudgetScope[], before: Tags, after: Tags): boolean {
  const keys = (tags: Tags) => budgets.filter((budget) => isFor(budget, tags)).map(budgetKey);
  return keys(before).join("\n") !== keys(after).join("\n");
}
