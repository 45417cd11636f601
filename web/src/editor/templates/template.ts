/** A routine to begin with: what it is for, and a definition that works once its repositories are named. Pure. */
import type { Draft } from "../draft.ts";
import { EMPTY_DRAFT } from "../draft.ts";

export interface Template {
  /** As it stands in the address of the page. */
  slug: string;
  title: string;
  /** What it does, and when, in a sentence. */
  what: string;
  /** How many repositories it works on, and what runs may push to each. */
  repositories: readonly Draft["repositories"][number]["push"][];
  /** Schedules have no zone of their own yet: whoever takes the template gives theirs. */
  definition: Pick<Draft, "prompt" | "triggers"> & Partial<Draft>;
}

/** @param zone of whoever takes it. */
export function draftOfTemplate({ title, repositories, definition }: Template, zone: string): Draft {
  return {
    ...EMPTY_DRAFT,
    name: title,
    repositories: repositories.map((push) => ({ url: "", push })),
    ...definition,
    triggers: definition.triggers.map((trigger) =>
      trigger.type === "schedule" ? { ...trigger, timezone: zone } : trigger,
    ),
  };
}

const SCHEDULE = { type: "schedule", timezone: "UTC", catch_up: "latest" } as const;

export function weekly(weekday: "monday" | "thursday" | "friday", time: string): Draft["triggers"][number] {
  return { ...SCHEDULE, every: "weekly", weekday, time };
}

export function onWeekdays(time: string): Draft["triggers"][number] {
  return { ...SCHEDULE, every: "weekdays", time };
}
