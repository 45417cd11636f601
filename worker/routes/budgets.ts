/** Budgets that several routines share: listing, setting and removing them. */
import type { z } from "zod";
import { pageSchema } from "#protocol/api.ts";
import { refuse, success } from "#protocol/errors.ts";
import {
  type BudgetScope,
  budgetQuerySchema,
  sharedBudgetInputSchema,
  sharedBudgetSchema,
} from "#protocol/shared-budget.ts";
import { actorOf } from "../auth/authenticate.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";

const budgets = { path: "/api/v1/budgets", tag: "Budgets", needs: "instance:admin" } as const;
const budgetPage = pageSchema(sharedBudgetSchema).meta({ id: "SharedBudgetPage" });

export function mountBudgets(app: App): void {
  endpoint(
    app,
    {
      ...budgets,
      method: "get",
      needs: "routines:read",
      id: "listBudgets",
      summary: "List the monthly budgets of the instance and of tags",
      description: "All of them on one page, with what is spent and reserved of each in the present month (UTC).",
      answer: { status: 200, schema: budgetPage },
    },
    async ({ c }) => success({ data: await c.var.deps.budgets().list(), next_cursor: null }),
  );
  endpoint(
    app,
    {
      ...budgets,
      method: "put",
      id: "setBudget",
      refuses: ["too_many_budgets"],
      summary: "Set the monthly budget of the instance, or of a tag",
      description:
        "Takes the place of the one that the same scope had. What its routines have spent in the month counts. Runs that waited for it go on where it is raised.",
      body: { schema: sharedBudgetInputSchema, optional: false },
      answer: { status: 200, schema: sharedBudgetSchema },
    },
    async ({ c, principal, body }) => {
      if (principal === null) return refuse("authentication_required");
      return c.var.deps.budgets().set(body, actorOf(principal));
    },
  );
  endpoint(
    app,
    {
      ...budgets,
      method: "delete",
      id: "removeBudget",
      refuses: ["not_found"],
      summary: "Remove a monthly budget",
      description: "Runs that waited for it go on.",
      query: budgetQuerySchema,
      answer: { status: 204 },
    },
    async ({ c, query }) => {
      const scope = scopeOf(query);
      return scope === null ? refuse("invalid_request", UNNAMED_TAG) : c.var.deps.budgets().remove(scope);
    },
  );
}

const UNNAMED_TAG = {
  field: "tag",
  message: "tag and value: both are needed where the scope is tag, and neither where it is instance",
};

function scopeOf({ scope, tag, value }: z.infer<typeof budgetQuerySchema>): BudgetScope | null {
  if (scope === "instance") return tag === undefined && value === undefined ? { scope } : null;
  return tag === undefined || value === undefined ? null : { scope, tag, value };
}
