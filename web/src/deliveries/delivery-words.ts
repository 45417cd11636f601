/** Pure: deliveries, their sources and states, in words. */
import type { Delivery } from "#protocol/delivery.ts";
import type { EventSource } from "#protocol/source-event.ts";
import type { Label } from "../format/status.ts";

export const SOURCE_TEXTS: Record<EventSource, string> = {
  github: "GitHub",
  slack: "Slack",
  linear: "Linear",
  sentry: "Sentry",
  pagerduty: "PagerDuty",
  notion: "Notion",
  gitlab: "GitLab",
  pubsub: "Google Pub/Sub",
  "standard-webhooks": "Standard Webhooks",
  generic: "Any sender",
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

export const STATUS_OPTIONS = Object.entries(DELIVERY_STATUS_LABELS).map(([value, { text }]) => ({
  value: value as Delivery["status"],
  text,
}));
export const SOURCE_OPTIONS = Object.entries(SOURCE_TEXTS).map(([value, text]) => ({
  value: value as EventSource,
  text,
}));

export interface DeliveryFilters {
  source?: EventSource;
  status?: Delivery["status"];
  search?: string;
}

/** What an address says that is not known counts as not said. */
export function parseDeliveryFilters(given: Record<string, unknown>): DeliveryFilters {
  const source = SOURCE_OPTIONS.find(({ value }) => value === given["source"])?.value;
  const status = STATUS_OPTIONS.find(({ value }) => value === given["status"])?.value;
  const search = typeof given["search"] === "string" ? given["search"].trim() : "";
  return {
    ...(source === undefined ? {} : { source }),
    ...(status === undefined ? {} : { status }),
    ...(search === "" ? {} : { search }),
  };
}

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
