/** What the pages of deliveries read. */
import { queryOptions } from "@tanstack/react-query";
import * as api from "../client/generated.ts";
import { listQuery } from "../queries.ts";
import type { DeliveryFilters } from "./delivery-filters.ts";

const LIST_MS = 10_000;
const ONE_MS = 15_000;

export function deliveriesQuery(filters: DeliveryFilters) {
  return listQuery(
    ["deliveries", filters],
    (page, signal) => api.listDeliveries({ ...filters, ...page }, { signal }),
    () => LIST_MS,
  );
}

/** Those that a trigger of the routine has looked at. */
export function routineDeliveriesQuery(id: string) {
  return listQuery(
    ["deliveries", "of", id],
    (page, signal) => api.listDeliveries({ routine: id, ...page }, { signal }),
    () => LIST_MS,
  );
}

export function deliveryQuery(id: string) {
  return queryOptions({
    queryKey: ["delivery", id],
    queryFn: ({ signal }) => api.readDelivery(id, { signal }),
    refetchInterval: ONE_MS,
  });
}
