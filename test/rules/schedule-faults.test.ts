/** Schedules that can't be kept, each with what to write instead, and the forms in which a single time is written. */
import { describe, expect, it } from "vitest";
import { resolveAt, scheduleFault } from "#rules/schedules/schedule.ts";

const NOW_MS = Date.parse("2026-11-22T10:00:00Z");

describe("a cron expression", () => {
  it.each([
    "* * * * *",
    "*/15 0-23/2 1,15 JAN-mar Mon",
    "  5   4 * *  sun ",
    "0 0 29 2 *",
    "0 0 30 2 1",
    "0 0 * * fri-sun",
    "0-59/59 0 1 */11 0-7/6",
    "0 9 L * *",
    "0 9 1,l * Mon#1,fri#L,7#5",
  ])("may be %j", (cron) => {
    expect(faultOf(cron)).toBeNull();
  });

  it.each([
    ["* * * *", "this one has 4"],
    ["0 0 10 * * 1", "Seconds and years are not fields here"],
    ["0 0 1 1 * 2027", "five fields (minute, hour, day of month, month, day of week), this one has 6"],
    ["@daily", 'write "0 0 * * *"'],
    ["@reboot", "write five fields"],
    ["60 * * * *", "The minute must be from 0 to 59, not 60"],
    ["0 24 * * *", "The hour must be from 0 to 23, not 24"],
    ["0 0 0 * *", "The day of month must be from 1 to 31, not 0"],
    ["0 0 * 13 *", "The month must be from 1 to 12, not 13"],
    ["0 0 * * 8", "The day of week must be from 0 to 7, not 8"],
    ["0 0 * foo *", '"foo" is no month: it is one of jan'],
    ["0 0 * * funday", '"funday" is no day of week: it is one of sun'],
    ["0 mon * * *", '"mon" is no hour: it takes numbers'],
    ["*/0 * * * *", 'The minute\'s step in "*/0" must be from 1 to 59'],
    ["*/90 * * * *", 'The minute\'s step in "*/90" must be from 1 to 59'],
    ["5/15 * * * *", 'write "5-59/15"'],
    ["0 22-2 * * *", 'write "22-23,0-2"'],
    ["0 0 * * fri-mon", 'write "fri-6,0-mon"'],
    ["0 22-2/2 * * *", "write it as a list"],
    ["61 25 * * 9", "not 61. The hour must be from 0 to 23, not 25. The day of week must be from 0 to 7, not 9."],
    ["CRON_TZ=America/New_York 0 9 * * *", 'write cron "0 9 * * *" and timezone "America/New_York"'],
    ["TZ=UTC 0 9 * * *", 'write cron "0 9 * * *" and timezone "UTC"'],
    ["0,,5 * * * *", "take out the comma too many"],
    ["0 0 L-3 * *", '"l" is no day of month'],
    ["0 0 * L *", "is no month"],
    ["0 0 * * L", "is no day of week"],
    ["0 0 * * mon#6", "can't be read as a day of week"],
    ["0 0 * * 8#1", "can't be read as a day of week"],
    ["0 0 * * mon#0", "can't be read as a day of week"],
    ["0 0 15W * *", "can't be read as a day of month"],
    ["0 0 * * 5L", "can't be read as a day of week"],
    ["0 0 ? * 1", "can't be read as a day of month"],
    ["0 0 1 * +1", "can't be read as a day of week"],
    ["-5 * * * *", "can't be read as a minute"],
    ["1.5 * * * *", "can't be read as a minute"],
    ["0 0 30 2 *", '"0 0 30 2 *" never occurs'],
    ["0 0 31 4,6,9,11 *", "never occurs"],
  ])("may not be %j", (cron, message) => {
    expect(faultOf(cron)).toMatchObject({ field: "cron", message: expect.stringContaining(message) });
  });
});

