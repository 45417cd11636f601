/** What people are told of routines that have another form than routines have: the field, what was found, what is wanted, the nearest word. */
import { expect, it } from "vitest";
import { routineInputSchema } from "#protocol/routine.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";

function told(body: unknown): string[] {
  const parsed = routineInputSchema.safeParse(body);
  if (parsed.success) return [];
  const { issues = [] } = schemaRefusal(routineInputSchema, body, parsed.error);
  return issues.map(({ field, message }) => `${field}: ${message}`);
}

const ROUTINE = { name: "r", prompt: "p" };
const TAG = "has a name that can't be: must be 1 to 64 letters, digits, dots, dashes and underscores";

function event(name: string) {
  return { ...ROUTINE, triggers: [{ type: "event", name }] };
}

function webhookEvent(name: string) {
  return { ...ROUTINE, triggers: [{ type: "webhook", source: "generic", events: [name] }] };
}

const TABLE: [unknown, string[]][] = [
  ["text", ["body: must be an object, not a text"]],
  [null, ["body: must be an object, not null"]],
  [[], ["body: must be an object, not a list"]],
  [{}, ["name: is required", "prompt: is required"]],
  [{ name: 5, prompt: "p" }, ["name: must be a text, not a number"]],
  [{ name: "", prompt: "p" }, ["name: must not be empty"]],
  [{ name: "x".repeat(90), prompt: "p" }, ["name: must have at most 80 characters, and has 90"]],
  [{ name: "r", prompt: null }, ["prompt: must be a text, not null"]],
  [{ ...ROUTINE, model: "a b" }, ['model: must be a model\'s name, not "a b"']],
  [{ ...ROUTINE, repositories: "x" }, ["repositories: must be a list, not a text"]],
  [
    { ...ROUTINE, repositories: [{ url: "github.com/a/b" }] },
    [
      'repositories[0].url: must be an http(s) address, for example "https://github.com/acme/app", not "github.com/a/b"',
    ],
  ],
  [
    { ...ROUTINE, repositories: [{ url: "git@github.com:a/b.git" }] },
    [
      'repositories[0].url: must be an http(s) address, for example "https://github.com/acme/app", not "git@github.com:a/b.git"',
    ],
  ],
  [
    { ...ROUTINE, repositories: [{ url: "https://me:canary-1@github.com/a/b" }] },
    ["repositories[0].url: must not contain a user name or password; credentials belong in GIT_CREDENTIALS"],
  ],
  [
    { ...ROUTINE, repositories: [{ url: "ssh://me:canary-1@github.com/a/b" }] },
    [
      'repositories[0].url: must be an http(s) address, for example "https://github.com/acme/app"',
      "repositories[0].url: must not contain a user name or password; credentials belong in GIT_CREDENTIALS",
    ],
  ],
  [
    { ...ROUTINE, repositories: [{ url: "https://GitHub.com/a/b", branch: "a..b" }] },
    [
      'repositories[0].url: must be written plainly (lower-case host, no spaces, backslashes, escapes in the host or dot segments), not "https://GitHub.com/a/b"',
      'repositories[0].branch: must be a valid branch name, not "a..b"',
    ],
  ],
  [
    { ...ROUTINE, repositories: [{ url: "https://github.com/a/b", push: "prefx" }] },
    ['repositories[0].push: must be one of prefix, any, none, not "prefx"; did you mean "prefix"?'],
  ],
  [
    { ...ROUTINE, overlap: "paralel" },
    [
      'overlap: must be one of parallel, queue, queue_latest, skip, cancel_running, not "paralel"; did you mean "parallel"?',
    ],
  ],
  [
    { ...ROUTINE, overlap: 3 },
    ["overlap: must be one of parallel, queue, queue_latest, skip, cancel_running, not a number"],
  ],
  [{ ...ROUTINE, max_concurrent: 0 }, ["max_concurrent: must be at least 1, not 0"]],
  [{ ...ROUTINE, max_concurrent: 1.5 }, ["max_concurrent: must be a whole number, not 1.5"]],
  [{ ...ROUTINE, max_concurrent: "5" }, ["max_concurrent: must be a number, not a text"]],
  [
    { ...ROUTINE, runs_on: "gpu" },
    ['runs_on: must be "default" or "pool:" with the name of a pool, for example "pool:gpu", not "gpu"'],
  ],
  [{ ...ROUTINE, variables: { A: 5 } }, ["variables.A: must be a text, not a number"]],
  [
    { ...ROUTINE, variables: { "1A": "x" } },
    [
      "variables.1A: has a name that can't be: must be 1 to 64 letters, digits and underscores, and not begin with a digit",
    ],
  ],
  [
    { ...ROUTINE, limits: { timeout: "60" } },
    ['limits.timeout: must be a number and a unit (ms, s, m, h, d), for example "30s" or "60m", not "60"'],
  ],
  [{ ...ROUTINE, limits: { timeout: "90h" } }, ['limits.timeout: must be from 1s to 24h, not "90h"']],
  [{ ...ROUTINE, variables: { A: "canary-\0" } }, ["variables.A: must be text without null characters"]],
  [{ ...ROUTINE, limits: { timout: "60m" } }, ['limits.timout: is not a known key; did you mean "timeout"?']],
  [{ ...ROUTINE, limits: { budget_usd: 0 } }, ["limits.budget_usd: must be more than 0, not 0"]],
  [{ ...ROUTINE, tools: { deny: "Bash" } }, ["tools.deny: must be a list, not a text"]],
  [{ ...ROUTINE, context_from: [{ routine: "self", last: 50 }] }, ["context_from[0].last: must be at most 10, not 50"]],
  [{ ...ROUTINE, retry: { max: 50 } }, ["retry.max: must be at most 10, not 50"]],
  [
    { ...ROUTINE, notify: [{ on: ["faild"], webhook: "https://x.example" }] },
    [
      'notify[0].on[0]: must be one of failed, waiting, budget, blocked, recovered, succeeded, missed, paused, quiet; did you mean "failed"?',
    ],
  ],
  [
    { ...ROUTINE, notify: [{ on: ["failed"] }] },
    ["notify[0]: must have one of webhook, slack, telegram, discord and email"],
  ],
  [{ ...ROUTINE, tags: { "a b": "x" } }, [`tags["a b"]: ${TAG}`]],
  [
    { ...ROUTINE, tags: { "": "x", "a\u202eb": "x", "a.b[0]\u0000": "x" } },
    [`tags[""]: ${TAG}`, `tags["a\\u202eb"]: ${TAG}`, `tags["a.b[0]\\u0000"]: ${TAG}`],
  ],
  [{ ...ROUTINE, name: "🚨".repeat(80), prompt: "🚨".repeat(200_000) }, []],
  [{ ...ROUTINE, name: "🚨".repeat(81) }, ["name: must have at most 80 characters, and has 81"]],
  [{ ...ROUTINE, name: "\u200b" }, ["name: must have a character that can be seen"]],
  [{ ...ROUTINE, tags: { env: "é".repeat(256) } }, []],
  [event("🚨".repeat(200)), []],
  [event("e\u0301 👨‍👩‍👧"), []],
  [event("🚨".repeat(201)), ["triggers[0].name: must have at most 200 characters, and has 201"]],
  [event("  "), ["triggers[0].name: must not be empty"]],
  [event("\u200b\u2060"), ["triggers[0].name: must have a character that can be seen"]],
  [event("\u3164"), ["triggers[0].name: must have a character that can be seen"]],
  [event("a\u0000b"), ["triggers[0].name: must be one line without control characters"]],
  [event("a\nb"), ["triggers[0].name: must be one line without control characters"]],
  [event("a\u2028b"), ["triggers[0].name: must be one line without control characters"]],
  [event("\u202ex"), ["triggers[0].name: must have no character that hides or turns others round"]],
  [event("a\u200bb"), ["triggers[0].name: must have no character that hides or turns others round"]],
  [webhookEvent("  "), ["triggers[0].events[0]: must not be empty"]],
  [webhookEvent("\u200b"), ["triggers[0].events[0]: must have a character that can be seen"]],
  [webhookEvent("a\u0000b"), ["triggers[0].events[0]: must be one line without control characters"]],
  [webhookEvent("a\\u0000b"), []],
  [event("a\ud83d"), ["triggers[0].name: must be well-formed Unicode"]],
  [{ ...ROUTINE, tags: [] }, ["tags: must be an object, not a list"]],
  [{ ...ROUTINE, triggers: {} }, ["triggers: must be a list, not an object"]],
  [
    { ...ROUTINE, triggers: [{}] },
    ["triggers[0].type: is required: api, schedule, github, webhook, routine, event, watch"],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "schedul" }] },
    [
      'triggers[0].type: must be one of api, schedule, github, webhook, routine, event, watch, not "schedul"; did you mean "schedule"?',
    ],
  ],
  [
    { ...ROUTINE, triggers: [{ type: 5 }] },
    ["triggers[0].type: must be one of api, schedule, github, webhook, routine, event, watch, not a number"],
  ],
  [{ ...ROUTINE, triggers: [{ type: "schedule" }] }, ["triggers[0]: must have exactly one of cron, every and at"]],
  [
    { ...ROUTINE, triggers: [{ type: "schedule", every: "day" }] },
    ['triggers[0].every: must be one of hourly, daily, weekdays, weekly, monthly, not "day"; did you mean "daily"?'],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "schedule", every: "daily", time: "9" }] },
    ['triggers[0].time: must be a time of day, for example "09:07", not "9"'],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "schedule", every: "weekly", weekday: "mon" }] },
    [
      'triggers[0].weekday: must be one of monday, tuesday, wednesday, thursday, friday, saturday, sunday, not "mon"; did you mean "monday"?',
    ],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "schedule", cron: "* * * * *", timezone: "Europe/Pariss" }] },
    [
      'triggers[0].timezone: must be an IANA time zone, for example "Europe/Paris", not "Europe/Pariss"; did you mean "Europe/Paris"?',
    ],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "schedule", every: "daily", catch_up: "last" }] },
    ['triggers[0].catch_up: must be one of none, latest, all, not "last"; did you mean "latest"?'],
  ],
  [{ ...ROUTINE, triggers: [{ type: "github" }] }, ["triggers[0].event: is required"]],
  [
    { ...ROUTINE, triggers: [{ type: "github", event: "Pull Request" }] },
    ['triggers[0].event: must be the name of a GitHub event, for example "pull_request", not "Pull Request"'],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "github", event: "push", actions: "opened" }] },
    ["triggers[0].actions: must be a list, not a text"],
  ],
  [
    {
      ...ROUTINE,
      triggers: [{ type: "github", event: "push", filters: [{ field: "a", operator: "equal", value: 1 }] }],
    },
    [
      'triggers[0].filters[0].operator: must be one of equals, contains, starts_with, is_one_of, is_not_one_of, matches_regex, exists, not "equal"; did you mean "equals"?',
    ],
  ],
  [
    {
      ...ROUTINE,
      triggers: [{ type: "github", event: "push", filters: [{ field: "a", operator: "equals", value: [1] }] }],
    },
    ["triggers[0].filters[0].value: must be a text or a number or true or false, not a list"],
  ],
  [
    {
      ...ROUTINE,
      triggers: [{ type: "github", event: "push", filters: [{ field: "a", operator: "is_one_of", value: "x" }] }],
    },
    ["triggers[0].filters[0].value: must be a list, not a text"],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "github", event: "push", filters: [{ operator: "exists" }] }] },
    ["triggers[0].filters[0].field: is required"],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "github", event: "push", filters: [{ field: "a", operator: "equals" }] }] },
    ["triggers[0].filters[0].value: is required"],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "github", event: "push", allow_public: "yes" }] },
    ["triggers[0].allow_public: must be true or false, not a text"],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "webhook", source: "sentri" }] },
    [
      'triggers[0].source: must be one of slack, telegram, discord, linear, jira, sentry, pagerduty, grafana, datadog, notion, gitlab, bitbucket, stripe, pubsub, standard-webhooks, generic, not "sentri"; did you mean "sentry"?',
    ],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "webhook", source: "generic", auth: { kind: "hmca" } }] },
    ['triggers[0].auth.kind: must be one of hmac, bearer, not "hmca"; did you mean "hmac"?'],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "routine", routine: "x", on: ["success"] }] },
    [
      'triggers[0].on[0]: must be one of succeeded, failed, timed_out, canceled, failing, recovered, quiet, not "success"; did you mean "succeeded"?',
    ],
  ],
  [
    { ...ROUTINE, triggers: [{ type: "routine", routine: "x", result: ["ok"] }] },
    ['triggers[0].result[0]: must be one of done, nothing_to_do, blocked, unknown, not "ok"'],
  ],
  [{ ...ROUTINE, triggers: [{ type: "event" }] }, ["triggers[0].name: is required"]],
  [
    { ...ROUTINE, triggers: [{ type: "event", name: "x", coalesce: { windw: "5s" } }] },
    [
      "triggers[0].coalesce.window: is required",
      'triggers[0].coalesce.windw: is not a known key; did you mean "window"?',
    ],
  ],
];

it.each(TABLE)("%j", (body, expected) => {
  expect(told(body)).toEqual(expected);
});

it("tells of a long body at fault in many places what fits on a page", () => {
  const triggers = Array.from({ length: 100 }, () => ({ type: "schedul" }));
  expect(told({ ...ROUTINE, triggers })).toHaveLength(50);
});
