/** What a schedule trigger means: whether it can be kept, and when it fires. Pure. */
import { durationMs, timestamp } from "#protocol/time.ts";
import { type ScheduleTrigger, weekdays } from "#protocol/triggers.ts";
import { type CronFields, readCron } from "./cron-fields.ts";
import { type Chunk, cronChunks, occurs } from "./cron-times.ts";
import { readAt } from "./one-off.ts";
import { zoneNameFault } from "./zone-name.ts";

/** The keys of a schedule that say when. */
export type Timing = Pick<
  ScheduleTrigger,
  "cron" | "every" | "time" | "minute" | "weekday" | "day" | "at" | "timezone"
>;

export interface ScheduleFault {
  field: "cron" | "at" | "timezone";
  message: string;
}

/** Time of day of a preset that names none. */
const PRESET_TIME = "09:00";

/**
 * What is wrong with a schedule that its schema lets through.
 * @param nowMs what a delay counts from, and from when on an expression must occur.
 * @param options `refusePast` for a schedule that is being written: an `at` that has passed would never fire. `keepsZone` for one
 * that has been saved in this zone: it was taken then.
 */
export function scheduleFault(
  trigger: Pick<ScheduleTrigger, "cron" | "at" | "timezone">,
  nowMs: number,
  options: { refusePast?: boolean; keepsZone?: boolean } = {},
): ScheduleFault | null {
  const ofZone = options.keepsZone === true ? null : zoneNameFault(trigger.timezone);
  if (ofZone !== null) return { field: "timezone", message: ofZone };
  if (trigger.cron !== undefined) {
    const read = readCron(trigger.cron);
    if ("fault" in read) return { field: "cron", message: read.fault };
    if (occurs(read.fields, nowMs)) return null;
    return { field: "cron", message: `"${trigger.cron}" never occurs: no month that it names has such a day.` };
  }
  if (trigger.at === undefined) return null;
  const read = readAt(trigger.at, trigger.timezone, nowMs);
  if ("fault" in read) return { field: "at", message: read.fault };
  if (options.refusePast !== true || read.atMs > nowMs) return null;
  const message = `${timestamp(read.atMs)} has passed: write a time to come, or a delay such as "in 30m".`;
  return { field: "at", message };
}

/**
 * The time of a one-off as it is stored: RFC 3339, UTC. A delay is resolved here, so that it counts from when it was written.
 * @throws RangeError on a text in which `scheduleFault` finds a fault.
 */
export function resolveAt(at: string, timezone: string, nowMs: number): string {
  const read = readAt(at, timezone, nowMs);
  if ("fault" in read) throw new RangeError(read.fault);
  return timestamp(read.atMs);
}

/** The next `count` scheduled instants after `afterMs` (exclusive), Unix milliseconds, without jitter. */
export function nextSlots(trigger: Timing, afterMs: number, count: number): number[] {
  const slots: number[] = [];
  if (count <= 0) return slots;
  for (const { baseMs, times } of slotChunks(trigger, afterMs)) {
    for (const time of times) {
      slots.push(baseMs + time);
      if (slots.length === count) return slots;
    }
  }
  return slots;
}

/** All scheduled instants after `afterMs` (exclusive), ascending, in chunks; without end for most expressions. */
export function* slotChunks(trigger: Timing, afterMs: number): Generator<Chunk, void> {
  if (trigger.at !== undefined) {
    const read = readAt(trigger.at, trigger.timezone, afterMs);
    if ("atMs" in read && read.atMs > afterMs) yield { baseMs: read.atMs, times: [0] };
    return;
  }
  const fields = fieldsOf(trigger);
  if (fields !== null) yield* cronChunks(fields, trigger.timezone, afterMs);
}

/**
 * The trigger's own delay: the same each time, so that routines of one hour don't all start in its first second.
 * @returns milliseconds, from 0 to below `jitter`.
 */
export function jitterMs(triggerId: string, jitter: string | undefined): number {
  if (jitter === undefined) return 0;
  return Math.floor((hash32(triggerId) / 2 ** 32) * durationMs(jitter));
}

/** Kept, because an instance has few expressions and asks for each of them often. */
const expressions = new Map<string, CronFields | null>();
const EXPRESSIONS_KEPT = 500;

function fieldsOf(trigger: Timing): CronFields | null {
  const text = trigger.cron ?? presetCron(trigger);
  const kept = expressions.get(text);
  if (kept !== undefined) return kept;
  if (expressions.size >= EXPRESSIONS_KEPT) expressions.clear();
  const read = readCron(text);
  const fields = "fields" in read ? read.fields : null;
  expressions.set(text, fields);
  return fields;
}

function presetCron({ every, time = PRESET_TIME, minute = 0, weekday = "monday", day = 1 }: Timing): string {
  const [hour, minuteOfHour] = time.split(":").map(Number);
  const at = `${minuteOfHour} ${hour}`;
  switch (every) {
    case "hourly":
      return `${minute} * * * *`;
    case "daily":
      return `${at} * * *`;
    case "weekdays":
      return `${at} * * 1-5`;
    case "weekly":
      return `${at} * * ${weekdays.indexOf(weekday) + 1}`;
    case "monthly":
      return `${at} ${day} * *`;
    case undefined:
      return "";
  }
}

/** FNV-1a over UTF-16 units, mixed once more: without that its high bits would depend on the first letters alone. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
