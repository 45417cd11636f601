/** Pure: names of time zones and days, for people to choose among. */
import type { weekdays } from "#protocol/triggers.ts";

type Weekday = (typeof weekdays)[number];

const DAYS: Record<Weekday, string> = {
  monday: "Monday",
  tuesday: "Tuesday",
  wednesday: "Wednesday",
  thursday: "Thursday",
  friday: "Friday",
  saturday: "Saturday",
  sunday: "Sunday",
};
export const weekdayNames = (Object.keys(DAYS) as Weekday[]).map((value) => ({ value, text: DAYS[value] }));

let zones: string[] | null = null;

/** Those that the browser knows. */
export function zoneNames(): readonly string[] {
  zones ??= ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];
  return zones;
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
