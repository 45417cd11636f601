/** Takes a wake in: asks admission at once, or has it wait for the gate, or join a run that waits for more like it. */
import { composed } from "#protocol/characters.ts";
import { contentWindowMs, IDEMPOTENCY_WINDOW_MS, type Occurrence, type Wake } from "#protocol/occurrence.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { durationMs } from "#protocol/time.ts";
import type { FilteredTrigger } from "#protocol/triggers.ts";
import { type GateVerdict, QUEUE_LIMIT } from "#rules/admission.ts";
import { findField } from "#rules/filters/field-lookup.ts";
import { FilterBudget } from "#rules/filters/filter-budget.ts";
import { withOccurrence } from "#rules/run/named-occurrences.ts";
import { sha256Hex } from "#rules/sha256.ts";
import type { CoalesceUnder } from "#rules/triggers/coalesce-under.ts";
import { gateInForce } from "#rules/wake-gate/gate-in-force.ts";
import type { RunRow } from "../runs/run-store.ts";
import type { AdmissionContext } from "./admission-context.ts";
import { type Admitted, admit, NO_GATE, recordJoined, recordOnly } from "./admit.ts";
import type { GatedWake, GatedWakes } from "./gated-wakes.ts";
import { joined } from "./joined-text.ts";
import { isRepeat, keyOf, keysOf } from "./wake-keys.ts";

/** Without a `max_wait` a run takes no more events after this many windows. */
const WINDOWS_AT_MOST = 10;
const COALESCE_KEY_LENGTH = 1_000;
/** Keys by which an offer of a source is known that is made again: see `Wakes`. */
export const OFFER = "offer:";

/** @param offerKey by which it is known when it is offered again. @returns null for what waits for the gate. */
export function takeIn(
  context: AdmissionContext,
  gated: GatedWakes,
  wake: Wake,
  under: CoalesceUnder | null = null,
  offerKey: string | null = null,
): Occurrence | null {
  const { routine, tx } = context;
  // Where the gate was taken away it comes after what waits still, which is decided in a moment.
  const hasToWait = gateInForce(routine) !== null || (routine.status === "active" && gated.waiting().count > 0);
  if (!hasToWait || isRepeat(context, wake)) return admitOrJoin(context, under, wake, NO_GATE);
  const keys = keysOf(wake);
  const { dedupe_key, content_key } = wake;
  const same = dedupe_key === null ? null : gated.find(keyOf(wake, dedupe_key));
  const alike = content_key === null ? null : gated.find(keyOf(wake, content_key), tx.nowMs - contentWindowMs(wake));
  const waiting = same ?? alike;
  if (waiting !== null) {
    gated.alias(tx, waiting, keys);
    return recordOnly(context, wake, { outcome: "duplicate", reason: same === null ? "same_event" : "same_delivery" });
  }
  if (gated.waiting().count >= QUEUE_LIMIT) {
    return recordOnly(context, wake, { outcome: "refused", reason: "queue_full" });
  }
  gated.hold(tx, routine.id, wake, under, offerKey === null ? keys : [...keys, offerKey]);
  return null;
}

/** The gate has answered for something that has waited. @param gate null where it is asked no more. */
export function decide(
  context: AdmissionContext,
  gated: GatedWakes,
  { seq, wake, coalesce, cameAt }: GatedWake,
  gate: GateVerdict | null,
): void {
  const { tx, occurrences } = context;
  const own = keysOf(wake);
  const others = gated.keysOf(seq).filter((key) => !own.includes(key));
  gated.drop(tx, seq);
  const occurrence = admitOrJoin(context, coalesce, wake, gate ?? NO_GATE);
  if (occurrence === null) return;
  const isFirst = occurrence.outcome !== "refused" && occurrence.outcome !== "duplicate";
  for (const key of isFirst ? own : []) {
    // They count from when it came: what has the same body may have happened again while it waited.
    occurrences.keepKey(tx, key, wake.fingerprint, occurrence.id, IDEMPOTENCY_WINDOW_MS, cameAt);
  }
  for (const key of others) {
    // What is refused may come again, but for an offer that is made again: that is the same one.
    const isKept = key.startsWith(OFFER) || occurrence.outcome !== "refused";
    if (isKept && occurrences.findKey(key) === null) {
      occurrences.keepKey(tx, key, wake.fingerprint, occurrence.id, IDEMPOTENCY_WINDOW_MS);
    }
  }
}

/** With which others an event waits for one run; null where its trigger does not say so. */
export function coalesceOf(trigger: FilteredTrigger, event: SourceEvent, fired: Wake): CoalesceUnder | null {
  const coalesce = trigger.type === "routine" ? undefined : trigger.coalesce;
  if (coalesce === undefined) return null;
  // Once for a trigger, to its end: what was looked at in part would be one with others.
  const looking = new FilterBudget(Number.POSITIVE_INFINITY);
  const found = coalesce.key === undefined ? "" : composed(JSON.stringify(findField(event, coalesce.key, looking)));
  const windowMs = durationMs(coalesce.window);
  return {
    trigger_id: trigger.id,
    // The field may be a whole payload, which is too long for a key: cut, it would be that of others that begin like it.
    key: ofSession(fired) + (found.length <= COALESCE_KEY_LENGTH ? found : `sha256:${sha256Hex(found)}`),
    window_ms: windowMs,
    most_ms: coalesce.max_wait === undefined ? windowMs * WINDOWS_AT_MOST : durationMs(coalesce.max_wait),
  };
}

function admitOrJoin(
  context: AdmissionContext,
  under: CoalesceUnder | null,
  fired: Wake,
  gate: GateVerdict,
): Occurrence | null {
  if (under === null || gate.is !== "open") return admit(context, fired, null, null, gate).occurrence;
  const { tx, coalesced, runs, routine } = context;
  const open = coalesced.find(under.trigger_id, under.key);
  const row = open === null ? null : runs.get(open.runId);
  const isOpen = row !== null && isCoalescing(row, tx.nowMs) && routine.status !== "paused";
  if (open !== null && isOpen && !isRepeat(context, fired)) {
    return join(context, row, fired, Math.min(tx.nowMs + under.window_ms, open.endsAtMs));
  }
  return openCoalescing(context, under, fired).occurrence;
}

function openCoalescing(context: AdmissionContext, under: CoalesceUnder, fired: Wake): Admitted {
  const { nowMs } = context.tx;
  const admitted = admit(context, fired, { notBeforeMs: nowMs + under.window_ms });
  const { answer, occurrence } = admitted;
  if (answer.ok && occurrence?.reason === "coalesced") {
    const opened = { runId: answer.value.run_id, endsAtMs: nowMs + under.most_ms };
    context.coalesced.open(context.tx, under.trigger_id, under.key, opened);
  }
  return admitted;
}

function join(context: AdmissionContext, row: RunRow, fired: Wake, notBeforeMs: number): Occurrence {
  const occurrence = recordJoined(context, fired, row.id);
  const doc = { ...row.doc, trigger: withOccurrence(row.doc.trigger, occurrence.id, fired.depth) };
  const { text, said } = joined(row.text, fired);
  const checkout = fired.checkout ?? row.checkout;
  context.engine.join(context.tx, row, { doc, text, checkout, said, notBeforeMs });
  return occurrence;
}

function isCoalescing({ status, notBefore, doc }: RunRow, nowMs: number): boolean {
  return status === "queued" && notBefore > nowMs && doc.attempt === 1 && doc.cancel_reason === null;
}

/** Events of several sessions wait for no run together. */
function ofSession({ session_key: made }: Wake): string {
  return made === undefined ? "" : JSON.stringify(made);
}
