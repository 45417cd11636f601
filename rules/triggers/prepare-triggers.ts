/** A routine's triggers as they are written become those that it keeps: checked, with ids. Pure. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { ScheduleTrigger, Trigger, TriggerInput } from "#protocol/triggers.ts";
import { filtersFaults } from "../filters/judge-filters.ts";
import { resolveAt, scheduleFault } from "../schedules/schedule.ts";

/**
 * A trigger that is written again, by its id or as it was, keeps its id, and with it its endpoint and what its schedule
 * has claimed; so does one that changes, where it is known by its kind.
 * @param makeId draws an id for a new trigger.
 * @returns refusal `invalid_request` that names every field at fault.
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
  const byId = plain.map((input) =>
    input.id === undefined ? undefined : take((one) => one.id === input.id && sourceOf(one) === sourceOf(input)),
  );
  const same = plain.map((input, place) => byId[place] ?? take((trigger) => isSame(trigger, input)));
  const alike = plain.map(
    (input, place) =>
      same[place] ?? (input.id === undefined ? take((one) => kindOf(one) === kindOf(input)) : undefined),
  );
  const triggers: Trigger[] = [];
  const issues: { field: string; message: string }[] = [];
  for (const [place, input] of plain.entries()) {
    const earlier = alike[place];
    if (earlier !== undefined && isSame(earlier, input)) {
      triggers.push(earlier);
      continue;
    }
    const faults = faultsOf(input, earlier, nowMs);
    for (const { field, message } of faults) issues.push({ field: `triggers[${place}].${field}`, message });
    if (faults.length > 0) continue;
    triggers.push({ ...resolved(input, earlier, nowMs), id: earlier?.id ?? makeId() });
  }
  const [first] = issues;
  if (first === undefined) return success(triggers);
  return refuse("invalid_request", { message: `${first.field}: ${first.message}`, field: first.field, issues });
}

type Plain = Omit<TriggerInput, "next_fire_times" | "status" | "endpoint" | "unseen_repositories" | "look">;

/** Leaves out the keys with which triggers are only shown: they may be sent back, and mean nothing. */
function withoutShown({
  next_fire_times: _times,
  status: _status,
  endpoint: _endpoint,
  unseen_repositories: _unseen,
  look: _look,
  ...input
}: TriggerInput): TriggerInput {
  if (input.type !== "schedule") return input satisfies Plain as TriggerInput;
  const { at_written: _written, ...schedule } = input;
  return schedule;
}

/** Whether a trigger is written as it was: with the time that a delay became, or with the delay. */
function isSame(trigger: Trigger, input: TriggerInput): boolean {
  const written = textOf(input);
  if (textOf(trigger) === written) return true;
  return trigger.type === "schedule" && trigger.at_written !== undefined && textOf(asWritten(trigger)) === written;
}

function asWritten(trigger: ScheduleTrigger): ScheduleTrigger {
  return { ...trigger, at: trigger.at_written };
}

/** Everything but the id, as one text. */
function textOf(trigger: TriggerInput | Trigger): string {
  const { id: _id, ...rest } = trigger;
  const entries = Object.entries(rest).filter(([key, value]) => value !== undefined && key !== "at_written");
  return JSON.stringify(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** A trigger keeps its id only while its source is the same, because an endpoint's secret belongs to the source. */
function sourceOf(trigger: TriggerInput | Trigger): string {
  return trigger.type === "webhook" ? `webhook ${trigger.source}` : trigger.type;
}

/** By what a person would know the trigger again after a change. */
function kindOf(trigger: TriggerInput | Trigger): string {
  switch (trigger.type) {
    case "webhook":
      return `${sourceOf(trigger)} ${JSON.stringify([trigger.auth, trigger.pubsub])}`;
    case "github":
      return `github ${trigger.event}`;
    case "event":
      return `event ${trigger.name}`;
    case "routine":
      return `routine ${trigger.routine}`;
    case "watch":
      return `watch ${trigger.connector} ${trigger.tool ?? trigger.resource}`;
    default:
      return trigger.type;
  }
}

/** @param earlier the saved trigger that `input` changes: a time that has passed may stay as it is. */
function faultsOf(input: TriggerInput, earlier: Trigger | undefined, nowMs: number) {
  if (input.type === "schedule") {
    const keepsZone = earlier?.type === "schedule" && earlier.timezone === input.timezone;
    const fault = scheduleFault(input, nowMs, { refusePast: !hasItsTime(input, earlier), keepsZone });
    return fault === null ? [] : [fault];
  }
  return "filters" in input ? filtersFaults(input.filters) : [];
}

function hasItsTime(input: TriggerInput, earlier: Trigger | undefined): boolean {
  if (input.type !== "schedule" || earlier?.type !== "schedule" || input.timezone !== earlier.timezone) return false;
  return input.at === earlier.at || input.at === earlier.at_written;
}

/** A delay counts from when it was first written. */
function resolved(input: TriggerInput, earlier: Trigger | undefined, nowMs: number): TriggerInput {
  if (input.type !== "schedule" || input.at === undefined) return input;
  if (earlier?.type === "schedule" && earlier.at_written !== undefined && hasItsTime(input, earlier)) {
    return { ...input, at: earlier.at, at_written: earlier.at_written };
  }
  if (!/^in\s/i.test(input.at)) return input;
  return { ...input, at: resolveAt(input.at, input.timezone, nowMs), at_written: input.at };
}
