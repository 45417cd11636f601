/** When schedules fire: a table made by hand, and every minute of the weeks around a change of the clocks. */
import { describe, expect, it } from "vitest";
import { jitterMs, nextSlots, type Timing } from "#rules/schedules/schedule.ts";
import { firesOf, shownMinutes } from "./support/clock-oracle.ts";

const PARIS = "Europe/Paris";
const NEW_YORK = "America/New_York";
const SYDNEY = "Australia/Sydney";
const SANTIAGO = "America/Santiago";
const LORD_HOWE = "Australia/Lord_Howe";
const CHATHAM = "Pacific/Chatham";
const KATHMANDU = "Asia/Kathmandu";
const CAIRO = "Africa/Cairo";

/** Times are UTC, to the minute. */
type Row = [title: string, cron: string, zone: string, after: string, expected: string[]];

const CALENDAR: Row[] = [
  ["a step", "*/15 * * * *", "UTC", "2027-01-01T00:00", ["2027-01-01T00:15", "2027-01-01T00:30", "2027-01-01T00:45"]],
  ["a weekday", "0 10 * * 1", "UTC", "2026-11-22T12:00", ["2026-11-23T10:00", "2026-11-30T10:00"]],
  [
    "a list and a range",
    "5,35 8-9 * * *",
    "UTC",
    "2027-05-05T09:00",
    ["2027-05-05T09:05", "2027-05-05T09:35", "2027-05-06T08:05"],
  ],
  [
    "a range with a step",
    "10-40/15 6 * * *",
    "UTC",
    "2027-05-05T06:10",
    ["2027-05-05T06:25", "2027-05-05T06:40", "2027-05-06T06:10"],
  ],
  ["names of months", "0 0 1 jan,JUL *", "UTC", "2027-01-01T00:00", ["2027-07-01T00:00", "2028-01-01T00:00"]],
  ["names of days", "30 7 * * MON-FRI", "UTC", "2027-01-01T07:30", ["2027-01-04T07:30", "2027-01-05T07:30"]],
  ["Sunday as 0", "0 12 * * 0", "UTC", "2027-01-01T00:00", ["2027-01-03T12:00", "2027-01-10T12:00"]],
  ["Sunday as 7", "0 12 * * 7", "UTC", "2027-01-01T00:00", ["2027-01-03T12:00", "2027-01-10T12:00"]],
  [
    "Sunday at a week's end",
    "0 12 * * sat-sun",
    "UTC",
    "2027-01-01T00:00",
    ["2027-01-02T12:00", "2027-01-03T12:00", "2027-01-09T12:00"],
  ],
  [
    "Friday to 7",
    "0 12 * * 5-7",
    "UTC",
    "2027-01-01T12:00",
    ["2027-01-02T12:00", "2027-01-03T12:00", "2027-01-08T12:00"],
  ],
  ["day 31", "0 0 31 * *", "UTC", "2027-01-31T00:00", ["2027-03-31T00:00", "2027-05-31T00:00", "2027-07-31T00:00"]],
  [
    "the last day",
    "0 9 L * *",
    "UTC",
    "2027-01-31T09:00",
    ["2027-02-28T09:00", "2027-03-31T09:00", "2027-04-30T09:00"],
  ],
  ["the last of February", "0 9 L 2 *", "UTC", "2027-03-01T00:00", ["2028-02-29T09:00", "2029-02-28T09:00"]],
  ["the first and the last day", "0 9 1,L 2 *", "UTC", "2027-02-01T08:00", ["2027-02-01T09:00", "2027-02-28T09:00"]],
  [
    "the first Monday",
    "0 9 * * mon#1",
    "UTC",
    "2027-01-04T09:00",
    ["2027-02-01T09:00", "2027-03-01T09:00", "2027-04-05T09:00"],
  ],
  [
    "a fifth Monday",
    "0 9 * * 1#5",
    "UTC",
    "2027-01-01T00:00",
    ["2027-03-29T09:00", "2027-05-31T09:00", "2027-08-30T09:00"],
  ],
  ["the last Friday", "0 9 * * fri#L", PARIS, "2027-02-27T00:00", ["2027-03-26T08:00", "2027-04-30T07:00"]],
  ["the first Sunday, as 7", "0 9 * * 7#1", "UTC", "2027-01-01T00:00", ["2027-01-03T09:00", "2027-02-07T09:00"]],
  [
    "the first Monday, and Wednesdays",
    "0 9 * * mon#1,wed",
    "UTC",
    "2027-01-04T09:00",
    ["2027-01-06T09:00", "2027-01-13T09:00"],
  ],
  [
    "the last day or a first Monday",
    "0 9 L * mon#1",
    "UTC",
    "2027-01-05T00:00",
    ["2027-01-31T09:00", "2027-02-01T09:00"],
  ],
  ["leap days", "0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]],
  ["no leap day in 2100", "0 0 29 2 *", "UTC", "2096-02-29T00:00", ["2104-02-29T00:00"]],
  [
    "either day field",
    "0 9 13 * 5",
    "UTC",
    "2027-08-27T10:00",
    ["2027-09-03T09:00", "2027-09-10T09:00", "2027-09-13T09:00"],
  ],
  ["both day fields on one day", "0 9 13 * 5", "UTC", "2027-08-07T00:00", ["2027-08-13T09:00", "2027-08-20T09:00"]],
  [
    "a step as a day field",
    "0 0 */10 * 1",
    "UTC",
    "2027-01-11T00:00",
    ["2027-01-18T00:00", "2027-01-21T00:00", "2027-01-25T00:00"],
  ],
  [
    "a step of one as an open field",
    "0 0 */1 * 1",
    "UTC",
    "2027-01-01T00:00",
    ["2027-01-04T00:00", "2027-01-11T00:00"],
  ],
  [
    "a step of hours",
    "0 */6 * * *",
    "UTC",
    "2027-01-01T05:59",
    ["2027-01-01T06:00", "2027-01-01T12:00", "2027-01-01T18:00"],
  ],
  ["the year's last minute", "59 23 31 12 *", "UTC", "2026-12-31T23:59", ["2027-12-31T23:59"]],
  ["a zone 45 minutes off", "0 9 * * *", KATHMANDU, "2027-01-01T00:00", ["2027-01-01T03:15", "2027-01-02T03:15"]],
  ["half hours in it", "*/30 * * * *", KATHMANDU, "2027-01-01T00:00", ["2027-01-01T00:15", "2027-01-01T00:45"]],
  ["a local day that is another in UTC", "0 1 1 * *", "Pacific/Auckland", "2027-01-15T00:00", ["2027-01-31T12:00"]],
];

/** Each gap: the local times of the expression, then what came of them. */
const GAPS: Row[] = [
  [
    "02:30, on the days around too",
    "30 2 * * *",
    PARIS,
    "2027-03-27T00:00",
    ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"],
  ],
  [
    "02:00, 02:15 …: one slot",
    "0,15,30,45 2 * * *",
    PARIS,
    "2027-03-28T00:59",
    ["2027-03-28T01:00", "2027-03-29T00:00"],
  ],
  [
    "steps of minutes in one hour",
    "*/15 2 * * *",
    PARIS,
    "2027-03-28T00:00",
    ["2027-03-28T01:00", "2027-03-29T00:00", "2027-03-29T00:15"],
  ],
  [
    "02:30 and 03:30",
    "30 2,3 * * *",
    PARIS,
    "2027-03-28T00:00",
    ["2027-03-28T01:00", "2027-03-28T01:30", "2027-03-29T00:30"],
  ],
  [
    "02:00 and the gap's end",
    "0 2,3 * * *",
    PARIS,
    "2027-03-28T00:00",
    ["2027-03-28T01:00", "2027-03-29T00:00", "2027-03-29T01:00"],
  ],
  [
    "a range of hours",
    "30 1-3 * * *",
    PARIS,
    "2027-03-27T23:45",
    ["2027-03-28T00:30", "2027-03-28T01:00", "2027-03-28T01:30"],
  ],
  ["asked for at the gap's end", "30 2 * * *", PARIS, "2027-03-28T01:00", ["2027-03-29T00:30"]],
  ["each hour", "0 * * * *", PARIS, "2027-03-27T23:30", ["2027-03-28T00:00", "2027-03-28T01:00", "2027-03-28T02:00"]],
  [
    "each second hour",
    "0 */2 * * *",
    PARIS,
    "2027-03-27T22:30",
    ["2027-03-27T23:00", "2027-03-28T02:00", "2027-03-28T04:00"],
  ],
  ["half past each second hour", "30 */2 * * *", PARIS, "2027-03-27T23:00", ["2027-03-27T23:30", "2027-03-28T02:30"]],
  [
    "a step in a range of hours",
    "30 1-3/1 * * *",
    PARIS,
    "2027-03-27T23:45",
    ["2027-03-28T00:30", "2027-03-28T01:30", "2027-03-28T23:30"],
  ],
  ["quarters", "*/15 * * * *", PARIS, "2027-03-28T00:30", ["2027-03-28T00:45", "2027-03-28T01:00", "2027-03-28T01:15"]],
  ["02:30", "30 2 * * *", NEW_YORK, "2027-03-13T12:00", ["2027-03-14T07:00", "2027-03-15T06:30"]],
  ["02:30 in October", "30 2 * * *", SYDNEY, "2027-10-02T00:00", ["2027-10-02T16:00", "2027-10-03T15:30"]],
  ["midnight", "0 0 * * *", SANTIAGO, "2027-09-04T12:00", ["2027-09-05T04:00", "2027-09-06T03:00"]],
  ["half past midnight", "30 0 * * *", SANTIAGO, "2027-09-04T12:00", ["2027-09-05T04:00", "2027-09-06T03:30"]],
  ["half an hour", "15 2 * * *", LORD_HOWE, "2027-10-02T00:00", ["2027-10-02T15:30", "2027-10-03T15:15"]],
  [
    "each hour, half of one missing",
    "0 * * * *",
    LORD_HOWE,
    "2027-10-02T14:00",
    ["2027-10-02T14:30", "2027-10-02T16:00"],
  ],
  ["from 02:45 to 03:45", "0 3 * * *", CHATHAM, "2027-09-25T00:00", ["2027-09-25T14:00", "2027-09-26T13:15"]],
  ["midnight on a Friday", "0 0 * * 5", CAIRO, "2027-04-29T00:00", ["2027-04-29T22:00", "2027-05-06T21:00"]],
  [
    "a whole day",
    "0 9 * * *",
    "Pacific/Apia",
    "2011-12-29T00:00",
    ["2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"],
  ],
];

const OVERLAPS: Row[] = [
  ["02:30", "30 2 * * *", PARIS, "2027-10-30T12:00", ["2027-10-31T00:30", "2027-11-01T01:30"]],
  ["asked for after the first", "30 2 * * *", PARIS, "2027-10-31T00:30", ["2027-11-01T01:30"]],
  ["asked for while the hour repeats", "30 2 * * *", PARIS, "2027-10-31T01:10", ["2027-11-01T01:30"]],
  ["asked for where the hour begins again", "30 2,4 * * *", PARIS, "2027-10-31T01:00", ["2027-10-31T03:30"]],
  ["03:00, the end of the repeated hour", "0 3 * * *", PARIS, "2027-10-30T12:00", ["2027-10-31T02:00"]],
  [
    "a range of hours",
    "*/20 2-3 * * *",
    PARIS,
    "2027-10-31T00:20",
    ["2027-10-31T00:40", "2027-10-31T02:00", "2027-10-31T02:20"],
  ],
  ["each hour", "0 * * * *", PARIS, "2027-10-30T23:30", ["2027-10-31T00:00", "2027-10-31T01:00", "2027-10-31T02:00"]],
  [
    "each second hour",
    "0 */2 * * *",
    PARIS,
    "2027-10-30T22:00",
    ["2027-10-31T00:00", "2027-10-31T01:00", "2027-10-31T03:00"],
  ],
  [
    "half hours",
    "*/30 * * * *",
    PARIS,
    "2027-10-31T00:00",
    ["2027-10-31T00:30", "2027-10-31T01:00", "2027-10-31T01:30"],
  ],
  ["01:30", "30 1 * * *", NEW_YORK, "2027-11-06T12:00", ["2027-11-07T05:30", "2027-11-08T06:30"]],
  ["02:30 in April", "30 2 * * *", SYDNEY, "2027-04-03T00:00", ["2027-04-03T15:30", "2027-04-04T16:30"]],
  [
    "each hour in April",
    "0 * * * *",
    SYDNEY,
    "2027-04-03T14:30",
    ["2027-04-03T15:00", "2027-04-03T16:00", "2027-04-03T17:00"],
  ],
  ["23:30, into the day before", "30 23 * * *", SANTIAGO, "2027-04-03T12:00", ["2027-04-04T02:30", "2027-04-05T03:30"]],
  ["the midnight that comes late", "0 0 4 4 *", SANTIAGO, "2027-04-03T00:00", ["2027-04-04T04:00"]],
  ["half an hour", "45 1 * * *", LORD_HOWE, "2027-04-03T00:00", ["2027-04-03T14:45", "2027-04-04T15:15"]],
  [
    "each hour, half of one twice",
    "45 * * * *",
    LORD_HOWE,
    "2027-04-03T14:00",
    ["2027-04-03T14:45", "2027-04-03T15:15", "2027-04-03T16:15"],
  ],
  ["03:00 between 02:45 and 03:45", "0 3 * * *", CHATHAM, "2027-04-03T00:00", ["2027-04-03T13:15", "2027-04-04T14:15"]],
  [
    "half past each hour",
    "30 * * * *",
    CHATHAM,
    "2027-04-03T13:00",
    ["2027-04-03T13:45", "2027-04-03T14:45", "2027-04-03T15:45"],
  ],
  ["the last hour of a Thursday", "30 23 * * 4", CAIRO, "2027-10-28T12:00", ["2027-10-28T20:30", "2027-11-04T21:30"]],
];

describe("the next slots", () => {
  it.each(CALENDAR)("of the calendar: %s (%s in %s)", (_, cron, timezone, after, expected) => {
    expect(slotsAfter({ cron, timezone }, after, expected.length)).toEqual(expected);
  });

  it.each(GAPS)("where clocks leap: %s (%s in %s)", (_, cron, timezone, after, expected) => {
    expect(slotsAfter({ cron, timezone }, after, expected.length)).toEqual(expected);
  });

  it.each(OVERLAPS)("where clocks go back: %s (%s in %s)", (_, cron, timezone, after, expected) => {
    expect(slotsAfter({ cron, timezone }, after, expected.length)).toEqual(expected);
  });

  it.each<[Omit<Timing, "timezone">, string, string, string[]]>([
    [{ every: "hourly" }, "UTC", "2027-01-01T00:00", ["2027-01-01T01:00", "2027-01-01T02:00"]],
    [{ every: "hourly", minute: 20 }, PARIS, "2027-10-31T00:00", ["2027-10-31T00:20", "2027-10-31T01:20"]],
    [{ every: "daily" }, "Asia/Tokyo", "2027-01-01T00:00", ["2027-01-02T00:00", "2027-01-03T00:00"]],
    [{ every: "daily", time: "02:30" }, PARIS, "2027-03-27T12:00", ["2027-03-28T01:00", "2027-03-29T00:30"]],
    [{ every: "weekdays", time: "09:07" }, NEW_YORK, "2027-03-12T15:00", ["2027-03-15T13:07", "2027-03-16T13:07"]],
    [{ every: "weekly" }, "UTC", "2027-01-01T00:00", ["2027-01-04T09:00", "2027-01-11T09:00"]],
    [{ every: "weekly", weekday: "sunday", time: "18:30" }, "UTC", "2027-01-01T00:00", ["2027-01-03T18:30"]],
    [{ every: "monthly" }, "UTC", "2027-01-01T09:00", ["2027-02-01T09:00", "2027-03-01T09:00"]],
    [{ every: "monthly", day: 28, time: "23:59" }, PARIS, "2027-02-01T00:00", ["2027-02-28T22:59", "2027-03-28T21:59"]],
    [{ at: "2026-12-05T09:00" }, "Asia/Tokyo", "2026-12-01T00:00", ["2026-12-05T00:00"]],
    [{ at: "2026-12-05T09:00" }, "Asia/Tokyo", "2026-12-05T00:00", []],
  ])("of %j in %s", (timing, timezone, after, expected) => {
    expect(slotsAfter({ ...timing, timezone }, after, Math.max(1, expected.length))).toEqual(expected);
  });

  it("are none of an expression that names no day, and none when none are asked for", () => {
    expect(slotsAfter({ cron: "0 0 30 2 *", timezone: "UTC" }, "2027-01-01T00:00", 3)).toEqual([]);
    expect(slotsAfter({ cron: "* * * * *", timezone: "UTC" }, "2027-01-01T00:00", 0)).toEqual([]);
  });

  it("begin after the moment that was asked for, be it within a minute", () => {
    const afterMs = Date.parse("2027-01-01T00:00:00.001Z");
    expect(nextSlots({ cron: "* * * * *", timezone: "UTC" }, afterMs - 2, 1)).toEqual([afterMs - 1]);
    expect(nextSlots({ cron: "* * * * *", timezone: "UTC" }, afterMs, 1)).toEqual([afterMs - 1 + 60_000]);
  });
});

const EXPRESSIONS = [
  "* * * * *",
  "*/7 * * * *",
  "0 * * * *",
  "30 */2 * * *",
  "15 1-5/2 * * *",
  "45 1,2,3 * * *",
  "*/10 0-3 * * *",
  "0,30 23 * * *",
  "0 0 * * *",
  "30 0,2 * * 0,5",
  "10 2 1-7 * 7",
  "59 1-3 28-31 3,10 *",
];

describe("minute for minute", () => {
  it.each([
    [PARIS, "2027-03-25T00:00"],
    [PARIS, "2027-10-28T00:00"],
    [NEW_YORK, "2027-11-04T00:00"],
    [SANTIAGO, "2027-04-01T00:00"],
    [SANTIAGO, "2027-09-02T00:00"],
    [LORD_HOWE, "2027-04-01T00:00"],
    [LORD_HOWE, "2027-09-30T00:00"],
    [CHATHAM, "2027-04-01T00:00"],
    [CAIRO, "2027-10-26T00:00"],
    ["America/St_Johns", "2010-11-04T00:00"],
    ["Pacific/Apia", "2011-12-27T00:00"],
  ])("slots are what the clocks of %s show after %s", (timezone, from) => {
    const fromMs = Date.parse(`${from}Z`);
    const shown = shownMinutes(timezone, fromMs, fromMs + 5 * 86_400_000);
    for (const cron of EXPRESSIONS) {
      const expected = firesOf(cron, shown, fromMs).map(minuteOf);
      expect(slotsAfter({ cron, timezone }, from, expected.length), cron).toEqual(expected);
    }
  });
});

describe("jitter", () => {
  it("is none without a setting, and else the same each time", () => {
    expect(jitterMs("trg_0ABCDEFGHJKMNPQRSTVWXYZ012", undefined)).toBe(0);
    const first = jitterMs("trg_0ABCDEFGHJKMNPQRSTVWXYZ012", "1h");
    expect(jitterMs("trg_0ABCDEFGHJKMNPQRSTVWXYZ012", "1h")).toBe(first);
    expect(jitterMs("trg_0ABCDEFGHJKMNPQRSTVWXYZ013", "1h")).not.toBe(first);
  });

  it("spreads triggers evenly over its length, and never reaches it", () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let at = 0; at < 10_000; at++) {
      const ms = jitterMs(`trg_${String(at).padStart(26, "0")}`, "10s");
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(10_000);
      const tenth = Math.floor(ms / 1_000);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});

function slotsAfter(timing: Timing, after: string, count: number): string[] {
  return nextSlots(timing, Date.parse(`${after}Z`), count).map(minuteOf);
}

/** A slot is a whole minute. */
function minuteOf(atMs: number): string {
  return new Date(atMs).toISOString().replace(":00.000Z", "");
}
