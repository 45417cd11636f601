/** Whether an event is what a trigger waits for, and what keeps it from starting a run all the same. Pure. */
import { composed } from "#protocol/characters.ts";
import type { FilterCheck } from "#protocol/filters.ts";
import type { OutcomeReason } from "#protocol/occurrence.ts";
import type { JsonObject } from "#protocol/schema.ts";
import { CHAIN_LIMIT, type SourceEvent } from "#protocol/source-event.ts";
import {
  type FilteredTrigger,
  type GithubTrigger,
  isRoutineId,
  type RoutineTrigger,
  type Trigger,
} from "#protocol/triggers.ts";
import { oneSeenLine } from "#protocol/unseen-characters.ts";
import { FilterBudget } from "../filters/filter-budget.ts";
import { judgeFilters } from "../filters/judge-filters.ts";
import { RUN_ENDED } from "./run-ended-event.ts";
import { placeKey, repositoryPlace } from "./subscriptions.ts";

/** The part of a routine on which the judgement depends. */
export interface JudgedRoutine {
  id: string;
  repositories: readonly { url: string }[];
  /** Numeric ids of repositories by place, as far as they are known. */
  repositoryIds: ReadonlyMap<string, number>;
}

/** Why no run may start though the trigger has matched. */
export interface Objection {
  outcome: "ignored" | "refused";
  reason: OutcomeReason;
  why: string;
}

export interface Judgement {
  matched: boolean;
  /** For people. */
  why: string;
  filters: FilterCheck[];
  /** Null where nothing keeps the run from starting, and where the trigger has not matched. */
  objection: Objection | null;
  /** The routine's repository that the event came from. */
  repository: { url: string; place: string } | null;
}

/**
 * @param budget shared by all of a routine's triggers, so that an event is bounded in cost whatever they are.
 * @returns null for a trigger that waits for something else altogether: it has not been looked at.
 */
export function judgeTrigger(
  trigger: Trigger,
  event: SourceEvent,
  routine: JudgedRoutine,
  budget = new FilterBudget(),
): Judgement | null {
  if (!listens(trigger) || !isMeant(trigger, event)) return null;
  const repository = trigger.type === "github" ? repositoryOf(event, routine) : null;
  const mismatch = mismatchOf(trigger, event, repository);
  if (mismatch !== null) return { matched: false, why: mismatch, filters: [], objection: null, repository };
  const filters = trigger.type === "routine" ? [] : judgeFilters(trigger.filters, event, budget);
  const failed = filters.find(({ matched }) => !matched);
  if (failed !== undefined) return { matched: false, why: failed.why, filters, objection: null, repository };
  const objection = objectionTo(trigger, event, routine);
  return { matched: true, why: objection?.why ?? "It is what the trigger waits for.", filters, objection, repository };
}

function listens(trigger: Trigger): trigger is FilteredTrigger {
  return trigger.type !== "api" && trigger.type !== "schedule" && trigger.type !== "watch";
}

function isMeant(trigger: Trigger, event: SourceEvent): boolean {
  if (trigger.type === "webhook") return event.trigger_id === trigger.id;
  return event.trigger_id === null && trigger.type === event.source;
}

/** @returns why not, or null when the event is of the kind that the trigger names. */
function mismatchOf(trigger: Trigger, event: SourceEvent, repository: Judgement["repository"]): string | null {
  switch (trigger.type) {
    case "github":
      if (trigger.event !== event.name) return `The event is ${event.name}, not ${trigger.event}.`;
      if (repository === null) {
        return "It came from a repository that the routine does not have, or from another one that has taken the name.";
      }
      return actionMismatch(trigger, event);
    case "webhook":
      if (trigger.events === undefined || trigger.events.some((name) => isSameName(oneSeenLine(name), event.name)))
        return null;
      return `The event is ${event.name}, not ${trigger.events.join(" or ")}.`;
    case "event":
      return isSameName(trigger.name, event.name) ? null : `The event is ${event.name}, not ${trigger.name}.`;
    case "routine":
      return endingMismatch(trigger, event);
    default:
      return "The trigger waits for no event.";
  }
}

