/** Whatever a routine can say can be said in the editor's form: each key of the schema has a field, which shows what is told of it. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it, vi } from "vitest";
import type { z } from "zod";
import { routineInputSchema } from "#protocol/routine.ts";
import type { TriggerInput } from "#protocol/triggers.ts";
import { type Draft, EMPTY_DRAFT } from "#web/src/editor/draft.ts";
import { ToldProvider } from "#web/src/editor/faults.tsx";
import { Form } from "#web/src/editor/form.tsx";

/** Keys without a field of their own, with the reason. */
const NO_FIELD: Record<string, string> = {
  "triggers[0].type": "the button that adds the trigger says it",
  "triggers[0].id": "drawn by the instance",
  "triggers[0].look": "shown, and ignored when it is sent back",
  "triggers[0].next_fire_times": "shown, and ignored when it is sent back",
  "triggers[0].status": "shown, and ignored when it is sent back",
  "triggers[0].endpoint": "shown, and ignored when it is sent back",
  "triggers[0].unseen_repositories": "shown, and ignored when it is sent back",
  "triggers[0].repository_ids": "shown, and ignored when it is sent back",
  "triggers[0].at_written": "shown, and ignored when it is sent back",
  "triggers[0].auth.kind": "“How the sender shows who it is” writes the whole of auth",
};

const coalesce = { window: "60s" };
const filters: Extract<TriggerInput, { type: "event" }>["filters"] = [
  { field: "action", operator: "equals", value: "opened" },
];
const TRIGGERS: TriggerInput[] = [
  { type: "api" },
  ...[{ cron: "0 9 * * *" }, { at: "in 1 day" }].map(scheduled),
  ...(["hourly", "daily", "weekly", "monthly"] as const).map((every) => scheduled({ every })),
  {
    type: "github",
    event: "pull_request",
    actions: ["opened"],
    filters,
    coalesce,
    allow_public: false,
    allow_self: false,
  },
  {
    type: "webhook",
    source: "generic",
    filters,
    coalesce,
    auth: { kind: "hmac", header: "X-Sign", prefix: "", algorithm: "sha256", encoding: "hex" },
  },
  { type: "webhook", source: "slack", filters: [], allow_bots: true },
  { type: "webhook", source: "pubsub", filters: [], pubsub: { service_account: "a@example.com" } },
  { type: "routine", routine: "Other", on: ["succeeded"] },
  { type: "watch", connector: "linear", tool: "list_issues", every: "5m" },
  { type: "watch", connector: "linear", resource: "issues://triage", every: "5m" },
  { type: "event", name: "file.changed", filters: [{ field: "action", operator: "is_one_of", value: ["opened"] }] },
];
const RULES: Draft["notify"] = [
  { on: ["succeeded"], skip: [], webhook: "https://example.com/hook" },
  { on: ["failed"], skip: [], slack: "{{SLACK_URL}}" },
  { on: ["failed"], skip: [], telegram: "{{TELEGRAM_URL}}" },
  { on: ["failed"], skip: [], discord: "{{DISCORD_URL}}" },
  { on: ["failed"], skip: [], email: "team@example.com" },
];
const FULL: Draft = {
  ...EMPTY_DRAFT,
  repositories: [{ url: "https://github.com/acme/app", push: "prefix" }],
  connectors: [{ name: "linear", tools: { allow: ["list_*"] } }],
  gate: { connector: "linear", tool: "list_issues" },
  session: "keyed",
  session_key: "{{trigger.id}}",
  context_from: [{ routine: "self", last: 3 }],
  tools: { allow: ["Read"], deny: [], ask: [] },
};

function scheduled(more: Pick<Extract<TriggerInput, { type: "schedule" }>, "cron" | "at" | "every">): TriggerInput {
  return { type: "schedule", timezone: "UTC", catch_up: "latest", ...more };
}

/** The paths of all that can be written, with the first of each list. */
function pathsOf(schema: z.core.$ZodType, path: string): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "default":
    case "prefault":
    case "optional":
    case "nullable":
      return pathsOf(def.innerType, path);
    case "object":
      return Object.entries(def.shape).flatMap(([key, inner]) => pathsOf(inner, path === "" ? key : `${path}.${key}`));
    case "union":
      return def.options.flatMap((option) => pathsOf(option, path));
    case "array": {
      const inner = pathsOf(def.element, `${path}[0]`);
      return inner.every((each) => each === `${path}[0]`) ? [path] : inner;
    }
    default:
      return [path];
  }
}

const PATHS = [...new Set(pathsOf(routineInputSchema, ""))];

/** The form, as it is when something is told of each path. */
function shown(draft: Draft): string {
  const faults = PATHS.map((field) => ({ field, message: `told of ${field}.` }));
  const form = createElement(Form, { draft, set: () => undefined });
  const told = createElement(ToldProvider, { value: { faults, warnings: [] } }, form);
  return renderToStaticMarkup(createElement(QueryClientProvider, { client: new QueryClient() }, told));
}

it("each key of a routine has a field that shows what is told of it, or a reason to have none", () => {
  vi.stubGlobal("location", { origin: "https://reveille.example" });
  expect(PATHS).toContain("limits.monthly_budget_usd");
  expect(PATHS).toContain("triggers[0].coalesce.max_wait");
  const pages = [
    ...TRIGGERS.map((trigger) => shown({ ...FULL, triggers: [trigger] })),
    ...RULES.map((rule) => shown({ ...FULL, notify: [rule] })),
  ];
  const without = PATHS.filter((path) => !pages.some((page) => page.includes(`told of ${path}.<`)));
  expect(without.toSorted()).toEqual(Object.keys(NO_FIELD).toSorted());
});
