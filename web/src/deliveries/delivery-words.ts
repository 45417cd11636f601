/** Pure: deliveries, their sources and states, in words. */
import type { Delivery } from "#protocol/delivery.ts";
import type { EventSource } from "#protocol/source-event.ts";
import { SOURCE_TITLES } from "../format/sources.ts";
import type { Label } from "../format/status.ts";
import { DELIVERY_STATUSES, SOURCES } from "./delivery-filters.ts";

export const SOURCE_TEXTS: Record<EventSource, string> = {
  github: "GitHub",
  ...SOURCE_TITLES,
  event: "Internal event",
  routine: "Routine",
};

export const DELIVERY_STATUS_LABELS: Record<Delivery["status"], Label> = {
  stored: { text: "Not handled yet", tone: "active" },
  handled: { text: "Handled", tone: "success" },
  ignored: { text: "Ignored", tone: "neutral" },
  duplicate: { text: "Duplicate", tone: "neutral" },
  failed: { text: "Failed", tone: "danger" },
};

export const STATUS_OPTIONS = DELIVERY_STATUSES.map((value) => ({ value, text: DELIVERY_STATUS_LABELS[value].text }));
export const SOURCE_OPTIONS = SOURCES.map((value) => ({ value, text: SOURCE_TEXTS[value] }));

/** One line that says what came. */
export function deliveryLine({ summary, event, action, source }: Delivery): string {
  return summary ?? ([event, action].filter((word) => word !== null).join(" ") || `From ${SOURCE_TEXTS[source]}`);
}

/** What followed from it, all triggers together. */
export function whatFollowed({ outcomes, status, note }: Delivery): string {
  if (outcomes.length === 0) return note ?? (status === "handled" ? "No trigger waits for this." : "");
  const runs = new Set(outcomes.flatMap(({ run_id: id }) => (id === null ? [] : [id]))).size;
  const matched = outcomes.filter((outcome) => outcome.matched).length;
  if (runs > 0) return runs === 1 ? "Led to a run" : `Led to ${runs} runs`;
  if (matched > 0) return "Matched, and led to no run";
  return outcomes.length === 1 ? "Did not match its trigger" : `Matched none of ${outcomes.length} triggers`;
}