function isSameName(one: string, other: string): boolean {
  return composed(one) === composed(other);
}

function actionMismatch({ actions }: GithubTrigger, { action }: SourceEvent): string | null {
  if (actions === undefined || (action !== null && actions.includes(action))) return null;
  return `The action is ${action ?? "none"}, not ${actions.join(" or ")}.`;
}

/** Reads the fields that `runEndedEvent` and `healthEvent` write. */
function endingMismatch(trigger: RoutineTrigger, event: SourceEvent): string | null {
  const { routine_id, routine_names, status, result } = event.payload as JsonObject;
  const wanted = trigger.routine;
  const isNamed = Array.isArray(routine_names) && routine_names.some((name) => isSameName(String(name), wanted));
  if (isRoutineId(wanted) ? wanted !== routine_id : !isNamed) return "It is about another routine.";
  const isEnd = event.name === RUN_ENDED;
  if (!trigger.on.some((one) => one === status)) {
    const told = isEnd ? `The run ended as ${status}` : `It tells that the routine is ${status}`;
    return `${told}, not ${trigger.on.join(" or ")}.`;
  }
  // How a routine is doing has no result.
  if (!isEnd || trigger.result === undefined || trigger.result.some((one) => one === result)) return null;
  return `The run's result is ${result}, not ${trigger.result.join(" or ")}.`;
}

/** By its numeric id where that is known: a name can pass to another repository. Else by a name that it has or had. */
function repositoryOf(event: SourceEvent, routine: JudgedRoutine): Judgement["repository"] {
  const from = event.github?.repository ?? null;
  if (from === null) return null;
  const host = hostOf(event);
  const names = [from.full_name.toLowerCase(), ...(from.former_names ?? [])];
  for (const { url } of routine.repositories) {
    const place = repositoryPlace({ url });
    const id = routine.repositoryIds.get(placeKey(place));
    const isSame = id === undefined ? names.includes(place.fullName) : id === from.id;
    if (isSame && (host === null || host === place.host)) return { url, place: placeKey(place) };
  }
  return null;
}

/** A repository of the same name on another server is another repository. */
function hostOf({ payload }: SourceEvent): string | null {
  const address = ((payload as JsonObject)["repository"] as JsonObject | undefined)?.["html_url"];
  return typeof address === "string" && URL.canParse(address) ? new URL(address).host.toLowerCase() : null;
}

function objectionTo(trigger: Trigger, event: SourceEvent, routine: JudgedRoutine): Objection | null {
  // Also its own silence, which no run has caused.
  const isOwnHealth = event.source === "routine" && (event.payload as JsonObject)["routine_id"] === routine.id;
  const isOwn = isOwnHealth || event.caused_by?.routine_id === routine.id;
  if (isOwn && !(trigger.type === "github" && trigger.allow_self)) {
    return { outcome: "ignored", reason: "own_event", why: "A run of this routine caused it." };
  }
  if (trigger.type === "github" && event.github?.is_stranger === true && !trigger.allow_public) {
    const who = event.github?.actor?.login ?? "Somebody";
    const why = `${who} is not an owner, member or collaborator of the public repository; allow_public is off.`;
    return { outcome: "ignored", reason: "stranger", why };
  }
  if (depthOf(event) > CHAIN_LIMIT) {
    const why = `The run that caused it is ${CHAIN_LIMIT} deep in a chain of runs, which ends there.`;
    return { outcome: "refused", reason: "chain_too_deep", why };
  }
  return null;
}

/** How many runs led to an event, one after the other: one more than led to the run that caused it. */
export function depthOf({ caused_by }: SourceEvent): number {
  return caused_by === null ? 0 : caused_by.depth + 1;
}
