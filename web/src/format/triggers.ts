/** Pure: what a trigger waits for, in words. */
import type { Filter } from "#protocol/filters.ts";
import type { Routine } from "#protocol/routine.ts";
import type { HealthChange, RoutineTrigger, ScheduleTrigger } from "#protocol/triggers.ts";
import { SOURCE_TITLES } from "./sources.ts";
import type { Label } from "./status.ts";

/** As a routine shows it. */
export type ShownTrigger = Routine["triggers"][number];

export const TRIGGER_STATUS_LABELS: Record<ShownTrigger["status"], Label> = {
  active: { text: "Active", tone: "success" },
  ended: { text: "Ended", tone: "neutral" },
  unreachable: { text: "Unreachable", tone: "warning" },
};

/** One line that says what the trigger waits for. */
export function triggerLine(trigger: ShownTrigger): string {
  switch (trigger.type) {
    case "api":
      return "A call of the fire endpoint with the routine's token";
    case "schedule":
      return `${scheduleWords(trigger)}, ${trigger.timezone}`;
    case "github":
      return `${trigger.event}${trigger.actions === undefined ? "" : `: ${trigger.actions.join(" or ")}`}`;
    case "webhook":
      return `${SOURCE_TITLES[trigger.source]}${trigger.events === undefined ? "" : `: ${trigger.events.join(" or ")}`}`;
    case "routine":
      return routineLine(trigger);
    case "event":
      return trigger.name;
    case "watch":
      return `${trigger.connector}: ${trigger.tool ?? trigger.resource}, every ${trigger.every}`;
  }
}

/** What narrows it, or changes what follows: one phrase each. */
export function triggerTerms(trigger: ShownTrigger): string[] {
  switch (trigger.type) {
    case "api":
    case "watch":
      return [];
    case "schedule":
      return [
        ...(trigger.at === undefined ? [`catch_up: ${trigger.catch_up}`] : []),
        ...(trigger.jitter === undefined ? [] : [`up to ${trigger.jitter} later`]),
      ];
    case "routine":
      return trigger.result === undefined ? [] : [`with the result ${either(trigger.result)}`];
    case "github":
      return [
        ...listeningTerms(trigger),
        ...(trigger.allow_public ? ["strangers may start runs"] : []),
        ...(trigger.allow_self ? ["its own pushes wake it too"] : []),
      ];
    case "webhook":
    case "event":
      return listeningTerms(trigger);
  }
}

function listeningTerms(trigger: Extract<ShownTrigger, { type: "github" | "webhook" | "event" }>): string[] {
  const { filters, coalesce } = trigger;
  const coalesced =
    coalesce === undefined ? [] : [`one run for all${of(coalesce.key)}, ${coalesce.window} after its last`];
  return [...filters.map(filterWords), ...coalesced];
}

function of(key: string | undefined): string {
  return key === undefined ? "" : ` of one ${key}`;
}

export function filterWords({ field, operator, value }: Filter): string {
  if (operator === "exists") return value ? `${field} is there` : `${field} is not there`;
  return `${field} ${operator.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(", ") : value}`;
}

export function scheduleWords({
  cron,
  every,
  at,
  time = "09:00",
  minute = 0,
  weekday = "monday",
  day = 1,
}: ScheduleTrigger) {
  switch (every) {
    case "hourly":
      return `Each hour at :${String(minute).padStart(2, "0")}`;
    case "daily":
      return `Each day at ${time}`;
    case "weekdays":
      return `Monday to Friday at ${time}`;
    case "weekly":
      return `Each ${weekday.charAt(0).toUpperCase()}${weekday.slice(1)} at ${time}`;
    case "monthly":
      return `Day ${day} of each month at ${time}`;
    case undefined:
      return cron ?? `Once, ${at}`;
  }
}

/** What it waits for of another routine: ends of its runs, news of how it is doing, or both. */
export function routineLine({ routine, on }: Pick<RoutineTrigger, "routine" | "on">): string {
  const news = on.filter((one) => isHealthChange(one));
  const ends = on.filter((one) => !isHealthChange(one));
  if (news.length === 0) return `A run of ${routine} ends as ${either(ends)}`;
  if (ends.length === 0) return `${routine} is ${either(news)}`;
  return `${routine} is ${either(news)}, or a run of it ends as ${either(ends)}`;
}

const HEALTH_CHANGES: Record<HealthChange, true> = { failing: true, recovered: true, quiet: true };

function isHealthChange(text: string): boolean {
  return Object.hasOwn(HEALTH_CHANGES, text);
}

function either(words: readonly string[]): string {
  return words.map((word) => word.replaceAll("_", " ")).join(" or ");
}
