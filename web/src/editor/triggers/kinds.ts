/** Pure: each kind of trigger as somebody begins to write it. */
import type { Filter } from "#protocol/filters.ts";
import type { Coalesce, TriggerInput } from "#protocol/triggers.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";

export type TriggerType = TriggerInput["type"];
export type ScheduleInput = Extract<TriggerInput, { type: "schedule" }>;
export type GithubInput = Extract<TriggerInput, { type: "github" }>;
export type WebhookInput = Extract<TriggerInput, { type: "webhook" }>;
export type RoutineInput = Extract<TriggerInput, { type: "routine" }>;
export type EventInput = Extract<TriggerInput, { type: "event" }>;
export type WatchInput = Extract<TriggerInput, { type: "watch" }>;
export type Listening = GithubInput | WebhookInput | EventInput;

/** @param zone of whoever writes it. */
export function newTrigger(type: TriggerType, zone: string): TriggerInput {
  switch (type) {
    case "schedule":
      return { type, every: "weekdays", time: "09:00", timezone: zone, catch_up: "latest" };
    case "github":
      return {
        type,
        event: "pull_request",
        actions: ["opened"],
        filters: [],
        allow_public: false,
        allow_self: false,
      };
    case "api":
      return { type };
    case "webhook":
      return { type, source: "generic", filters: [] };
    case "routine":
      return { type, routine: "", on: ["succeeded"] };
    case "event":
      return { type, name: "", filters: [] };
    case "watch":
      return { type, connector: "", tool: "", every: "5m" };
  }
}

/** How often, as the builder of schedules asks it. */
export const RHYTHMS = [
  { value: "hourly", text: "Each hour" },
  { value: "daily", text: "Each day" },
  { value: "weekdays", text: "Monday to Friday" },
  { value: "weekly", text: "Each week" },
  { value: "monthly", text: "Each month" },
  { value: "once", text: "Once" },
  { value: "cron", text: "By a cron expression" },
] as const;
export type Rhythm = (typeof RHYTHMS)[number]["value"];

export function rhythmOf({ every, cron }: ScheduleInput): Rhythm {
  return every ?? (cron === undefined ? "once" : "cron");
}

/** The same schedule by another rhythm: what both know stays. */
export function withRhythm(trigger: ScheduleInput, rhythm: Rhythm): ScheduleInput {
  const { id, timezone, catch_up, jitter, time = "09:00" } = trigger;
  const shared: ScheduleInput = {
    ...(id === undefined ? {} : { id }),
    type: "schedule",
    timezone,
    catch_up,
    ...(jitter === undefined ? {} : { jitter }),
  };
  switch (rhythm) {
    case "hourly":
      return { ...shared, every: rhythm, minute: 0 };
    case "daily":
    case "weekdays":
      return { ...shared, every: rhythm, time };
    case "weekly":
      return { ...shared, every: rhythm, time, weekday: "monday" };
    case "monthly":
      return { ...shared, every: rhythm, time, day: 1 };
    case "once":
      return { ...shared, at: "in 1 hour" };
    case "cron":
      return { ...shared, cron: `${Number(time.slice(3))} ${Number(time.slice(0, 2))} * * 1-5` };
  }
}

/** Another source has other events, and no use for what the one before was told by. */
export function withSource({ id, filters, coalesce }: WebhookInput, source: WebhookSource): WebhookInput {
  return {
    ...(id === undefined ? {} : { id }),
    type: "webhook",
    source,
    filters,
    ...(coalesce === undefined ? {} : { coalesce }),
    ...(source === "pubsub" ? { pubsub: { service_account: "" } } : {}),
  };
}

/** A filter by another operator: its value as far as that has one. */
export function withOperator(filter: Filter, operator: Filter["operator"]): Filter {
  const { field } = filter;
  const one = Array.isArray(filter.value) ? (filter.value[0] ?? "") : filter.value;
  switch (operator) {
    case "exists":
      return { field, operator, value: true };
    case "is_one_of":
    case "is_not_one_of":
      return { field, operator, value: Array.isArray(filter.value) ? filter.value : one === "" ? [] : [one] };
    case "matches_regex":
      return { field, operator, value: String(one) };
    default:
      return { field, operator, value: filter.operator === "exists" ? "" : one };
  }
}

export const NEW_COALESCE: Coalesce = { window: "60s" };
