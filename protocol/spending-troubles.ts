/** Rows of `TROUBLES`: what goes wrong with counting what calls use, and with budgets that routines share. */
import { z } from "zod";
import { call, count, routine, type TroubleRow } from "./trouble-fields.ts";

export const SPENDING_TROUBLES = {
  usage_not_told: {
    level: "warn",
    means: "A run's object did not take in what a model call used.",
    carries: z.strictObject(call),
  },
  budgets_silent: {
    level: "warn",
    means:
      "The object that keeps the budgets of the instance and of tags did not answer, so a model call was not made.",
    carries: z.strictObject(routine),
  },
  budgets_not_told: {
    level: "warn",
    means: "A routine's object could not be told that a budget of the instance or of a tag has changed.",
    carries: z.strictObject({ ...routine, tries: count }),
  },
} as const satisfies Record<string, TroubleRow>;
