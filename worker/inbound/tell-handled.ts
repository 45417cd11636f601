/** The log's lines of deliveries that have been handled. */
import { logEvent } from "#protocol/log.ts";
import type { HandledDelivery, StoredDelivery } from "../store/deliveries.ts";

/** @param handled what became of each; for one that is not among them there is no line. */
export function tellHandled(
  deliveries: readonly Pick<StoredDelivery, "id" | "triggerId" | "source">[],
  handled: readonly Pick<HandledDelivery, "id" | "status" | "outcomes">[],
): void {
  const became = new Map(handled.map((one) => [one.id, one]));
  for (const { id, triggerId, source } of deliveries) {
    const { status, outcomes } = became.get(id) ?? {};
    if (status === undefined || outcomes === undefined) continue;
    logEvent("delivery_handled", {
      delivery_id: id,
      trigger_id: triggerId,
      source,
      status,
      triggers: outcomes.length,
      occurrences: different(outcomes.map(({ occurrence_id }) => occurrence_id)),
      runs: different(outcomes.map(({ run_id }) => run_id)),
    });
  }
}

function different(ids: readonly (string | null)[]): number {
  return new Set(ids.filter((id) => id !== null)).size;
}
