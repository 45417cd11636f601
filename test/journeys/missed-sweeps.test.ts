/** No sweep comes for some minutes, and the routine's own alarm may ring meanwhile: what is missed is not fired all at once. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildRoutine } from "#test/support/api.ts";
import { occurrencesOf, tick } from "#test/support/clock.ts";
import { ownerOf } from "#test/support/objects.ts";

const MINUTE_MS = 60_000;
const NINE_MS = Date.parse("2026-11-23T09:00:00.000Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NINE_MS - MINUTE_MS / 2 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets the object's alarm ring, if it is armed for now or before. */
async function ringIfDue(id: string): Promise<void> {
  const armedAt = await runInDurableObject(ownerOf(id), (_object, state) => state.storage.getAlarm());
  if (armedAt !== null && armedAt <= Date.now()) await runDurableObjectAlarm(ownerOf(id));
}

interface Told {
  /** How many times have been told of. */
  times: number;
  /** Those that started a run or wait for one, as minutes of the hour. */
  runs: number[];
}

/** What a routine makes of minutes without a sweep, from nine on, and of the sweep after them. */
async function withoutSweeps(minutes: number, schedule: Record<string, unknown>, hasAlarm: boolean): Promise<Told> {
  const routine = await buildRoutine({ overlap: "queue", triggers: [{ type: "schedule", ...schedule }] });
  for (let minute = 0; minute < minutes; minute += 1) {
    vi.setSystemTime(NINE_MS + minute * MINUTE_MS);
    if (hasAlarm) await ringIfDue(routine.id);
  }
  await tick(new Date(NINE_MS + minutes * MINUTE_MS).toISOString());
  const all = await occurrencesOf(routine.id);
  const runs = all.filter(({ outcome }) => outcome === "started" || outcome === "queued");
  return { times: all.length, runs: runs.map(({ trigger }) => Number(/09:(\d\d)/.exec(trigger.summary)?.[1])) };
}

describe.each(["none", "latest", "all"])("catch_up %s", (catch_up) => {
  const minutely = { cron: "* * * * *", catch_up };
  const minutesUpTo = (last: number) => Array.from({ length: last + 1 }, (_, at) => at);

  it.each([2, 5, 10])("without an alarm, after %i minutes starts one run, or all", async (minutes) => {
    const { times, runs } = await withoutSweeps(minutes, minutely, false);
    expect(times).toBe(minutes + 1);
    expect(runs).toEqual(catch_up === "all" ? minutesUpTo(minutes) : [minutes]);
  });

  it.each([
    [1, [0, 1]],
    [2, [2]],
    [4, [4]],
    // The alarm rings four minutes after a time for which nobody has come.
    [5, [4, 5]],
    [7, [4, 7]],
    [10, [4, 9, 10]],
  ])(
    "with the routine's own alarm, after %i minutes starts the newest of each look, or all",
    async (minutes, newest) => {
      const { times, runs } = await withoutSweeps(minutes, minutely, true);
      expect(times).toBe(minutes + 1);
      expect(runs).toEqual(catch_up === "all" ? minutesUpTo(minutes) : newest);
    },
  );

  it.each([
    ["a cron of once a day", { cron: "0 9 * * *" }],
    ["an hour", { every: "hourly" }],
    ["a moment", { at: "2026-11-23T09:00:00Z" }],
  ])("%s fires once in ten minutes without a sweep, by its own alarm", async (_name, schedule) => {
    expect(await withoutSweeps(10, { ...schedule, catch_up }, true)).toEqual({ times: 1, runs: [0] });
  });
});
