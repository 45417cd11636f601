/** What the pages say of a trigger, and of where a run came from. */
import { describe, expect, it } from "vitest";
import type { Trigger } from "#protocol/triggers.ts";
import { originTerms } from "#web/src/format/origin.ts";
import { type ShownTrigger, triggerLine, triggerTerms } from "#web/src/format/triggers.ts";

const schedule = { id: "trg_1", type: "schedule", timezone: "Europe/Paris", catch_up: "latest" } as const;
const github: Extract<Trigger, { type: "github" }> = {
  id: "trg_1",
  type: "github",
  event: "pull_request",
  filters: [],
  allow_public: false,
  allow_self: false,
};

function shown(trigger: Trigger): ShownTrigger {
  return { ...trigger, status: "active", next_fire_times: [], endpoint: null };
}

describe("a trigger's line", () => {
  it.each<[string, Trigger]>([
    ["A call of the fire endpoint with the routine's token", { id: "trg_1", type: "api" }],
    ["0 10 * * 1, Europe/Paris", { ...schedule, cron: "0 10 * * 1" }],
    ["Each hour at :00, Europe/Paris", { ...schedule, every: "hourly" }],
    ["Each hour at :07, Europe/Paris", { ...schedule, every: "hourly", minute: 7 }],
    ["Each day at 09:00, Europe/Paris", { ...schedule, every: "daily" }],
    ["Monday to Friday at 09:07, Europe/Paris", { ...schedule, every: "weekdays", time: "09:07" }],
    ["Each Monday at 09:00, Europe/Paris", { ...schedule, every: "weekly" }],
    ["Each Sunday at 09:00, Europe/Paris", { ...schedule, every: "weekly", weekday: "sunday" }],
    ["Day 28 of each month at 09:00, Europe/Paris", { ...schedule, every: "monthly", day: 28 }],
    ["Once, 2026-12-05T09:00, Europe/Paris", { ...schedule, at: "2026-12-05T09:00" }],
    ["pull_request", github],
    ["pull_request: opened or ready_for_review", { ...github, actions: ["opened", "ready_for_review"] }],
    ["Sentry", { id: "trg_1", type: "webhook", source: "sentry", filters: [] }],
    ["Slack: app_mention", { id: "trg_1", type: "webhook", source: "slack", events: ["app_mention"], filters: [] }],
    [
      "A run of docs-writer ends as succeeded or timed out",
      { id: "trg_1", type: "routine", routine: "docs-writer", on: ["succeeded", "timed_out"] },
    ],
    [
      "docs-writer is failing or quiet",
      { id: "trg_1", type: "routine", routine: "docs-writer", on: ["failing", "quiet"] },
    ],
    [
      "docs-writer is quiet, or a run of it ends as failed",
      { id: "trg_1", type: "routine", routine: "docs-writer", on: ["failed", "quiet"] },
    ],
    ["file.changed", { id: "trg_1", type: "event", name: "file.changed", filters: [] }],
  ])("is: %s", (line, trigger) => {
    expect(triggerLine(shown(trigger))).toBe(line);
  });
});

describe("what narrows a trigger", () => {
  it.each<[string[], Trigger]>([
    [[], { id: "trg_1", type: "api" }],
    [["catch_up: latest"], { ...schedule, every: "daily" }],
    [["catch_up: latest", "up to 5m later"], { ...schedule, every: "daily", jitter: "5m" }],
    [[], { ...schedule, at: "2026-12-05T09:00" }],
    [["strangers may start runs", "its own pushes wake it too"], { ...github, allow_public: true, allow_self: true }],
    [
      ["base_branch equals main", "labels is not one of wip, blocked", "body is there", "number is not there"],
      {
        ...github,
        filters: [
          { field: "base_branch", operator: "equals", value: "main" },
          { field: "labels", operator: "is_not_one_of", value: ["wip", "blocked"] },
          { field: "body", operator: "exists", value: true },
          { field: "number", operator: "exists", value: false },
        ],
      },
    ],
    [
      ["one run for all of one data.issue.id, 60s after its last"],
      {
        id: "trg_1",
        type: "webhook",
        source: "sentry",
        filters: [],
        coalesce: { key: "data.issue.id", window: "60s" },
      },
    ],
    [
      ["one run for all, 5s after its last"],
      { id: "trg_1", type: "event", name: "file.changed", filters: [], coalesce: { window: "5s" } },
    ],
    [
      ["with the result done or nothing to do"],
      { id: "trg_1", type: "routine", routine: "a", on: ["succeeded"], result: ["done", "nothing_to_do"] },
    ],
  ])("is: %j", (terms, trigger) => {
    expect(triggerTerms(shown(trigger))).toEqual(terms);
  });
});

it.each([
  [{}, []],
  [{ depth: 0, occurrence_ids: ["occ_1"] }, []],
  [{ depth: 1 }, ["after 1 other run"]],
  [{ depth: 8, occurrence_ids: ["occ_1", "occ_2"] }, ["2 events", "after 8 other runs"]],
])("a run's origin %j is told as %j", (known, terms) => {
  const trigger = { type: "event" as const, id: "trg_1", occurrence_id: "occ_1", summary: "Event a" };
  expect(originTerms({ ...trigger, ...known })).toEqual(terms);
});
