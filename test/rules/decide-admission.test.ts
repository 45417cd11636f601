/** Admission: every overlap policy against a free, a busy and a queued routine, and the keys of repeated requests. */
import { describe, expect, it } from "vitest";
import { ALIKE_WINDOW_MS, IDEMPOTENCY_WINDOW_MS, type Occurrence } from "#protocol/occurrence.ts";
import type { Overlap } from "#protocol/routine.ts";
import {
  type AdmissionFacts,
  type AdmissionVerdict,
  decideAdmission,
  freePlaces,
  placesOf,
  QUEUE_LIMIT,
  type Superseded,
} from "#rules/admission.ts";
import { NOW_MS } from "./support/run-states.ts";

const FREE: AdmissionFacts = {
  event: { type: "api", fingerprint: "same" },
  isPaused: false,
  hasPausedItself: false,
  hasModel: true,
  isBudgetSpent: false,
  overlap: "parallel",
  maxConcurrent: 2,
  earlier: null,
  alike: null,
  coalescing: 0,
  isCoalescing: false,
  isKeyed: false,
  session: "new",
  active: 0,
  queued: 0,
  gate: "open",
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
const started: AdmissionVerdict = { outcome: "started", reason: "admitted" };
const full: AdmissionVerdict = { outcome: "queue_full" };
const skipped: AdmissionVerdict = { outcome: "skipped", reason: "overlap_skip" };

function waits(
  reason: "session_busy" | "at_max_concurrent" | "overlap_queue" | "overlap_queue_latest" | "overlap_cancel_running",
) {
  return (supersedes: Superseded): AdmissionVerdict => ({ outcome: "queued", reason, supersedes });
}
const atMax = waits("at_max_concurrent")("nobody");
const queue = waits("overlap_queue")("nobody");
const latest = waits("overlap_queue_latest")("queued");
const cancels = waits("overlap_cancel_running")("all");

type Row = [sentence: string, overlap: Overlap, active: number, queued: number, verdict: AdmissionVerdict];

const OVERLAP_ROWS: Row[] = [
  ["parallel starts a run in a free routine", "parallel", 0, 0, started],
  ["parallel starts a second run beside the first while there is a place", "parallel", 1, 0, started],
  ["parallel queues when all places are taken", "parallel", 2, 0, atMax],
  ["parallel queues behind those that wait already", "parallel", 2, 1, atMax],
  ["parallel starts a run beside a retry that waits for its time", "parallel", 1, 1, started],
  ["parallel takes one more when there is room for one", "parallel", 2, QUEUE_LIMIT - 1, atMax],
  ["parallel refuses what would not fit into the queue", "parallel", 2, QUEUE_LIMIT, full],
  ["queue starts a run in a free routine", "queue", 0, 0, started],
  ["queue runs one at a time, whatever max_concurrent says", "queue", 1, 0, queue],
  ["queue keeps all that wait", "queue", 1, 2, queue],
  ["queue refuses what would not fit", "queue", 1, QUEUE_LIMIT, full],
  ["queue_latest starts a run in a free routine", "queue_latest", 0, 0, started],
  ["queue_latest waits for the run that is on", "queue_latest", 1, 0, latest],
  ["queue_latest takes the place of those that wait, not of the one that is on", "queue_latest", 1, 1, latest],
  ["queue_latest has room in a full queue, which it empties", "queue_latest", 1, QUEUE_LIMIT, latest],
  ["skip starts a run in a free routine", "skip", 0, 0, started],
  ["skip drops what comes while a run is on", "skip", 1, 0, skipped],
  ["skip drops what comes while a run waits", "skip", 0, 1, skipped],
  ["skip drops what comes to a full queue", "skip", 1, QUEUE_LIMIT, skipped],
  ["cancel_running starts a run in a free routine", "cancel_running", 0, 0, started],
  ["cancel_running waits until the run that is on has stopped", "cancel_running", 1, 0, cancels],
  ["cancel_running cancels those that wait as well", "cancel_running", 1, 2, cancels],
  ["cancel_running has room in a full queue, which it empties", "cancel_running", 1, QUEUE_LIMIT, cancels],
];

describe("decideAdmission", () => {
  it.each(OVERLAP_ROWS)("%s", (_sentence, overlap, active, queued, verdict) => {
    expect(decideAdmission({ ...FREE, overlap, active, queued })).toEqual(verdict);
  });

  it.each<[string, Overlap, AdmissionVerdict]>([
    ["parallel does not wait for a retry whose time has not come", "parallel", started],
    ["queue does not wait for it either", "queue", started],
    ["skip drops what comes while a run waits for its retry: it has not ended", "skip", skipped],
    ["queue_latest takes the place of a run that waits for its retry", "queue_latest", latest],
    ["cancel_running cancels a run that waits for its retry", "cancel_running", cancels],
  ])("%s", (_sentence, overlap, verdict) => {
    expect(decideAdmission({ ...FREE, overlap, queued: 1 })).toEqual(verdict);
  });

  it.each([
    ["a paused routine refuses a fire", { isPaused: true }, "refused", "routine_paused"],
    [
      "a routine that has paused itself says so",
      { isPaused: true, hasPausedItself: true },
      "refused",
      "paused_after_failures",
    ],
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
    ["a spent monthly budget starts nothing", { isBudgetSpent: true }, "refused", "budget"],
    [
      "a spent monthly budget does not start run now either",
      { isBudgetSpent: true, event: { type: "manual", fingerprint: "" } },
      "refused",
      "budget",
    ],
    ["paused is said before the missing model", { isPaused: true, hasModel: false }, "refused", "routine_paused"],
    [
      "run now is skipped like any other occurrence",
      { overlap: "skip", active: 1, event: { type: "manual", fingerprint: "" } },
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
    ["a repeat is answered when the queue is full", { earlier: justNow, active: 2, queued: QUEUE_LIMIT }, duplicate],
    ["a repeat does not count as skipped", { earlier: justNow, overlap: "skip", active: 1 }, duplicate],
    ["a repeat cancels nothing", { earlier: justNow, overlap: "cancel_running", active: 1 }, duplicate],
    ["a reused key is refused while paused", { earlier: other, isPaused: true }, reused],
    ["a body that came just now is the same event", { alike: justNow }, { ...duplicate, reason: "same_event" }],
    ["a body counts for minutes", { alike: { ...justNow, atMs: NOW_MS - ALIKE_WINDOW_MS } }, started],
    [
      "a body that is said once counts as long as a key",
      { event: { ...FREE.event, content_once: true }, alike: { ...justNow, atMs: NOW_MS - IDEMPOTENCY_WINDOW_MS + 1 } },
      { ...duplicate, reason: "same_event" },
    ],
    [
      "and no longer",
      { event: { ...FREE.event, content_once: true }, alike: { ...justNow, atMs: NOW_MS - IDEMPOTENCY_WINDOW_MS } },
      started,
    ],
    ["the key is asked before the body", { earlier: justNow, alike: justNow }, duplicate],
  ])("%s", (_sentence, facts, verdict) => {
    expect(decideAdmission({ ...FREE, ...facts })).toEqual(verdict);
  });
});

describe("events that wait for more", () => {
  it.each<[string, Partial<AdmissionFacts>, AdmissionVerdict]>([
    ["count in the queue's limit, also while places are free", { isCoalescing: true, queued: QUEUE_LIMIT }, full],
    [
      "that have not ended are nothing that a run is skipped for",
      { overlap: "skip", queued: 2, coalescing: 2 },
      started,
    ],
    [
      "fill the queue also under a policy that makes room: they stay",
      { isCoalescing: true, overlap: "queue_latest", active: 1, queued: QUEUE_LIMIT, coalescing: QUEUE_LIMIT },
      full,
    ],
    [
      "take the place of those that wait in a full queue",
      { isCoalescing: true, overlap: "queue_latest", active: 1, queued: QUEUE_LIMIT, coalescing: 3 },
      latest,
    ],
    [
      "cancel what is on, also where the queue is full",
      { isCoalescing: true, overlap: "cancel_running", active: 1, queued: QUEUE_LIMIT },
      cancels,
    ],
    [
      "are skipped while a run is on, also where the queue is full",
      { isCoalescing: true, overlap: "skip", active: 1, queued: QUEUE_LIMIT },
      skipped,
    ],
    [
      "are refused by a full queue where nobody makes way",
      { isCoalescing: true, overlap: "queue", active: 1, queued: QUEUE_LIMIT },
      full,
    ],
    ["do not hide a run that waits", { overlap: "skip", queued: 3, coalescing: 2 }, skipped],
    ["that have not ended hold up no other", { overlap: "queue", queued: 1, coalescing: 1 }, started],
  ])("%s", (_sentence, facts, verdict) => {
    expect(decideAdmission({ ...FREE, ...facts })).toEqual(verdict);
  });
});

describe("events of a keyed routine", () => {
  const busy = waits("session_busy")("nobody");
  const given: AdmissionVerdict = { outcome: "given", reason: "given_to_run" };

  it.each<[string, Partial<AdmissionFacts>, AdmissionVerdict]>([
    ["start beside those of other keys, whatever the policy", { overlap: "queue", active: 1 }, started],
    ["start beside a run of another key that waits for its retry", { overlap: "skip", queued: 1 }, started],
    ["start in a session whose runs have ended", { session: "ended", active: 1 }, started],
    ["wait for a place of max_concurrent", { overlap: "cancel_running", active: 2 }, atMax],
    ["find the queue full", { active: 2, queued: QUEUE_LIMIT }, full],
    ["go to the run that is on", { session: "open" }, given],
    ["go to it also where the queue is full", { session: "open", queued: QUEUE_LIMIT }, given],
    ["wait for more of their kind and go to no run", { session: "open", isCoalescing: true }, busy],
    ["wait behind a run that takes nothing", { session: "busy" }, busy],
    ["wait behind it only as long as there is room", { session: "busy", queued: QUEUE_LIMIT }, full],
    ["have runs of their own under queue", { overlap: "queue", session: "open" }, busy],
    ["take the place of those that wait under queue_latest", { overlap: "queue_latest", session: "open" }, latest],
    ["are skipped under skip", { overlap: "skip", session: "open" }, skipped],
    ["are skipped also behind a run that takes nothing", { overlap: "skip", session: "busy" }, skipped],
    ["cancel the session's run under cancel_running", { overlap: "cancel_running", session: "busy" }, cancels],
    ["wake a run that waits for a message", { session: "silent" }, given],
    ["wake it under skip", { overlap: "skip", session: "silent" }, given],
    ["wake it under cancel_running", { overlap: "cancel_running", session: "silent" }, given],
    ["wake it when they wait for more of their kind", { session: "silent", isCoalescing: true }, given],
    [
      "are refused while it is paused",
      { session: "open", isPaused: true },
      { outcome: "refused", reason: "routine_paused" },
    ],
  ])("%s", (_sentence, facts, verdict) => {
    expect(decideAdmission({ ...FREE, isKeyed: true, ...facts })).toEqual(verdict);
  });

  it.each<[string, Partial<AdmissionFacts>, AdmissionVerdict]>([
    ["waits for the session's run to end, whatever the policy", { isKeyed: true, overlap: "skip" }, busy],
    ["waits so also in a routine without keys", { overlap: "cancel_running" }, busy],
    ["is bounded by the queue as everything is", { queued: QUEUE_LIMIT }, full],
  ])("a person's message %s", (_sentence, facts, verdict) => {
    const event = { type: "message", fingerprint: "" } as const;
    expect(decideAdmission({ ...FREE, event, session: "busy", ...facts })).toEqual(verdict);
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
    expect(placesOf({ overlap, maxConcurrent: 7, isKeyed: false })).toBe(places);
    expect(placesOf({ overlap, maxConcurrent: 7, isKeyed: true })).toBe(7);
  });
});

describe("freePlaces", () => {
  it.each<[string, Overlap, number, number]>([
    ["of a free routine are all", "parallel", 0, 3],
    ["are those that nobody holds", "parallel", 1, 2],
    ["of a busy routine are none", "parallel", 3, 0],
    ["of a queue are one", "queue", 0, 1],
    ["of a queue whose run is on are none", "queue", 1, 0],
    ["are none while more are on than allowed, after max_concurrent was lowered", "parallel", 9, 0],
  ])("%s", (_sentence, overlap, active, free) => {
    expect(freePlaces({ overlap, maxConcurrent: 3, isKeyed: false, active })).toBe(free);
  });
});
