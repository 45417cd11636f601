/** What of a routine is told as a warning, and what is not. */
import { expect, it } from "vitest";
import { routineInputSchema } from "#protocol/routine.ts";
import type { SecretScope } from "#protocol/secret.ts";
import { type KnownEnvironment, type KnownNames, type Looked, warningsOf } from "#rules/routine/warnings.ts";
import { GITHUB_EVENTS } from "#rules/triggers/github-names.ts";
import { GITHUB_CATEGORIES } from "#worker/inbound/sources/github/categories.ts";

const ci = (status: KnownEnvironment["status"], variables = {}): KnownEnvironment => ({
  id: "env_1",
  status,
  variables,
});

const KNOWN: KnownNames = {
  routines: new Set(["docs-writer"]),
  secrets: new Map<string, SecretScope>([
    ["ACME", {}],
    ["OTHERS", { routines: ["rtn_other"] }],
  ]),
  environments: new Map([
    ["default", { ...ci("active"), id: "env_0" }],
    ["ci", ci("active", { A: "{{ACME}}", B: "{{GONE}}" })],
    ["old", ci("archived")],
  ]),
  connectors: new Map([
    [
      "linear",
      { status: "ready", status_detail: null, tools: [{ name: "list_issues", description: "", read_only: true }] },
    ],
    ["new", { status: "ready", status_detail: null, tools: [] }],
  ]),
  sourcesWithSecret: new Set(["slack"]),
  githubEvents: new Map([
    ["pull_request", { actions: ["opened", "closed"], fields: ["base_branch", "author", "sender"] }],
    ["push", { actions: [], fields: ["sender", "repository"] }],
  ]),
  everyEventFields: ["sender", "repository", "number"],
};
const REPOSITORY = { repositories: [{ url: "https://github.com/acme/app" }] };

type ShownTrigger = Looked["triggers"][number];

function told(input: Record<string, unknown>, shown: Partial<ShownTrigger> = {}) {
  const parsed = routineInputSchema.parse({ name: "r", prompt: "p", ...input });
  const status = { status: "active", next_fire_times: [], endpoint: null };
  const triggers = parsed.triggers.map((trigger) => ({ id: "trg_1", ...status, ...trigger, ...shown }) as ShownTrigger);
  return warningsOf({ ...parsed, id: "rtn_1", gate: parsed.gate ?? null, triggers }, KNOWN).map(
    ({ code, field, message, secret }) => [code, field, message, ...(secret === undefined ? [] : [secret])],
  );
}

const github = (trigger: object) => ({
  ...REPOSITORY,
  triggers: [{ type: "github", event: "pull_request", ...trigger }],
});
const filter = (field: string) => ({ field, operator: "exists" });
const schedule = (trigger: object) => ({ triggers: [{ type: "schedule", every: "daily", ...trigger }] });

