/** The keys by which a wake is known to be a repeat. */
import { contentWindowMs, IDEMPOTENCY_WINDOW_MS, type Wake } from "#protocol/occurrence.ts";
import type { Tx } from "../work.ts";
import type { OccurrenceStore } from "./occurrences.ts";

interface KeyContext {
  occurrences: OccurrenceStore;
  tx: Tx;
}

/** Whether the event has come before, under either of its keys. */
export function isRepeat({ occurrences, tx }: KeyContext, event: Wake): boolean {
  const isIn = (key: string | null, windowMs: number) => {
    const earlier = key === null ? null : occurrences.findKey(keyOf(event, key));
    return earlier !== null && tx.nowMs - earlier.atMs < windowMs;
  };
  return isIn(event.dedupe_key, IDEMPOTENCY_WINDOW_MS) || isIn(event.content_key, contentWindowMs(event));
}

/** Both keys of a wake, as they are kept. */
export function keysOf(event: Wake): string[] {
  return [event.dedupe_key, event.content_key].flatMap((key) => (key === null ? [] : [keyOf(event, key)]));
}

/** Remembers both keys of a wake. */
export function keepKeys(context: KeyContext, event: Wake, occurrenceId: string): void {
  for (const key of [event.dedupe_key, event.content_key]) {
    if (key !== null) keepKey(context, event, key, occurrenceId);
  }
}

/** Remembers one key of a wake. */
export function keepKey({ occurrences, tx }: KeyContext, event: Wake, key: string, occurrenceId: string) {
  occurrences.keepKey(tx, keyOf(event, key), event.fingerprint, occurrenceId, IDEMPOTENCY_WINDOW_MS);
}

/** Each way to fire has keys of its own, so that whoever holds the routine's token can't use up the owner's keys. */
export function keyOf({ type, retry_of }: Wake, dedupeKey: string): string {
  return `${retry_of === undefined ? type : "retry"}:${dedupeKey}`;
}
