/** The pool's one alarm: one that was lost is armed again, whoever comes first. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { buildRoutine, fired, readRun } from "#test/support/api.ts";
import { wokenAt } from "#test/support/clock.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { fail, hang, pool } from "#test/support/hang.ts";
import { defaultPool } from "#test/support/objects.ts";

const START = Date.parse("2026-11-23T09:00:00.000Z");

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

/** For when the pool's alarm is armed. */
function alarmOfPool(): Promise<number | null> {
  return runInDurableObject(defaultPool(), (_object, state) => state.storage.getAlarm());
}

/** The platform drops the alarm of an object that fails too often. */
async function loseAlarm(): Promise<void> {
  await runInDurableObject(defaultPool(), (_object, { storage }) => storage.deleteAlarm());
}

/** A run that its runner works on, and D1 knows of. */
async function begun(runner: FakeRunner): Promise<string> {
  const { run_id } = await fired(await buildRoutine());
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  await vi.waitUntil(async () => {
    const row = await env.DB.prepare("SELECT status FROM runs WHERE id = ?").bind(run_id).first();
    return row?.["status"] === "running";
  });
  return run_id;
}

describe("a lost alarm", () => {
  it("is armed again by the sweep while a run has not settled, and the runner that is gone is noticed", async () => {
    using runner = await FakeRunner.join({ id: "gone" });
    const runId = await begun(runner);
    await loseAlarm();
    await wokenAt("2026-11-23T09:01:00.000Z");
    expect(await alarmOfPool()).not.toBeNull();
    await runDurableObjectAlarm(defaultPool());
    // Its silence was noticed late: it has been asked, and does not answer.
    vi.setSystemTime(Date.now() + 6_000);
    await runDurableObjectAlarm(defaultPool());
    await vi.waitUntil(async () => (await readRun(runId)).status !== "running");
  });

  it("is armed again by whatever is asked of it later", async () => {
    using runner = await FakeRunner.join({ id: "asked" });
    await begun(runner);
    await loseAlarm();
    vi.setSystemTime(START + 60_000);
    await defaultPool().request([]);
    expect(await alarmOfPool()).not.toBeNull();
  });
});

describe("the sweep", () => {
  it.each([
    ["hangs", hang],
    ["fails", fail],
  ])("sends on what has not settled though the pool %s", async (_what, trouble) => {
    const routine = await buildRoutine();
    await fired(routine);
    await vi.waitUntil(async () => {
      const row = await env.DB.prepare("SELECT id FROM runs WHERE routine_id = ?").bind(routine.id).first();
      return row !== null;
    });
    using broken = trouble(pool("keepTime"));
    const sent = wokenAt("2026-11-23T09:02:00.000Z");
    await broken.untilMet();
    broken.end();
    expect((await sent).map(({ routine_id }) => routine_id)).toContain(routine.id);
  });
});
