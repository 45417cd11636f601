/** What is written down of a delivery that has been handled. Pure. */
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { type HandledDelivery, HELD_BODY_BYTES, type StoredDelivery } from "../store/deliveries.ts";

export function ignoredOf({ id, event }: StoredDelivery, reason: string): HandledDelivery {
  return { id, status: "ignored", note: reason, event, action: null, summary: null, outcomes: [] };
}

export function handledOf(
  { id, sizeBytes }: StoredDelivery,
  { name, action, summary }: SourceEvent,
  outcomes: DeliveryOutcome[],
): HandledDelivery {
  const decided = outcomes.filter(({ outcome }) => outcome !== null);
  const isRepeat = decided.length > 0 && decided.every(({ outcome }) => outcome === "duplicate");
  const note = noteOf(outcomes, sizeBytes);
  return { id, status: isRepeat ? "duplicate" : "handled", note, event: name, action, summary, outcomes };
}

function noteOf(outcomes: readonly DeliveryOutcome[], sizeBytes: number): string | null {
  if (outcomes.length === 0) return "No trigger waits for it.";
  return sizeBytes > HELD_BODY_BYTES ? "Its payload is very large: filters saw the beginnings of its parts." : null;
}
