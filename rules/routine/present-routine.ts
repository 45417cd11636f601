/** A routine as it is shown: with the instants and addresses that depend on when and where it is read. Pure. */

import type { ListedRoutine, Routine } from "#protocol/routine.ts";
import type { LastRun } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import type { GithubTrigger, ScheduleTrigger, TriggerStatus } from "#protocol/triggers.ts";
import { jitterMs, nextSlots } from "../schedules/schedule.ts";
import { placeKey, type RepositoryPlace, repositoryPlace } from "../triggers/subscriptions.ts";

const SHOWN_TIMES = 3;

/** A repository as a routine has it. */
export interface AskedRepository {
  /** From `placeKey`: two routines may mean different repositories by it. */
  place: string;
  /** In lower case. */
  name: string;
  /** Null while nothing has come from it. */
  id: number | null;
}

/** Whether events of a repository can come. */
export interface Reach {
  /** Null for all events; otherwise the ones that the App is sent. */
  events: ReadonlySet<string> | null;
}

type Endpoint = NonNullable<TriggerStatus["endpoint"]>;

export interface ShownAt {
  nowMs: number;
  baseUrl: string;
  /** From which repositories GitHub's events can come, by place; null where nothing is known of that. */
  reachable: ReadonlyMap<string, Reach | null> | null;
}

export function presentRoutine(routine: Routine, { nowMs, baseUrl, reachable }: ShownAt): Routine {
  const isPaused = routine.status === "paused";
  const places = routine.repositories.map(repositoryPlace);
  return {
    ...routine,
    triggers: routine.triggers.map((trigger) => {
      const slots = trigger.type === "schedule" ? slotsToCome(trigger, nowMs) : [];
      const { endpoint } = trigger;
      const unseen = trigger.type === "github" ? unseenBy(trigger, places, reachable) : [];
      return {
        ...trigger,
        status: statusOf(trigger.type, slots.length > 0, places.length > 0 && unseen.length === places.length),
        next_fire_times: isPaused ? [] : slots.map(timestamp),
        ...(unseen.length > 0 ? { unseen_repositories: unseen } : {}),
        endpoint: endpoint === null ? null : presentEndpoint(endpoint, nowMs, baseUrl),
      };
    }),
  };
}

/** @param routine as it is shown. */
export function listRoutine(routine: Routine, lastRun: LastRun | null): ListedRoutine {
  const [next = null] = routine.triggers.flatMap(({ next_fire_times }) => next_fire_times).toSorted();
  return { ...routine, last_run: lastRun, next_fire_at: next };
}

/** Slots whose jitter is not over have yet to fire, so they are still to come. */
function slotsToCome(trigger: ScheduleTrigger, nowMs: number): number[] {
  return nextSlots(trigger, nowMs - jitterMs(trigger.id, trigger.jitter), SHOWN_TIMES);
}

function presentEndpoint(endpoint: Endpoint, nowMs: number, baseUrl: string): Endpoint {
  const { previous_secret_until: until, url } = endpoint;
  const isPast = until !== null && Date.parse(until) <= nowMs;
  return { ...endpoint, url: new URL(url, baseUrl).href, previous_secret_until: isPast ? null : until };
}

function statusOf(
  type: Routine["triggers"][number]["type"],
  isToCome: boolean,
  isUnseen: boolean,
): TriggerStatus["status"] {
  if (type === "schedule") return isToCome ? "active" : "ended";
  return type === "github" && isUnseen ? "unreachable" : "active";
}

/** Names of the repositories from which the trigger's event can't come. */
function unseenBy({ event }: GithubTrigger, places: readonly RepositoryPlace[], reachable: ShownAt["reachable"]) {
  if (reachable === null) return [];
  const isUnseen = (place: RepositoryPlace) => {
    const reach = reachable.get(placeKey(place)) ?? null;
    return reach === null || reach.events?.has(event) === false;
  };
  return places.filter(isUnseen).map(({ fullName }) => fullName);
}

/** The repositories that a routine with a GitHub trigger waits for, with their numbers as far as they are known. */
export function watchedRepositories({ triggers, repositories }: Routine): AskedRepository[] {
  const trigger = triggers.find(({ type }) => type === "github");
  if (trigger === undefined) return [];
  return repositories.map(repositoryPlace).map((place) => {
    const key = placeKey(place);
    return { place: key, name: place.fullName, id: trigger.repository_ids?.[key] ?? null };
  });
}
