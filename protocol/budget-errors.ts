/** Refusals for want of money: rows of `api-errors.ts`. */
import type { ErrorRow } from "./error-types.ts";

export const BUDGET_ERRORS = {
  budget: {
    type: "unprocessable_error",
    message: "A budget of the routine is spent.",
    hint: "Raise limits.budget_usd or limits.monthly_budget_usd of the routine, as the reason says; a monthly budget begins anew with the month (UTC).",
  },
  budget_reserved: {
    type: "rate_limit_error",
    message: "What is left of the routine's budget is reserved for model calls that are under way.",
    hint: "Wait for the seconds that Retry-After names: what they have not used is free then.",
  },
} as const satisfies Record<string, ErrorRow>;
