/** Admission: every overlap policy against a free, a busy and a queued routine, and the keys of repeated requests. */
import { describe, expect, it } from "vitest";
import {
  type AdmissionFacts,
  type AdmissionVerdict,
  choosePromotions,
  decideAdmission,
  placesOf,
  QUEUE_LIMIT,
} from "#durable-objects/decide-admission.ts";
import type { Overlap } from "#protocol/routine.ts";
import { IDEMPOTENCY_WINDOW_MS, type Occurrence } from "#protocol/trigger-event.ts";
import { NOW_MS } from "./support/run-states.ts";

const FREE: AdmissionFacts = {
  event: { type: "api", fingerprint: "same" },
  isPaused: false,
  hasModel: true,
  overlap: "parallel",
  maxConcurrent: 2,
  earlier: null,
  active: [],
  queued: [],
  nowMs: NOW_MS,
};
const KEY = "0ABCDEFGHJKMNPQRSTVWXYZ012";
const BEFORE: Occurrence = {
  id: `occ_${KEY}`,
  routine_id: `rtn_${KEY}`,
  at: "2026-11-21T08:00:00.000Z",
  trigger: { type: "api", id: null, summary: "Fired through the API" },
  outcome: "started",
  reason: "admitted",
  run_id: `run_${KEY}`,
};
const FULL = Array.from({ length: QUEUE_LIMIT }, (_, index) => `run_${index}`);

/** Runs that may start as soon as there is a place. */
function waiting(ids: string[]) {
  return ids.map((id) => ({ id, notBeforeMs: 0 }));
}

const started: AdmissionVerdict = { outcome: "started", reason: "admitted" };
const full: AdmissionVerdict = { outcome: "queue_full" };
const skipped: AdmissionVerdict = { outcome: "skipped", reason: "overlap_skip" };

function waits(reason: "at_max_concurrent" | "overlap_queue" | "overlap_queue_latest" | "overlap_cancel_running") {
  return (...supersedes: string[]): AdmissionVerdict => ({ outcome: "queued", reason, supersedes });
}
const atMax = waits("at_max_concurrent");
const queue = waits("overlap_queue");
const latest = waits("overlap_queue_latest");
const cancels = waits("overlap_cancel_running");

type Row = [sentence: string, overlap: Overlap, active: string[], queued: string[], verdict: AdmissionVerdict];

const OVERLAP_ROWS: Row[] = [
  ["parallel starts a run in a free routine", "parallel", [], [], started],
  ["parallel starts a second run beside the first while there is a place", "parallel", ["a"], [], started],
  ["parallel queues when all places are taken", "parallel", ["a", "b"], [], atMax()],
  ["parallel queues behind those that wait already", "parallel", ["a", "b"], ["c"], atMax()],
  ["parallel does not overtake a queue that is about to move", "parallel", ["a"], ["c"], atMax()],
  ["parallel refuses what would not fit into the queue", "parallel", ["a", "b"], FULL, full],
  ["queue starts a run in a free routine", "queue", [], [], started],
  ["queue runs one at a time, whatever max_concurrent says", "queue", ["a"], [], queue()],
  ["queue keeps all that wait", "queue", ["a"], ["b", "c"], queue()],
  ["queue refuses what would not fit", "queue", ["a"], FULL, full],
  ["queue_latest starts a run in a free routine", "queue_latest", [], [], started],
  ["queue_latest waits for the run that is on", "queue_latest", ["a"], [], latest()],
  [
    "queue_latest takes the place of those that wait, not of the one that is on",
    "queue_latest",
    ["a"],
    ["b"],
    latest("b"),
  ],
  ["queue_latest has room in a full queue, which it empties", "queue_latest", ["a"], FULL, latest(...FULL)],
  ["skip starts a run in a free routine", "skip", [], [], started],
  ["skip drops what comes while a run is on", "skip", ["a"], [], skipped],
  ["skip drops what comes while a run waits", "skip", [], ["a"], skipped],
  ["skip drops what comes to a full queue", "skip", ["a"], FULL, skipped],
  ["cancel_running starts a run in a free routine", "cancel_running", [], [], started],
  ["cancel_running waits until the run that is on has stopped", "cancel_running", ["a"], [], cancels("a")],
  ["cancel_running cancels those that wait as well", "cancel_running", ["a"], ["b", "c"], cancels("b", "c", "a")],
  ["cancel_running has room in a full queue, which it empties", "cancel_running", ["a"], FULL, cancels(...FULL, "a")],
];

