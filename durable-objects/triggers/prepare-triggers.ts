/** A routine's triggers as they are written become those that it keeps: checked, with ids. Pure. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Trigger, TriggerInput } from "#protocol/triggers.ts";
import { filtersFault } from "./filter-rules.ts";
import { resolveAt, scheduleFault } from "./schedule-rules.ts";

/**
 * A trigger that is written again, by its id or as it was, keeps its id, and with it its endpoint and what its schedule
 * has claimed; so does one that changes, where it is known by its kind.
 * @param makeId draws an id for a new trigger.
 * @returns refusal `invalid_request` that names the first field at fault.
 */
export function prepareTriggers(
  inputs: readonly TriggerInput[],
  before: readonly Trigger[],
  makeId: () => string,
  nowMs: number,
): Result<Trigger[]> {
  const kept = [...before];
  const take = (matches: (trigger: Trigger) => boolean): Trigger | undefined => {
    const index = kept.findIndex(matches);
    return index === -1 ? undefined : kept.splice(index, 1)[0];
  };
  const plain = inputs.map(withoutShown);
  const byId = plain.map(({ id }) => (id === undefined ? undefined : take((trigger) => trigger.id === id)));
  const same = plain.map((input, place) => byId[place] ?? take((trigger) => textOf(trigger) === textOf(input)));
  const alike = plain.map(
    (input, place) =>
      same[place] ?? (input.id === undefined ? take((one) => kindOf(one) === kindOf(input)) : undefined),
  );
  const triggers: Trigger[] = [];
  for (const [place, input] of plain.entries()) {
    const earlier = alike[place];
    const isNew = earlier === undefined || textOf(earlier) !== textOf(input);
    const fault = isNew ? faultOf(input, nowMs) : null;
    if (fault !== null) {
      const field = `triggers[${place}].${fault.field}`;
      const { message } = fault;
      return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] });
    }
    triggers.push({ ...resolved(input, nowMs), id: earlier?.id ?? makeId() });
  }
  return success(triggers);
}

type Plain = Omit<TriggerInput, "next_fire_times" | "status" | "endpoint" | "unseen_repositories">;

/** What a routine's triggers are shown with may be sent back; it says nothing. */
function withoutShown({
  next_fire_times: _times,
  status: _status,
  endpoint: _endpoint,
  unseen_repositories: _unseen,
  ...input
}: TriggerInput): TriggerInput {
  return input satisfies Plain as TriggerInput;
}

/** Everything but the id, as one text. */
function textOf(trigger: TriggerInput | Trigger): string {
  const { id: _id, ...rest } = trigger;
  const entries = Object.entries(rest).filter(([, value]) => value !== undefined);
  return JSON.stringify(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** By what a person would know the trigger again after a change. */
function kindOf(trigger: TriggerInput | Trigger): string {
  switch (trigger.type) {
    case "webhook":
      return `webhook ${trigger.source}`;
    case "github":
      return `github ${trigger.event}`;
    case "event":
      return `event ${trigger.name}`;
    case "routine":
      return `routine ${trigger.routine}`;
    default:
      return trigger.type;
  }
}

function faultOf(input: TriggerInput, nowMs: number): { field: string; message: string } | null {
  if (input.type === "schedule") return scheduleFault(input, nowMs, { refusePast: true });
  return "filters" in input ? filtersFault(input.filters) : null;
}

/** A delay counts from when it was written. */
function resolved(input: TriggerInput, nowMs: number): TriggerInput {
  if (input.type !== "schedule" || input.at === undefined || !/^in\s/i.test(input.at)) return input;
  return { ...input, at: resolveAt(input.at, input.timezone, nowMs) };
}
