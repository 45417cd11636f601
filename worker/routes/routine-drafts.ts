/** One sentence becomes the draft of a routine, by one call of the model, or two. Nothing is saved. */
import { type Drafting, draftedSchema, draftInputSchema, draftingSchema } from "#protocol/draft.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { namedModel, sentName } from "#rules/run/model-rule.ts";
import type { Deps } from "../deps.ts";
import { askForDraft } from "../drafting/ask-for-draft.ts";
import { draftCostAtMost, type KnownNames } from "../drafting/draft-request.ts";
import { draftRoutine } from "../drafting/draft-routine.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { validateDraft } from "./validate-routine.ts";

const at = { path: "/api/v1/routines/draft", tag: "Routines", needs: "routines:write" } as const;
const NAMES_READ = 100;
const NO_KEY = { message: "This instance has no model key, so it drafts no routines." };

export function mountRoutineDrafts(app: App): void {
  endpoint(
    app,
    {
      ...at,
      method: "get",
      needs: "routines:read",
      id: "readDrafting",
      summary: "Tell whether a sentence can become a draft here, and what that costs at most",
      answer: { status: 200, schema: draftingSchema },
    },
    async ({ c }) => success(draftingOf(c.var.deps)),
  );
  endpoint(
    app,
    {
      ...at,
      method: "post",
      id: "draftRoutine",
      refuses: [
        "model_not_configured",
        "draft_refused",
        "draft_unusable",
        "model_unreachable",
        "budget",
        "instance_rate_limited",
      ],
      summary: "Make the draft of a routine out of a sentence, with what is still to be asked",
      description:
        "One call of the instance's default model, or two where the first draft could not be saved; `usage` has what it cost. The model is told the text, and the names of routines, repositories and environments. Nothing is saved.",
      body: { schema: draftInputSchema, optional: false },
      answer: { status: 200, schema: draftedSchema },
    },
    async ({ c, body }) => {
      const { deps } = c.var;
      const { model: upstream } = deps.config;
      if (upstream.kind !== "anthropic") return refuse("model_not_configured", NO_KEY);
      const mayCost = await budgetLeft(deps);
      if (!mayCost.ok) return mayCost;
      const entered = await deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      return draftRoutine(body, {
        model: modelOf(deps),
        known: await knownNames(deps),
        nowMs: Date.now(),
        ask: (request) => askForDraft(upstream, request, c.req.raw.signal),
        validate: (draft) => validateDraft(c, draft, null),
      });
    },
  );
}

/** The offline demo model follows a script, and drafts nothing. */
function draftingOf(deps: Deps): Drafting {
  if (deps.config.model.kind !== "anthropic") return { available: false, model: null, max_cost_usd: null };
  const model = modelOf(deps);
  return { available: true, model, max_cost_usd: draftCostAtMost(model) };
}

function modelOf({ config }: Deps): string {
  return sentName(namedModel(null, config.defaultModel));
}

/** A month's budget of the instance that is spent is spent for drafts too. */
async function budgetLeft({ budgets }: Deps): Promise<Result<null>> {
  const all = await budgets().list();
  const spent = all.find(({ scope, monthly_usd, spent_usd }) => scope === "instance" && spent_usd >= monthly_usd);
  return spent === undefined ? success(null) : refuse("budget");
}

async function knownNames({ index, environments, githubApp, config }: Deps): Promise<KnownNames> {
  const [routines, names, repositories] = await Promise.all([
    index.listRoutines({ text: undefined, tag: undefined, status: undefined }, { limit: NAMES_READ, cursor: null }),
    environments.names(),
    githubApp.list(NAMES_READ, null),
  ]);
  const used = routines.data.flatMap((routine) => routine.repositories.map(({ url }) => url));
  return {
    routines: routines.data.map(({ name }) => name),
    environments: names,
    repositories: [
      ...new Set([...used, ...repositories.map(({ full_name }) => `${config.github.webOrigin}/${full_name}`)]),
    ],
  };
}