describe("decideAdmission", () => {
  it.each(OVERLAP_ROWS)("%s", (_sentence, overlap, active, queued, verdict) => {
    expect(decideAdmission({ ...FREE, overlap, active, queued: waiting(queued) })).toEqual(verdict);
  });

  it.each<[string, Overlap, AdmissionVerdict]>([
    ["parallel does not wait for a retry whose time has not come", "parallel", started],
    ["queue does not wait for it either", "queue", started],
    ["skip drops what comes while a run waits for its retry: it has not ended", "skip", skipped],
    ["queue_latest takes the place of a run that waits for its retry", "queue_latest", latest("retry")],
    ["cancel_running cancels a run that waits for its retry", "cancel_running", cancels("retry")],
  ])("%s", (_sentence, overlap, verdict) => {
    const queued = [{ id: "retry", notBeforeMs: NOW_MS + 1 }];
    expect(decideAdmission({ ...FREE, overlap, queued })).toEqual(verdict);
  });

  it.each([
    ["a paused routine refuses a fire", { isPaused: true }, "refused", "routine_paused"],
    [
      "a paused routine lets run now in",
      { isPaused: true, event: { type: "manual", fingerprint: "" } },
      "started",
      "admitted",
    ],
    ["without a model nothing starts", { hasModel: false }, "refused", "model_not_configured"],
    [
      "without a model run now does not start either",
      { hasModel: false, event: { type: "manual", fingerprint: "" } },
      "refused",
      "model_not_configured",
    ],
    ["paused is said before the missing model", { isPaused: true, hasModel: false }, "refused", "routine_paused"],
    [
      "run now is skipped like any other occurrence",
      { overlap: "skip", active: ["a"], event: { type: "manual", fingerprint: "" } },
      "skipped",
      "overlap_skip",
    ],
  ] as const)("%s", (_sentence, facts, outcome, reason) => {
    expect(decideAdmission({ ...FREE, ...facts })).toEqual({ outcome, reason });
  });

  const duplicate: AdmissionVerdict = { outcome: "duplicate", reason: "same_idempotency_key", of: BEFORE };
  const reused: AdmissionVerdict = { outcome: "refused", reason: "idempotency_key_reused" };
  const justNow = { occurrence: BEFORE, fingerprint: "same", atMs: NOW_MS - 1 };
  const lastMoment = { ...justNow, atMs: NOW_MS - IDEMPOTENCY_WINDOW_MS + 1 };
  const expired = { ...justNow, atMs: NOW_MS - IDEMPOTENCY_WINDOW_MS };
  const other = { ...justNow, fingerprint: "other" };

  it.each<[string, Partial<AdmissionFacts>, AdmissionVerdict]>([
    ["the same key with the same body is the same occurrence", { earlier: justNow }, duplicate],
    ["a key counts until its 24 hours are over", { earlier: lastMoment }, duplicate],
    ["a key that is 24 hours old is free again", { earlier: expired }, started],
    ["an expired key is free for another body too", { earlier: { ...expired, fingerprint: "other" } }, started],
    ["the same key with another body is refused", { earlier: other }, reused],
    ["a repeat is answered while the routine is paused", { earlier: justNow, isPaused: true }, duplicate],
    ["a repeat is answered when the model key is gone", { earlier: justNow, hasModel: false }, duplicate],
    [
      "a repeat is answered when the queue is full",
      { earlier: justNow, active: ["a", "b"], queued: waiting(FULL) },
      duplicate,
    ],
    [
      "a retry that waits for its time holds nobody up",
      { active: ["a"], queued: [{ id: "b", notBeforeMs: NOW_MS + 1 }] },
      started,
    ],
    ["a repeat does not count as skipped", { earlier: justNow, overlap: "skip", active: ["a"] }, duplicate],
    ["a repeat cancels nothing", { earlier: justNow, overlap: "cancel_running", active: ["a"] }, duplicate],
    ["a reused key is refused while paused", { earlier: other, isPaused: true }, reused],
  ])("%s", (_sentence, facts, verdict) => {
    expect(decideAdmission({ ...FREE, ...facts })).toEqual(verdict);
  });
});

describe("placesOf", () => {
  it.each<[Overlap, number]>([
    ["parallel", 7],
    ["queue", 1],
    ["queue_latest", 1],
    ["skip", 1],
    ["cancel_running", 1],
  ])("%s of max_concurrent 7 has %i", (overlap, places) => {
    expect(placesOf({ overlap, maxConcurrent: 7 })).toBe(places);
  });
});

describe("choosePromotions", () => {
  const ready = (id: string) => ({ id, notBeforeMs: 0 });
  const later = { id: "later", notBeforeMs: NOW_MS + 1 };

  it.each<[string, Overlap, number, { id: string; notBeforeMs: number }[], string[]]>([
    ["nobody waits", "parallel", 0, [], []],
    ["all places are taken", "parallel", 3, [ready("a")], []],
    [
      "the oldest go first, as many as there are places",
      "parallel",
      1,
      [ready("a"), ready("b"), ready("c")],
      ["a", "b"],
    ],
    ["one place of a queue", "queue", 0, [ready("a"), ready("b")], ["a"]],
    ["a queue whose run is on", "queue", 1, [ready("a")], []],
    ["a retry that waits holds nobody up", "queue", 0, [later, ready("b")], ["b"]],
    [
      "a retry whose moment has come goes in its turn",
      "queue",
      0,
      [{ id: "a", notBeforeMs: NOW_MS }, ready("b")],
      ["a"],
    ],
    ["only a retry that waits", "parallel", 0, [later], []],
    ["more on than allowed, after max_concurrent was lowered", "parallel", 9, [ready("a")], []],
  ])("%s", (_sentence, overlap, activeCount, queued, chosen) => {
    expect(choosePromotions({ overlap, maxConcurrent: 3, activeCount, queued, nowMs: NOW_MS })).toEqual(chosen);
  });
});
