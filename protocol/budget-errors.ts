/** Refusals for want of money: rows of `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const BUDGET_ERRORS = {
  budget: {
    type: "unprocessable_error",
    message: "A budget is spent.",
    hint: "Raise the one that the reason names: limits.budget_usd or limits.monthly_budget_usd of the routine, or one that it shares, by PUT /api/v1/budgets. A monthly budget begins anew with the month (UTC).",
  },
  budget_reserved: {
    type: "rate_limit_error",
    message: "What is left of a budget is reserved for model calls that are under way.",
    hint: "Wait for the seconds that Retry-After names: what they have not used is free then.",
  },
  budget_unanswered: {
    type: "overloaded_error",
    message: "The budgets that this routine shares with others can't be asked now, so the call is not made.",
    hint: "Nothing: the agent's program repeats it after the seconds that Retry-After names. If it stays so, look for budgets_silent in the log.",
  },
  too_many_budgets: {
    type: "unprocessable_error",
    message: "This instance has as many budgets of tags and of the instance as it can.",
    hint: "Remove one that is not needed: GET /api/v1/budgets lists them.",
  },
} as const satisfies Record<string, ErrorRow>;
