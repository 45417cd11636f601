/** Pure: what narrows the list of deliveries, as its address has it. Every page loads this: it knows no words. */
import type { Delivery } from "#protocol/delivery.ts";
import type { EventSource } from "#protocol/source-event.ts";

export interface DeliveryFilters {
  source?: EventSource;
  status?: Delivery["status"];
  search?: string;
}

/** In the order in which they are offered. */
export const SOURCES = keysOf<EventSource>({
  github: true,
  slack: true,
  telegram: true,
  discord: true,
  linear: true,
  jira: true,
  sentry: true,
  pagerduty: true,
  grafana: true,
  datadog: true,
  notion: true,
  gitlab: true,
  bitbucket: true,
  stripe: true,
  pubsub: true,
  "standard-webhooks": true,
  generic: true,
  event: true,
  routine: true,
});
export const DELIVERY_STATUSES = keysOf<Delivery["status"]>({
  stored: true,
  handled: true,
  ignored: true,
  duplicate: true,
  failed: true,
});

/** The compiler sees to it that none is missing. */
function keysOf<Key extends string>(all: Record<Key, true>): Key[] {
  return Object.keys(all) as Key[];
}

/** What an address says that is not known counts as not said. */
export function parseDeliveryFilters(given: Record<string, unknown>): DeliveryFilters {
  const source = SOURCES.find((value) => value === given["source"]);
  const status = DELIVERY_STATUSES.find((value) => value === given["status"]);
  const search = typeof given["search"] === "string" ? given["search"].trim() : "";
  return {
    ...(source === undefined ? {} : { source }),
    ...(status === undefined ? {} : { status }),
    ...(search === "" ? {} : { search }),
  };
}
