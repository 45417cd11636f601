/** Pure: what came to a routine, from two lists that are read page by page: what could start a run, and what did not match. */
import type { Delivery, DeliveryOutcome } from "#protocol/delivery.ts";
import type { Occurrence } from "#protocol/occurrence.ts";

export type ActivityItem =
  /** `deliveryId` is of the request that brought it, where it is among those that were read. */
  | { kind: "occurrence"; at: string; occurrence: Occurrence; deliveryId: string | null }
  | { kind: "unmatched"; at: string; delivery: Delivery; outcomes: DeliveryOutcome[] };

/** One list as far as it was read, the newest first. */
interface Read<Item> {
  items: readonly Item[];
  hasMore: boolean;
}

/** The newest first, and only as far back as both lists reach: what is older may still get something before it. */
export function activityOf(id: string, occurrences: Read<Occurrence>, deliveries: Read<Delivery>): ActivityItem[] {
  const broughtBy = new Map(
    deliveries.items.flatMap((delivery) =>
      delivery.outcomes.flatMap(({ occurrence_id: occurrence }) =>
        occurrence === null ? [] : [[occurrence, delivery.id] as const],
      ),
    ),
  );
  const came = occurrences.items.map(
    (occurrence): ActivityItem => ({
      kind: "occurrence",
      at: occurrence.at,
      occurrence,
      deliveryId: broughtBy.get(occurrence.id) ?? null,
    }),
  );
  const unmatched = deliveries.items.flatMap((delivery): ActivityItem[] => {
    const outcomes = delivery.outcomes.filter(({ routine_id: routine }) => routine === id);
    const isToldElsewhere =
      outcomes.length === 0 || outcomes.some(({ occurrence_id: occurrence }) => occurrence !== null);
    return isToldElsewhere ? [] : [{ kind: "unmatched", at: delivery.received_at, delivery, outcomes }];
  });
  const reach = Math.max(
    reachOf(occurrences, ({ at }) => at),
    reachOf(deliveries, ({ received_at: at }) => at),
  );
  return [...came, ...unmatched]
    .filter(({ at }) => Date.parse(at) >= reach)
    .sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/** Which list has to be read further to reach back: the one that ends at the later time. */
export function shorterOf(
  occurrences: Read<Occurrence>,
  deliveries: Read<Delivery>,
): "occurrences" | "deliveries" | null {
  const reaches = {
    occurrences: reachOf(occurrences, ({ at }) => at),
    deliveries: reachOf(deliveries, ({ received_at: at }) => at),
  };
  if (!occurrences.hasMore && !deliveries.hasMore) return null;
  return reaches.occurrences >= reaches.deliveries ? "occurrences" : "deliveries";
}

/** How far back a list was read. */
function reachOf<Item>({ items, hasMore }: Read<Item>, at: (item: Item) => string): number {
  const last = items.at(-1);
  if (!hasMore) return Number.NEGATIVE_INFINITY;
  return last === undefined ? Number.POSITIVE_INFINITY : Date.parse(at(last));
}