it.each(["7-2", "7-6", "7-1", "7-0", "fri-mon", "sat-2", "6-0", "5-1", "sat-mon"])(
  "what is to be written in place of the days %s can be written",
  (days) => {
    const instead = /write "([^"]+)"/.exec(faultOf(`0 0 * * ${days}`)?.message ?? "")?.[1];
    expect(instead).toBeDefined();
    expect(faultOf(`0 0 * * ${instead}`)).toBeNull();
  },
);

describe("a zone", () => {
  const zoneFault = (timezone: string, keepsZone = false) =>
    scheduleFault({ cron: "0 9 * * *", timezone }, NOW_MS, { keepsZone });

  it.each([
    ["BST", "Europe/London"],
    ["bst", "Europe/London"],
    ["IST", "Asia/Kolkata"],
    ["AST", "America/Halifax"],
    ["PST", "America/Los_Angeles"],
    ["CST", "America/Chicago"],
    ["MIT", "Europe/Paris"],
    ["ECT", "Europe/Paris"],
    ["NET", "Europe/Paris"],
    ["SystemV/PST8", "Europe/Paris"],
    ["Factory", "Europe/Paris"],
    ["Etc/Unknown", "Europe/Paris"],
  ])("may not be %s, but for instance %s", (zone, place) => {
    expect(zoneFault(zone)).toEqual({
      field: "timezone",
      message: `"${zone}" is no IANA time zone: name a place, for example "${place}".`,
    });
    expect(zoneFault(zone, true)).toBeNull();
  });

  it("may be any name of the list, also an old one", () => {
    const old = [
      "UTC",
      "gmt",
      "EST",
      "EST5EDT",
      "CET",
      "Japan",
      "NZ-CHAT",
      "GB",
      "Asia/Calcutta",
      "US/Pacific",
      "Etc/GMT+5",
    ];
    for (const zone of [...old, ...Intl.supportedValuesOf("timeZone")]) expect(zoneFault(zone), zone).toBeNull();
  });
});

