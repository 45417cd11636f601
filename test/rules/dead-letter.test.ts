/** What of all that comes to nothing is kept to be fired again. */
import { expect, it } from "vitest";
import { type Occurrence, outcomeReasonSchema, type Wake } from "#protocol/occurrence.ts";
import type { ListedRun } from "#protocol/run.ts";
import { runStatuses } from "#protocol/run-states.ts";
import { isDeadOccurrence, isDeadRun } from "#rules/routine/dead-letter.ts";

const isDead = (reason: string, wake: Partial<Wake> = {}) =>
  isDeadOccurrence({ reason } as Occurrence, { type: "schedule", ...wake } as Wake);

it("is what could have been a run at another time", () => {
  expect(outcomeReasonSchema.options.filter((reason) => isDead(reason))).toEqual([
    "gate_failed",
    "routine_paused",
    "paused_after_failures",
    "model_not_configured",
    "budget",
    "queue_full",
    "slot_missed",
    "catch_up_limit",
  ]);
});

it.each<[boolean, Partial<Wake>]>([
  [true, { type: "github" }],
  [true, { type: "routine" }],
  [false, { type: "api" }],
  [false, { type: "manual" }],
  [false, { type: "message" }],
  [false, { type: "github", retry_of: "run_1" }],
  [false, { type: "github", again_of: "occ_1" }],
])("is %s where nobody was told by an answer: %o", (isKept, wake) => {
  expect(isDead("routine_paused", wake)).toBe(isKept);
});

it("is a run that failed for good before the model was called", () => {
  const run = (status: string, model_calls: number) => ({ status, evidence: { model_calls } }) as ListedRun;
  expect(runStatuses.filter((status) => isDeadRun(run(status, 0)))).toEqual(["failed"]);
  expect(isDeadRun(run("failed", 1))).toBe(false);
});
