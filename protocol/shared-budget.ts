/** Budgets that several routines share: of the whole instance, and of all routines that have a tag. */
import { z } from "zod";
import { actorSchema } from "./actor.ts";
import { atMost } from "./characters.ts";
import { dollarsSchema } from "./money.ts";
import { timestampSchema } from "./time.ts";

/** Each model call that is reserved is compared with all of them. */
export const SHARED_BUDGETS_AT_MOST = 100;

export const TAG_NAME = /^[a-zA-Z0-9_.-]{1,64}$/;
export const TAG_VALUE_LENGTH = 256;

const ofInstance = { scope: z.literal("instance") };
const ofTag = {
  scope: z.literal("tag"),
  tag: z.string().regex(TAG_NAME, "must be the name of a tag: 1 to 64 letters, digits, _, . and -").meta({
    description: "The name of a tag, as routines have it.",
  }),
  value: z
    .string()
    .check(atMost(TAG_VALUE_LENGTH))
    .meta({ description: "The tag's value: the budget is for routines that have both." }),
};

/** For whom a budget is. */
export type BudgetScope = { scope: "instance" } | { scope: "tag"; tag: string; value: string };

/** That in a query. */
export const budgetQuerySchema = z.object({
  scope: z.enum(["instance", "tag"], "must be instance or tag"),
  tag: ofTag.tag.optional(),
  value: ofTag.value.optional(),
});

const monthly = {
  monthly_usd: z.number().gt(0).max(10_000_000).meta({
    description: "What the model calls of a calendar month (UTC) may cost together, in US dollars.",
  }),
};
export const sharedBudgetInputSchema = z
  .discriminatedUnion(
    "scope",
    [z.strictObject({ ...ofInstance, ...monthly }), z.strictObject({ ...ofTag, ...monthly })],
    {
      error: 'scope must be "instance" or "tag"',
    },
  )
  .meta({
    id: "SharedBudgetInput",
    examples: [
      { scope: "tag", tag: "team", value: "docs", monthly_usd: 200 },
      { scope: "instance", monthly_usd: 1_000 },
    ],
  });
export type SharedBudgetInput = z.infer<typeof sharedBudgetInputSchema>;

const shown = {
  ...monthly,
  month: z
    .string()
    .regex(/^\d{4}-\d{2}$/)
    .meta({ description: "The month that the sums are of, in UTC." }),
  spent_usd: dollarsSchema.meta({
    description:
      "What the month's calls have cost that have ended, and what those may cost that are not waited for any more.",
  }),
  reserved_usd: dollarsSchema.meta({ description: "What calls that are under way may cost at most." }),
  begins_anew_at: timestampSchema,
  updated_at: timestampSchema,
  updated_by: actorSchema,
};
export const sharedBudgetSchema = z
  .discriminatedUnion("scope", [z.object({ ...ofInstance, ...shown }), z.object({ ...ofTag, ...shown })])
  .meta({ id: "SharedBudget" });
export type SharedBudget = z.infer<typeof sharedBudgetSchema>;

/** One text for one scope: a tag's name has no blank and no equals sign. */
export function budgetKey(budget: BudgetScope): string {
  return budget.scope === "instance" ? "instance" : `tag ${budget.tag}=${budget.value}`;
}

/** As people read it. */
export function budgetName(budget: BudgetScope): string {
  return budget.scope === "instance"
    ? "the instance's monthly budget"
    : `the monthly budget of tag ${budget.tag}=${budget.value}`;
}