describe("a single time", () => {
  it.each([
    ["2026-12-05T09:00", "Asia/Tokyo", "2026-12-05T00:00:00.000Z"],
    ["2026-12-05 09:00", "Asia/Tokyo", "2026-12-05T00:00:00.000Z"],
    ["2026-12-05T09:00:30", "Europe/Paris", "2026-12-05T08:00:30.000Z"],
    ["2026-12-05T09:00:30.5Z", "Asia/Tokyo", "2026-12-05T09:00:30.500Z"],
    ["2026-12-05t09:00z", "Asia/Tokyo", "2026-12-05T09:00:00.000Z"],
    ["2026-12-05T09:00+05:45", "UTC", "2026-12-05T03:15:00.000Z"],
    ["2026-12-05T09:00:00-08:00", "UTC", "2026-12-05T17:00:00.000Z"],
    // The clocks leap from 02:00 to 03:00, and go back from 03:00 to 02:00.
    ["2027-03-28T02:30", "Europe/Paris", "2027-03-28T01:00:00.000Z"],
    ["2027-10-31T02:30", "Europe/Paris", "2027-10-31T00:30:00.000Z"],
    ["2027-10-31T02:30+01:00", "Europe/Paris", "2027-10-31T01:30:00.000Z"],
    ["2027-09-05T00:15", "America/Santiago", "2027-09-05T04:00:00.000Z"],
    ["2027-04-03T23:30", "America/Santiago", "2027-04-04T02:30:00.000Z"],
    ["2011-12-30T15:00", "Pacific/Apia", "2011-12-30T10:00:00.000Z"],
  ])("%s in %s is %s", (at, timezone, expected) => {
    expect(resolveAt(at, timezone, NOW_MS)).toBe(expected);
    expect(resolveAt(expected, timezone, NOW_MS)).toBe(expected);
  });

  it.each([
    ["in 30m", "UTC", "2026-11-22T10:00:00Z", "2026-11-22T10:30:00.000Z"],
    ["in 1 hour", "UTC", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00.000Z"],
    ["In 3 Days", "UTC", "2026-11-22T10:00:00Z", "2026-11-25T10:00:00.000Z"],
    ["in 2 weeks", "Asia/Kathmandu", "2026-11-22T10:00:00Z", "2026-12-06T10:00:00.000Z"],
    ["in 1 minute", "UTC", "2026-11-22T10:00:00.001Z", "2026-11-22T10:02:00.000Z"],
    ["in 1 day", "UTC", "2026-11-22T10:00:59.999Z", "2026-11-23T10:01:00.000Z"],
    // 24 hours and a day differ when the clocks change in between.
    ["in 24h", "Europe/Paris", "2027-03-27T11:00:00Z", "2027-03-28T11:00:00.000Z"],
    ["in 1d", "Europe/Paris", "2027-03-27T11:00:00Z", "2027-03-28T10:00:00.000Z"],
    ["in 1 week", "America/New_York", "2027-11-03T12:00:00Z", "2027-11-10T13:00:00.000Z"],
    ["in 1 day", "Europe/Paris", "2027-03-27T01:30:00Z", "2027-03-28T01:00:00.000Z"],
    ["in 1 day", "Europe/Paris", "2027-10-30T00:30:00Z", "2027-10-31T00:30:00.000Z"],
  ])("%s in %s, written at %s, is %s", (at, timezone, now, expected) => {
    expect(resolveAt(at, timezone, Date.parse(now))).toBe(expected);
  });

  it.each([
    ["tomorrow at 9", "can't be read as a time"],
    ["2026-12-05", "can't be read as a time"],
    ["09:00", "can't be read as a time"],
    ["2026-12-05T09:00+0900", "can't be read as a time"],
    ["2026-02-30T09:00", "does not exist"],
    ["2026-12-05T24:00", "does not exist"],
    ["2026-12-05T09:60", "does not exist"],
    ["2026-12-05T09:00:60", "does not exist"],
    ["2026-12-05T09:00+24:00", "an offset that no zone has"],
    ["9999-12-31T23:59-01:00", "after the year 9999"],
    ["in 0 minutes", "at least one minute"],
    ["in 2 months", '"months" is no unit of a delay: use minutes, hours, days or weeks'],
    ["in two weeks", "can't be read as a time"],
    ["in -5 minutes", "can't be read as a time"],
  ])("may not be %j", (at, message) => {
    const fault = scheduleFault({ at, timezone: "UTC" }, NOW_MS, { refusePast: true });
    expect(fault).toMatchObject({ field: "at", message: expect.stringContaining(message) });
    expect(() => resolveAt(at, "UTC", NOW_MS)).toThrow(RangeError);
  });

  it("may not have passed when it is being written", () => {
    const trigger = { at: "2026-11-22T11:00", timezone: "Europe/Paris" };
    const fault = scheduleFault(trigger, NOW_MS, { refusePast: true });
    expect(fault).toMatchObject({
      field: "at",
      message: expect.stringMatching(/^2026-11-22T10:00:00.000Z has passed/),
    });
    expect(scheduleFault(trigger, NOW_MS, { refusePast: false })).toBeNull();
    expect(scheduleFault(trigger, NOW_MS - 1, { refusePast: true })).toBeNull();
  });
});

it("finds no fault in a preset", () => {
  expect(scheduleFault({ timezone: "UTC" }, NOW_MS, { refusePast: true })).toBeNull();
});

function faultOf(cron: string) {
  return scheduleFault({ cron, timezone: "UTC" }, NOW_MS);
}

describe("a delay", () => {
  const late = Date.UTC(9999, 11, 20);
  it.each(["in 2 weeks", "in 12 days", "in 99999 weeks", "in 288h", "in 17280 minutes"])(
    "that ends after the year 9999 is refused: %s",
    (at) => {
      expect(scheduleFault({ at, timezone: "UTC" }, late)).toMatchObject({
        field: "at",
        message: expect.stringContaining("after the year 9999"),
      });
    },
  );

  it("that ends in it is taken", () => {
    expect(scheduleFault({ at: "in 11 days", timezone: "UTC" }, late)).toBeNull();
  });
});
