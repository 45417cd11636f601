/** What the pages say that a routine does. */
import { expect, it } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { EMPTY_DRAFT } from "#web/src/editor/draft.ts";
import { inWords } from "#web/src/routines/in-words.ts";

function said(topic: string, given: object): string[] {
  const routine = { ...EMPTY_DRAFT, model: null, session_key: null, gate: null, ...given } as unknown as Routine;
  return inWords(routine).find((part) => part.topic === topic)?.sentences ?? [];
}
const trigger = (given: object) => ({ triggers: [{ id: "trg_1", status: "active", filters: [], ...given }] });
const schedule = (given: object) => trigger({ type: "schedule", timezone: "Asia/Tokyo", catch_up: "latest", ...given });
const LATE = "Of times that were missed, the newest is made up for.";
const APP = { url: "https://github.com/acme/app", push: "prefix" };
const FILTERS = [
  { field: "level", operator: "is_one_of", value: ["fatal", "error"] },
  { field: "env", operator: "equals", value: "prod" },
];

it.each<[string, object, string[]]>([
  ["When", {}, ["Nothing starts it by itself: “Run now” does, and its fire endpoint with a token."]],
  ["When", trigger({ type: "api" }), ["It starts when its fire endpoint is called with its token."]],
  ["When", schedule({ every: "daily" }), [`It starts each day at 09:00, in the time of Asia/Tokyo. ${LATE}`]],
  [
    "When",
    schedule({ cron: "0 9 * * 1" }),
    [`It starts at the times of “0 9 * * 1”, in the time of Asia/Tokyo. ${LATE}`],
  ],
  [
    "When",
    schedule({ every: "weekdays", jitter: "5m", catch_up: "none" }),
    [
      "It starts on Monday to Friday at 09:00, in the time of Asia/Tokyo. It may be up to 5m later. A time that was missed is not made up for.",
    ],
  ],
  [
    "When",
    schedule({ every: "monthly", day: 3, catch_up: "all" }),
    [
      "It starts on day 3 of each month at 09:00, in the time of Asia/Tokyo. Times that were missed are made up for, the newest 24.",
    ],
  ],
  [
    "When",
    schedule({ at: "2026-12-05T09:00", status: "ended" }),
    ["It starts once, at 2026-12-05 09:00, in the time of Asia/Tokyo. That time has passed."],
  ],
  [
    "When",
    trigger({ type: "github", event: "pull_request", actions: ["opened", "synchronize"], allow_public: true }),
    ["It starts at GitHub's pull_request (opened or synchronize) in its repositories. Strangers may start it."],
  ],
  [
    "When",
    trigger({ type: "webhook", source: "sentry", events: ["issue.created"], filters: FILTERS }),
    ["It starts when Sentry sends issue.created, if level is one of fatal, error and env equals prod."],
  ],
  [
    "When",
    trigger({ type: "event", name: "file.changed", coalesce: { key: "path", window: "30s" }, status: "unreachable" }),
    [
      "It starts when the event file.changed is sent. All that come of one path are one run, 30s after the last of them. As it stands, nothing of that can come.",
    ],
  ],
  [
    "When",
    trigger({ type: "routine", routine: "Writer", on: ["succeeded"], result: ["nothing_to_do", "done"] }),
    ["It starts when a run of Writer ends as succeeded with the result nothing to do or done."],
  ],
  [
    "When",
    { ...trigger({ type: "api" }), gate: { connector: "linear", tool: "list_issues", when: "count > 0" } },
    [
      "It starts when its fire endpoint is called with its token.",
      "Of what comes by itself it asks list_issues of linear first, and starts only if count > 0.",
    ],
  ],
  ["Where", {}, ["A run works in the environment default, without a repository."]],
  [
    "Where",
    { repositories: [{ ...APP, branch: "next" }], environment: "ci", runs_on: "pool:gpu" },
    [
      "A run works with acme/app (next), in the environment ci, on runners of the pool gpu.",
      "It may push branches that begin with claude/.",
    ],
  ],
  [
    "Where",
    { repositories: [APP, { url: "https://github.com/acme/docs", push: "none" }] },
    [
      "A run works with acme/app and acme/docs, in the environment default.",
      "It may push branches to acme/app that begin with claude/.",
      "It may push nothing to acme/docs.",
    ],
  ],
  ["Sessions", {}, ["Each run has a session of its own."]],
  [
    "Sessions",
    {
      session: "keyed",
      session_key: "{{github.number}}",
      context_from: [
        { routine: "self", last: 1 },
        { routine: "Writer", last: 3 },
      ],
    },
    [
      "Runs go on in one session as long as {{github.number}} is the same.",
      "A run is told of its own last run and the last 3 runs of Writer.",
    ],
  ],
  ["At once", { overlap: "skip" }, ["While a run is on, whatever comes is skipped, and its record says so."]],
  [
    "Limits",
    { limits: { ...EMPTY_DRAFT.limits, budget_usd: 5 } },
    [
      "A run ends after 60m or 200 turns.",
      "People have 24h to answer what it asks; its sandbox is kept 5m for them.",
      "A run waits once it has cost $5.",
    ],
  ],
  [
    "Failures",
    { retry: { max: 0, backoff: "30s" }, limits: { ...EMPTY_DRAFT.limits, failures: 0 } },
    ["A run that fails is not tried again by itself.", "However often it fails, it goes on."],
  ],
  ["Connectors", {}, ["Its runs use no connector."]],
  [
    "Connectors",
    { connectors: ["slack", { name: "linear", tools: { deny: ["delete_*"], read_only: true } }] },
    [
      "Its runs may use all tools of slack.",
      "Its runs may use some tools of linear: not delete_*; only what changes nothing.",
    ],
  ],
  ["Tools", {}, ["Every call of a tool is let through."]],
  [
    "Tools",
    { tools: { allow: ["Bash(git push:*)", "Read"], deny: ["WebFetch"], ask: ["Edit", "Write"] } },
    ["Only Bash(git push:*) and Read may be used.", "Refused: WebFetch.", "A person is asked first: Edit and Write."],
  ],
  ["Told", {}, ["Nobody is told of it beside those whom the instance's own rules name."]],
  [
    "Told",
    { notify: [{ on: ["failed", "missed"], webhook: "https://hooks.example" }] },
    ["1 rule of its own, beside the instance's: somebody is told when it fails or misses its time."],
  ],
])("%s: %j", (topic, given, sentences) => {
  expect(said(topic, given)).toEqual(sentences);
});
