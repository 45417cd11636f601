/** A routine as it is shown: with what depends on the time and the address that it is read at. Pure. */
import { jitterMs, nextSlots } from "#durable-objects/triggers/schedule-rules.ts";
import type { Routine } from "#protocol/routine.ts";
import { repositoryPlace } from "#protocol/subscriptions.ts";
import { timestamp } from "#protocol/time.ts";
import type { ScheduleTrigger, TriggerStatus } from "#protocol/triggers.ts";

const SHOWN_TIMES = 3;

type Endpoint = NonNullable<TriggerStatus["endpoint"]>;

export interface ShownAt {
  nowMs: number;
  baseUrl: string;
  /** Names of repositories that the GitHub App sees, in lower case; null where there is no App. */
  seen: ReadonlySet<string> | null;
}

export function presentRoutine(routine: Routine, { nowMs, baseUrl, seen }: ShownAt): Routine {
  const isPaused = routine.status === "paused";
  const names = routine.repositories.map((repository) => repositoryPlace(repository).fullName);
  const unseen = seen === null ? [] : names.filter((name) => !seen.has(name));
  return {
    ...routine,
    triggers: routine.triggers.map((trigger) => {
      const slots = trigger.type === "schedule" ? slotsToCome(trigger, nowMs) : [];
      const { endpoint } = trigger;
      return {
        ...trigger,
        status: statusOf(trigger.type, slots.length > 0, seen !== null && unseen.length === names.length),
        next_fire_times: isPaused ? [] : slots.map(timestamp),
        ...(trigger.type === "github" && unseen.length > 0 ? { unseen_repositories: unseen } : {}),
        endpoint: endpoint === null ? null : presentEndpoint(endpoint, nowMs, baseUrl),
      };
    }),
  };
}

/** One whose delay is not over has yet to fire. */
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

/** Names of the repositories that a routine with a GitHub trigger waits for, in lower case. */
export function watchedRepositories({ triggers, repositories }: Routine): string[] {
  if (!triggers.some(({ type }) => type === "github")) return [];
  return repositories.map((repository) => repositoryPlace(repository).fullName);
}
