/** Reads a five-field cron expression, strictly, and says what is wrong with one and what to write instead. Pure. */
import { ownValue } from "#protocol/own-value.ts";

/** A day of month, or its last. */
export type MonthDay = number | "L";
/** A day of week from 0, a Sunday, or one of a month: `1#2` is its second Monday, `1#L` its last. */
export type WeekDay = number | `${number}#${number | "L"}`;

interface Field {
  name: string;
  least: number;
  most: number;
  names: readonly string[];
}

/** A cron expression with everything written as sorted numbers. */
export interface CronFields {
  minutes: number[];
  hours: number[];
  /** Null when the field is open (`*`): the other day field decides alone. */
  daysOfMonth: MonthDay[] | null;
  months: number[];
  /** From 0, a Sunday, to 6. Null when the field is open. */
  daysOfWeek: WeekDay[] | null;
  /** The hour has a wildcard or a step: what the clocks show twice fires twice, what they skip does not fire. */
  followsElapsedTime: boolean;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const MINUTE: Field = { name: "minute", least: 0, most: 59, names: [] };
const HOUR: Field = { name: "hour", least: 0, most: 23, names: [] };
const DAY_OF_MONTH: Field = { name: "day of month", least: 1, most: 31, names: [] };
const MONTH: Field = { name: "month", least: 1, most: 12, names: MONTHS };
/** Sunday is 0 and 7. */
const DAY_OF_WEEK: Field = { name: "day of week", least: 0, most: 7, names: DAYS };
const FIELDS = [MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];

const FORM = "minute, hour, day of month, month, day of week";
const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** @returns the fields, or sentences for the person who wrote them: one for each field that has a fault. */
export function readCron(cron: string): { fields: CronFields } | { fault: string } {
  const texts = cron.trim().toLowerCase().split(/\s+/);
  const formFault = faultOfForm(texts, cron.trim());
  if (formFault !== null) return { fault: formFault };
  const faults: string[] = [];
  const read = <Special extends string>(place: number, field: Field, special?: ReadSpecial<Special>) => {
    const values = readField(field, texts[place] ?? "", special);
    if (typeof values !== "string") return values;
    faults.push(values);
    return [];
  };
  const minutes = numbersOf(read(0, MINUTE));
  const hours = numbersOf(read(1, HOUR));
  const daysOfMonth = read(2, DAY_OF_MONTH, lastDay);
  const months = numbersOf(read(3, MONTH));
  const daysOfWeek = read(4, DAY_OF_WEEK, dayOfMonthsWeek);
  if (faults.length > 0) return { fault: faults.join(" ") };
  const weekDays = daysOfWeek.map((day) => (typeof day === "number" ? day % 7 : day));
  const fields = {
    minutes,
    hours,
    daysOfMonth: isOpen(texts[2]) ? null : daysOfMonth,
    months,
    daysOfWeek: isOpen(texts[4]) ? null : sorted(weekDays),
    followsElapsedTime: /[*/]/.test(texts[1] ?? ""),
  };
  return { fields };
}

/**
 * Whether other programs read the expression differently: to Vixie cron and those after it both day fields have to hold where
 * one begins with `*`, here and in croner either does.
 */
export function hasStarredDays(cron: string): boolean {
  const [, , daysOfMonth = "", , daysOfWeek = ""] = cron.trim().split(/\s+/);
  if (isOpen(daysOfMonth) || isOpen(daysOfWeek)) return false;
  return daysOfMonth.startsWith("*") || daysOfWeek.startsWith("*");
}

/** @param cron the texts as they were written. */
function faultOfForm(texts: string[], cron: string): string | null {
  const first = texts[0] ?? "";
  const [, zone, rest] = /^(?:cron_)?tz=(\S*)\s*(.*)$/is.exec(cron) ?? [];
  if (zone !== undefined) {
    return `A time zone has a key of its own: write cron "${rest}" and timezone "${zone}".`;
  }
  if (first.startsWith("@")) {
    const instead = ownValue(NICKNAMES, first);
    return instead === undefined
      ? `"${first}" is no cron expression: write five fields (${FORM}).`
      : `"${first}" is a nickname: write "${instead}".`;
  }
  if (texts.length === FIELDS.length) return null;
  const extra = texts.length > FIELDS.length ? " Seconds and years are not fields here." : "";
  return `A cron expression has five fields (${FORM}), this one has ${texts.length}.${extra}`;
}

/** A step of one names every value, as `*` does. */
function isOpen(text = ""): boolean {
  return text.split(",").some((item) => item === "*" || item === "*/1");
}

/** Reads an item that a field alone has. @returns null when it is none of those. */
type ReadSpecial<Special extends string> = (item: string) => Special | null;

const lastDay: ReadSpecial<"L"> = (item) => (item === "l" ? "L" : null);

/** The day of week that a month has for the first to fifth, or for the last time: `mon#1`, `fri#l`. */
const dayOfMonthsWeek: ReadSpecial<`${number}#${number | "L"}`> = (item) => {
  const [, name = "", which] = /^([a-z]+|[0-7])#([1-5]|l)$/.exec(item) ?? [];
  const day = which === undefined ? "" : numberOf(DAY_OF_WEEK, name);
  if (typeof day === "string") return null;
  return `${day % 7}#${which === "l" ? "L" : Number(which)}`;
};

/** @returns the field's values, or what is wrong. */
function readField<Special extends string = never>(
  field: Field,
  text: string,
  special?: ReadSpecial<Special>,
): (number | Special)[] | string {
  const values = new Set<number | Special>();
  for (const item of text.split(",")) {
    const one = special?.(item) ?? null;
    if (one !== null) {
      values.add(one);
      continue;
    }
    const read = readItem(field, item);
    if (typeof read === "string") return read;
    for (const value of read) values.add(value);
  }
  return sorted([...values]);
}

function readItem(field: Field, item: string): number[] | string {
  const [, star, from, to, step] = /^(?:(\*)|([a-z]+|\d+)(?:-([a-z]+|\d+))?)(?:\/(\d+))?$/.exec(item) ?? [];
  if (star === undefined && from === undefined) return faultOfItem(field, item);
  const by = step === undefined ? 1 : Number(step);
  const size = field.most - field.least;
  if (by < 1 || by > size) return `The ${field.name}'s step in "${item}" must be from 1 to ${size}.`;
  if (star !== undefined) return valuesOf(field.least, field === DAY_OF_WEEK ? 6 : field.most, by);
  const first = numberOf(field, from ?? "");
  if (typeof first === "string") return first;
  if (to === undefined) {
    if (step === undefined) return [first];
    return `"${item}" in the ${field.name} has a step without a range: write "${from}-${field.most}/${step}".`;
  }
  const last = numberOf(field, to, first);
  if (typeof last === "string") return last;
  if (last >= first) return valuesOf(first, last, by);
  if (field === DAY_OF_WEEK && first === 7) {
    return `The range "${item}" in the ${field.name} begins with a Sunday at the week's end: write "0-${to}".`;
  }
  const halves = `"${from}-${field === DAY_OF_WEEK ? 6 : field.most},${field.least}-${to}"`;
  return `The range "${item}" in the ${field.name} runs backwards: write ${step === undefined ? halves : "it as a list"}.`;
}

function faultOfItem(field: Field, item: string): string {
  if (item === "") return `The ${field.name} has an empty place in its list: take out the comma too many.`;
  const known = field.names.length === 0 ? "" : `, names ("${field.names.slice(1, 3).join('", "')}")`;
  return `"${item}" can't be read as a ${field.name}: use numbers${known}, ranges, lists, "*" and steps ("*/2").`;
}

/** @param first the value that a range begins with: after it, Sunday is the week's end. */
function numberOf(field: Field, text: string, first = 0): number | string {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    if (value >= field.least && value <= field.most) return value;
    return `The ${field.name} must be from ${field.least} to ${field.most}, not ${text}.`;
  }
  const at = field.names.indexOf(text);
  if (at === -1) {
    const known = field.names.length === 0 ? "takes numbers" : `is one of ${field.names.join(", ")}, or a number`;
    return `"${text}" is no ${field.name}: it ${known}.`;
  }
  const value = at + field.least;
  return field === DAY_OF_WEEK && value === 0 && first > 0 ? 7 : value;
}

function valuesOf(first: number, last: number, by: number): number[] {
  const values: number[] = [];
  for (let value = first; value <= last; value += by) values.push(value);
  return values;
}

/** Numbers ascending, then the rest; each once. */
function sorted<Value extends number | string>(values: Value[]): Value[] {
  const rank = (value: Value) => (typeof value === "number" ? value : Number.MAX_VALUE);
  return [...new Set(values)].sort((a, b) => (rank(a) === rank(b) ? (a < b ? -1 : 1) : rank(a) - rank(b)));
}

function numbersOf(values: (number | string)[]): number[] {
  return values.filter((value) => typeof value === "number");
}
