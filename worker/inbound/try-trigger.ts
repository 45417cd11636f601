/** Tries a trigger that need not be saved on what has come lately. Nothing is fired, and nothing is written. */
import type { PageRequest } from "#protocol/api.ts";
import type { Delivery } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { TRIED_DELIVERIES, type TriggerTrial } from "#protocol/trigger-preview.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { judgeTrigger } from "#rules/triggers/judge-trigger.ts";
import type { DeliveryStore } from "../store/deliveries.ts";
import type { DeliveryLists } from "../store/delivery-lists.ts";
import type { Inbox } from "./inbox.ts";

/** Among so many deliveries of its source those are looked for that the trigger could wait for. */
const LOOKED_THROUGH = 100;

export interface TrialParts {
  deliveries: Pick<DeliveryStore, "read">;
  deliveryLists: Pick<DeliveryLists, "list">;
  inbox: Pick<Inbox, "read" | "incoming">;
}

export interface TriedRoutine {
  /** Of a routine that is not saved yet it is one that nothing has. */
  id: string;
  repositories: readonly { url: string }[];
}

type Listening = Extract<Trigger, { type: "github" | "webhook" | "event" }>;

/** @returns refusal for a trigger that no delivery comes to. */
export async function tryTrigger(
  parts: TrialParts,
  trigger: Trigger,
  routine: TriedRoutine,
): Promise<Result<TriggerTrial[]>> {
  if (trigger.type !== "github" && trigger.type !== "webhook" && trigger.type !== "event") {
    const message = `trigger.type: nothing is delivered to a trigger of type ${trigger.type}; it must be github, webhook or event`;
    return refuse("invalid_request", { field: "trigger.type", message });
  }
  const page: PageRequest = { limit: LOOKED_THROUGH, cursor: null };
  const source = trigger.type === "webhook" ? trigger.source : trigger.type;
  const { data } = await parts.deliveryLists.list({ source }, page);
  const trials: TriggerTrial[] = [];
  // One after the other: the bodies of all would not fit into memory.
  for (const delivery of data.filter((one) => isLookedAt(one, trigger))) {
    if (trials.length === TRIED_DELIVERIES) break;
    const trial = await trialOf(parts, trigger, routine, delivery);
    if (trial !== null) trials.push(trial);
  }
  return success(trials);
}

/** GitHub tells of many things: those of other events would say nothing of the trigger's filters. */
function isLookedAt({ event, trigger_id, status }: Delivery, trigger: Listening): boolean {
  if (status === "duplicate") return false;
  if (trigger.type === "webhook") return trigger_id === trigger.id;
  return event === (trigger.type === "github" ? trigger.event : trigger.name);
}

/** @returns null for a delivery that is gone, or says nothing that could be judged. */
async function trialOf(
  { deliveries, inbox }: TrialParts,
  trigger: Listening,
  routine: TriedRoutine,
  { id, received_at }: Delivery,
): Promise<TriggerTrial | null> {
  const stored = await deliveries.read(id);
  const reading = stored === null ? null : await inbox.read(stored);
  if (stored === null || reading?.kind !== "event") return null;
  const event = await inbox.incoming(stored, reading.event, id);
  const judged = judgeTrigger(trigger, event, { ...routine, repositoryIds: new Map() });
  if (judged === null) return null;
  const { name, action, summary } = event;
  const { matched, why, filters, objection } = judged;
  const starts = matched && objection === null;
  return { delivery_id: id, received_at, event: name, action, summary, matched, starts, why, filters };
}
