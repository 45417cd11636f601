/** What a run's row says of it, and which statuses keep a list fresh. */
import { expect, it } from "vitest";
import { NO_EVIDENCE, NO_USAGE, type Run } from "#protocol/run.ts";
import { runError } from "#protocol/run-errors.ts";
import { runStatuses, unsettledStatuses } from "#protocol/run-states.ts";
import { isActiveStatus, RUN_STATUS_LABELS, runHeadline, runLabel } from "#web/src/format/status.ts";
import { parseRoutineTab } from "#web/src/routines/routine-tab.ts";

const at = "2026-11-21T09:00:00.000Z";
const common = {
  id: "run_1",
  routine_id: "rtn_1",
  session_id: "session_1",
  routine: { name: "docs-sync", revision: 1, prompt: "Sync.", model: "claude-sonnet-5" },
  trigger: { type: "api", id: null, occurrence_id: "occ_1", summary: "Fired through the API" },
  pool: "default",
  attempt: 1,
  demo_model: false,
  usage: NO_USAGE,
  evidence: NO_EVIDENCE,
  cancel_requested_at: null,
  runner: null,
} as const;
const timings = { queued_at: at, starting_at: null, running_at: null, first_event_at: null, finished_at: null };
const settled = { ...common, timings: { ...timings, finished_at: at }, cancel_reason: null, error: null };

const queued: Run = {
  ...common,
  status: "queued",
  timings,
  result: null,
  summary: null,
  error: null,
  cancel_reason: null,
};
const cloneFailed = runError("clone_failed", "clone");
const failed: Run = { ...settled, status: "failed", result: "unknown", summary: null, error: cloneFailed };
const canceled: Run = {
  ...settled,
  status: "canceled",
  result: "unknown",
  summary: null,
  cancel_requested_at: at,
  cancel_reason: "superseded",
};

it.each<[string, Run, string]>([
  ["waits", queued, "Fired through the API"],
  ["succeeded", { ...settled, status: "succeeded", result: "done", summary: "Wrote two pages." }, "Wrote two pages."],
  [
    "succeeded without a word",
    { ...settled, status: "succeeded", result: "unknown", summary: null },
    "Fired through the API",
  ],
  ["failed", failed, cloneFailed.message],
  ["was canceled", canceled, "A newer run took its place."],
])("a run that %s has a headline of its own", (_case, run, headline) => {
  expect(runHeadline(run)).toBe(headline);
});

it("a status is active until the run has ended", () => {
  expect(runStatuses.filter(isActiveStatus)).toEqual(unsettledStatuses);
});

it("statuses are told apart by their words", () => {
  const words = runStatuses.map((status) => RUN_STATUS_LABELS[status].text);
  expect(new Set(words).size).toBe(runStatuses.length);
});

it.each([
  ["activity", { tab: "activity" }],
  ["occurrences", { tab: "activity" }],
  ["definition", { tab: "definition" }],
  ["runs", {}],
  ["elsewhere", {}],
  [undefined, {}],
  [["runs"], {}],
])("an address with the tab %s opens it", (value, search) => {
  expect(parseRoutineTab(value)).toEqual(search);
});

it("a run that no runner has taken yet is not starting: it waits", () => {
  const starting = { status: "starting", runner: null } as const;
  expect(runLabel(starting).text).toBe("Waits for a runner");
  expect(runLabel({ ...starting, runner: { id: "one" } as NonNullable<Run["runner"]> }).text).toBe("Starting");
  expect(runLabel({ status: "starting" }).text).toBe("Starting");
});
