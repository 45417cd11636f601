/** Pure: shared budgets in words. */
import type { BudgetScope, SharedBudget, SharedBudgetInput } from "#protocol/shared-budget.ts";

/** For whom it is. */
export function budgetTitle(budget: BudgetScope): string {
  return budget.scope === "instance" ? "All routines" : `Routines tagged ${budget.tag}: ${budget.value}`;
}

/** What is only reserved comes back in part, so runs are not stopped for it. */
export function isSpent({ spent_usd: spent, monthly_usd: most }: Pick<SharedBudget, "spent_usd" | "monthly_usd">) {
  return spent >= most;
}

/** From what point on it is close to its end. */
const CLOSE = 0.8;

export function isClose({ spent_usd: spent, monthly_usd: most }: Pick<SharedBudget, "spent_usd" | "monthly_usd">) {
  return spent >= most * CLOSE;
}

/** What is typed into the form. */
export interface BudgetDraft {
  scope: BudgetScope["scope"];
  tag: string;
  value: string;
  dollars: string;
}

export interface BudgetFaults {
  tag?: string;
  value?: string;
  dollars?: string;
}

const TAG_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
const MOST_DOLLARS = 10_000_000;

/** What is asked for, or what of it is wrong, by field. */
export function readBudgetDraft({ scope, tag, value, dollars }: BudgetDraft): SharedBudgetInput | BudgetFaults {
  const faults: BudgetFaults = {};
  const monthly_usd = dollars.trim() === "" ? Number.NaN : Number(dollars.trim());
  if (!(monthly_usd > 0 && monthly_usd <= MOST_DOLLARS)) {
    faults.dollars = "Give an amount in US dollars, more than 0: for example 200 or 12.50.";
  }
  if (scope === "tag" && !TAG_NAME.test(tag.trim())) {
    faults.tag = "Give the name of a tag as routines have it: letters, digits, dots, dashes and underscores.";
  }
  if (scope === "tag" && value.trim() === "") faults.value = "Give the value that the tag has.";
  if (Object.keys(faults).length > 0) return faults;
  if (scope === "instance") return { scope, monthly_usd };
  return { scope, tag: tag.trim(), value: value.trim(), monthly_usd };
}

export function isBudgetInput(read: SharedBudgetInput | BudgetFaults): read is SharedBudgetInput {
  return "monthly_usd" in read;
}