it.each([
  [github({}), []],
  [
    github({ event: "pull_requests" }),
    ["unknown_event", "triggers[0].event", /"pull_requests"; did you mean "pull_request"\?/],
  ],
  [{ connectors: ["linear"], gate: { connector: "linear", tool: "list_issues" } }, []],
  [
    { connectors: ["linear"], gate: { connector: "linear", tool: "list_issue" } },
    ["unknown_tool", "gate.tool", /the connector "linear" has no tool "list_issue"/],
  ],
  [
    { connectors: ["linear"], triggers: [{ type: "watch", connector: "linear", tool: "issues" }] },
    ["unknown_tool", "triggers[0].tool", /has no tool "issues"/],
  ],
  [{ connectors: ["new"], triggers: [{ type: "watch", connector: "new", tool: "issues" }] }, []],
  [github({ event: "gollum", actions: ["whatever"] }), []],
  [
    github({ actions: ["open"] }),
    ["unknown_action", "triggers[0].actions[0]", /no action "open"; did you mean "opened"\?/],
  ],
  [github({ event: "push", actions: ["opened"] }), ["unknown_action", "triggers[0].actions[0]", /push has no actions/]],
  [
    github({ filters: [filter("base_brnch")] }),
    ["unknown_field", "triggers[0].filters[0].field", /did you mean "base_branch"\?/],
  ],
  [github({ filters: [filter("pull_request.user.login"), filter("author")] }), []],
  [
    github({ event: "push", filters: [filter("base_branch")] }),
    ["unknown_field", "triggers[0].filters[0].field", /push has no field/],
  ],
  [github({ event: "push", filters: [filter("ref")] }), []],
  [{ triggers: [{ type: "github", event: "push" }] }, ["needs_repository", "triggers[0]", /the routine has none/]],
  [schedule({ timezone: "EST" }), ["ambiguous_zone", "triggers[0].timezone", /"EST" is an abbreviation/]],
  [schedule({ timezone: "Etc/GMT+5" }), ["ambiguous_zone", "triggers[0].timezone", /"Etc\/GMT\+5" is UTC-5/]],
  [schedule({ timezone: "Europe/Paris" }), []],
  [schedule({ timezone: "UTC" }), []],
  [
    { triggers: [{ type: "routine", routine: "docs-writr" }] },
    ["unknown_routine", "triggers[0].routine", /no routine "docs-writr"/],
  ],
  [{ triggers: [{ type: "routine", routine: "docs-writer" }] }, []],
  [
    { context_from: [{ routine: "nobody" }, { routine: "self" }] },
    ["unknown_routine", "context_from[0].routine", /"nobody"/],
  ],
  [{ triggers: [{ type: "webhook", source: "slack" }] }, ["needs_secret", "triggers[0]", /no secret yet/]],
  [{ triggers: [{ type: "webhook", source: "pubsub", pubsub: { service_account: "a@example.com" } }] }, []],
  [{ variables: { TOKEN: "{{ACME}}" } }, []],
  [
    { variables: { TOKEN: "{{NOBODY}}" } },
    ["needs_secret", "variables.TOKEN", /no secret "NOBODY", which TOKEN needs/, "NOBODY"],
  ],
  [
    { variables: { TOKEN: "{{OTHERS}}" } },
    ["needs_secret", "variables.TOKEN", /may not use the secret "OTHERS"/, "OTHERS"],
  ],
  [{ environment: "ci" }, ["needs_secret", "environment", /no secret "GONE", which B needs/, "GONE"]],
  [{ environment: "ci", variables: { B: "plain" } }, []],
  [{ environment: "old" }, ["environment_archived", "environment", /"old" is archived/]],
] as const)("%j", (input, expected) => {
  const [code, field, message, ...secret] = expected;
  expect(told(input)).toEqual(
    code === undefined ? [] : [[code, field, expect.stringMatching(message ?? ""), ...secret]],
  );
});

it("tells of schedules without a time to come, and of repositories from which nothing can come", () => {
  expect(told(schedule({}), { status: "ended" })).toEqual([["never_fires", "triggers[0].every", expect.any(String)]]);
  const once = { triggers: [{ type: "schedule", at: "2026-12-05T09:00" }] };
  expect(told(once, { status: "ended" })).toEqual([]);
  const unseen = { unseen_repositories: ["acme/app"] };
  expect(told(github({}), unseen)).toEqual([["never_fires", "triggers[0]", "no pull_request can come from acme/app"]]);
});

it("knows every event that people choose among", () => {
  expect(GITHUB_CATEGORIES.map(({ event }) => event).filter((event) => !GITHUB_EVENTS.includes(event))).toEqual([]);
});

/** On how many days of 2027 either day field holds, counted by hand; null where every cron reads the expression as it is read here. */
it.each<[string, number | null]>([
  ["0 9 1-7 * */7", 124],
  ["0 0 */2 * 1", 211],
  ["0 9 1,15 * */3", 172],
  ["0 9 */5 2 mon", 9],
  ["0 9 */30 * fri", 69],
  ["0 9 13 * */5", 115],
  ["0 9 */10 * */2", 226],
  ["30 6 */3,15 * 1-5", 300],
  // One field says nothing: the other alone decides.
  ["0 9 * * */2", null],
  ["0 9 * * */7", null],
  ["0 9 */2 * *", null],
  ["0 9 */1 * 1", null],
  ["0 9 1 * */1", null],
  ["0 9 *,15 * 1", null],
  // Neither begins with a star: to all of them either field is enough.
  ["0 9 1 * 1", null],
  ["0 9 1-31/2 * mon-fri", null],
  ["0 9 15,*/10 * 1", null],
  ["0 9 1-7 * 0-6/7", null],
  ["0 9 L * fri#1", null],
  // The star is of another field.
  ["*/7 */2 1 */3 1", null],
])("of the days of %s warns: %j", (cron, days) => {
  const warnings = told(schedule({ every: undefined, cron }));
  const message = expect.stringMatching(
    new RegExp(`fires on about ${days} days of a year, where other crons want both`),
  );
  expect(warnings).toEqual(days === null ? [] : [["ambiguous_days", "triggers[0].cron", message]]);
});
