/** A routine changes between the sweep and its object's look, or is paused, or is not there any more. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { countsOf, dueRowOf, occurrencesOf, passTo, realDeps, sweptAt, tick, toldOf } from "#test/support/clock.ts";
import { lookAt } from "#worker/clock/look-at.ts";

const NINE = "2026-11-23T09:00:00.000Z";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-23T08:59:30.000Z") });
});
afterEach(() => {
  vi.useRealTimers();
});

function scheduled(...schedules: Record<string, unknown>[]) {
  return buildRoutine({ triggers: schedules.map((schedule) => ({ type: "schedule", ...schedule })) });
}

async function change(id: string, triggers: unknown[]): Promise<Routine> {
  const { status, body } = await call<Routine>("PATCH", `/api/v1/routines/${id}`, { triggers });
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

function post(id: string, verb: "pause" | "resume") {
  return call("POST", `/api/v1/routines/${id}/${verb}`);
}

describe("between the sweep and the look", () => {
  it("a new schedule keeps the id and begins anew, after what was due has fired", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" });
    const sent = await sweptAt(NINE);
    expect(sent).toEqual([{ routine_id: routine.id }]);
    passTo("2026-11-23T09:00:02.000Z");
    const changed = await change(routine.id, [{ type: "schedule", cron: "0,1 9 * * *" }]);
    expect(changed.triggers[0]?.id).toBe(routine.triggers[0]?.id);
    await lookAt(realDeps(), sent);
    expect(await toldOf(routine.id)).toEqual(["started admitted: Scheduled for 23 Nov 2026, 09:00 (UTC)"]);
    expect(await dueRowOf(routine.id)).toBe("2026-11-23T09:01:00.000Z");
    await tick("2026-11-23T09:01:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2 });
  });

  it("a change of something else leaves the schedule as it is, and so does the same written again", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" }, { cron: "5 9 * * *" });
    passTo("2026-11-23T09:00:01.000Z");
    const [first, second] = routine.triggers;
    const changed = await change(routine.id, [{ type: "schedule", cron: "5 9 * * *", timezone: "UTC" }, first]);
    expect(changed.triggers.map(({ id }) => id)).toEqual([second?.id, first?.id]);
    await tick("2026-11-23T09:01:00.000Z");
    await tick("2026-11-23T09:05:00.000Z");
    expect(await toldOf(routine.id)).toEqual([
      "started admitted: Scheduled for 23 Nov 2026, 09:00 (UTC)",
      "started admitted: Scheduled for 23 Nov 2026, 09:05 (UTC)",
    ]);
  });

  it("a time that its delay still held back fires when its schedule goes, and stays held back otherwise", async () => {
    const routine = await scheduled({ at: NINE, jitter: "1h" }, { at: NINE, jitter: "1h" });
    const [going, staying] = routine.triggers;
    passTo("2026-11-23T09:00:00.001Z");
    await change(routine.id, [staying]);
    const [only, ...others] = await occurrencesOf(routine.id);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ outcome: "started", trigger: { id: going?.id } });
    await tick("2026-11-23T10:00:00.000Z");
    await tick("2026-11-23T10:01:00.000Z");
    const ids = (await occurrencesOf(routine.id)).map(({ trigger }) => trigger.id);
    expect(ids).toEqual([going?.id, staying?.id]);
  });

  it("a schedule that is taken out fires no more, and D1 forgets it", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" });
    await change(routine.id, [{ type: "api" }]);
    expect(await dueRowOf(routine.id)).toBeNull();
    await lookAt(realDeps(), [{ routine_id: routine.id }]);
    await tick(NINE);
    expect(await toldOf(routine.id)).toEqual([]);
    expect(await dueRowOf(routine.id)).toBeNull();
  });

  it("an answer about what the schedule was before does not put off what it is", async () => {
    const routine = await scheduled({ cron: "0 9 1 * *" });
    const before = { routine_id: routine.id, due_at: Date.parse("2026-12-01T09:00:00Z"), version: 2 };
    await change(routine.id, [{ type: "schedule", cron: "0 9 * * *" }]);
    await realDeps().due.settle([before, { ...before, due_at: null }]);
    expect(await dueRowOf(routine.id)).toBe(NINE);
    await tick(NINE);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
  });

  it("what was due before a pause fires; a pause refuses what comes due, and resuming makes up for nothing", async () => {
    const routine = await scheduled({ cron: "*/10 * * * *", catch_up: "all" });
    const sent = await sweptAt(NINE);
    await post(routine.id, "pause");
    await lookAt(realDeps(), sent);
    const before = { "started admitted": 1 };
    expect(await countsOf(routine.id)).toEqual(before);
    // Nobody sweeps for an hour and a half.
    passTo("2026-11-23T10:35:00.000Z");
    await post(routine.id, "resume");
    await tick("2026-11-23T10:36:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ ...before, "refused routine_paused": 9 });
    await tick("2026-11-23T10:40:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 2, "refused routine_paused": 9 });
  });

  it("what was sent on while the routine was paused finds it at work again", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" });
    await post(routine.id, "pause");
    const sent = await sweptAt(NINE);
    await post(routine.id, "resume");
    await lookAt(realDeps(), sent);
    expect(await countsOf(routine.id)).toEqual({ "refused routine_paused": 1 });
    await tick("2026-11-24T09:00:00.000Z");
    expect(await countsOf(routine.id)).toEqual({ "refused routine_paused": 1, "started admitted": 1 });
  });

  it.each([
    ["and the sweep comes in the middle", "2026-11-23T09:00:15.000Z"],
    ["and the sweep comes afterwards", "2026-11-23T09:00:25.000Z"],
  ])("a pause of ten seconds refuses nothing that was due before it, %s", async (_what, sweptTime) => {
    const routine = await scheduled({ cron: "*/10 * * * *" });
    passTo("2026-11-23T09:00:10.000Z");
    await post(routine.id, "pause");
    await post(routine.id, "pause");
    if (sweptTime < "2026-11-23T09:00:20.000Z") await tick(sweptTime);
    passTo("2026-11-23T09:00:20.000Z");
    await post(routine.id, "resume");
    await post(routine.id, "resume");
    await tick(sweptTime);
    expect(await countsOf(routine.id)).toEqual({ "started admitted": 1 });
  });

  it("what jitter still holds back when the pause comes is refused with the rest, and runs may be started by hand", async () => {
    const routine = await scheduled({ at: NINE, jitter: "1h" }, { cron: "*/30 * * * *" });
    passTo("2026-11-23T09:00:01.000Z");
    await post(routine.id, "pause");
    await change(routine.id, routine.triggers);
    expect((await call("POST", `/api/v1/routines/${routine.id}/run`, {})).status).toBe(200);
    passTo("2026-11-23T10:10:00.000Z");
    await post(routine.id, "resume");
    const counts = { "started admitted": 2, "refused routine_paused": 3 };
    expect(await countsOf(routine.id)).toEqual(counts);
    await tick("2026-11-23T10:11:00.000Z");
    expect(await countsOf(routine.id)).toEqual(counts);
  });

  it("a routine that is deleted is looked at in vain, and so is one whose row has outlived it", async () => {
    const routine = await scheduled({ cron: "0 9 * * *" });
    const sent = await sweptAt(NINE);
    expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
    expect(await lookAt(realDeps(), sent)).toEqual(new Set());
    expect(await dueRowOf(routine.id)).toBeNull();
    await env.DB.prepare("INSERT INTO due_routines (routine_id, due_at, version) VALUES (?, ?, 1)")
      .bind(routine.id, Date.parse(NINE))
      .run();
    await tick("2026-11-23T09:01:00.000Z");
    expect(await dueRowOf(routine.id)).toBeNull();
  });
});
