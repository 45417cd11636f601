/** A run that does not stop when it is told to: it is ended by itself, and the other runs of its runner go on. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { defaultPool, ownerOf } from "#test/support/objects.ts";

const NOBODYS = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };

afterEach(() => {
  vi.useRealTimers();
});

/** Some time later. */
function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

/** Some time later the pool's alarm rings. */
async function alarmAfter(ms: number): Promise<void> {
  pass(ms);
  await runDurableObjectAlarm(defaultPool());
}

/** The runner is heard of, and the pool has heard it: what nobody has asked for is to be stopped. */
async function giveSign(runner: FakeRunner): Promise<void> {
  const answers = () => runner.socket.messages.filter(({ lease }) => JSON.stringify(lease) === JSON.stringify(NOBODYS));
  const before = answers().length;
  runner.socket.send({ type: "accept", lease: NOBODYS });
  await runner.socket.until(() => answers().length > before);
}

async function begin(runner: FakeRunner): Promise<{ runId: string; work: FakeWork }> {
  const { run_id } = await fired(await buildRoutine());
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  return { runId: run_id, work };
}

/** Two runs on one runner, of which the first was told to stop 20 s ago, and has not. */
async function twoRuns(runner: FakeRunner) {
  const [stubborn, other] = [await begin(runner), await begin(runner)];
  await call("POST", `/api/v1/runs/${stubborn.runId}/cancel`);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 21_000 });
  await runDurableObjectAlarm(ownerOf(stubborn.runId));
  await runner.socket.next(({ type }) => type === "stop");
  pass(20_000);
  await giveSign(runner);
  return { stubborn, other };
}

describe("a run that ignores a stop for 20 s", () => {
  it("is killed, and the word of the runner settles it", async () => {
    using runner = await FakeRunner.join({ id: "killer" });
    const { stubborn, other } = await twoRuns(runner);
    await alarmAfter(1);
    const kill = await runner.socket.next(({ type }) => type === "kill");
    expect(kill["lease"]).toEqual(stubborn.work.offer.lease);
    runner.ended(stubborn.work.offer.lease);
    await giveSign(runner);
    await runDurableObjectAlarm(defaultPool());
    await vi.waitUntil(async () => (await readRun(stubborn.runId)).status === "canceled");
    await other.work.finish(SUCCEEDED);
    expect((await readRun(other.runId)).status).toBe("succeeded");
    expect(runner.socket.messages.filter(({ type }) => type === "kill")).toHaveLength(1);
  });

  it.each([
    ["of this version", 2],
    ["of the version before, which knows no kill", 1],
  ])("ends by itself when the runner, %s, is there and can't end it", async (_which, protocol) => {
    using runner = await FakeRunner.join({ id: `helpless-${protocol}`, protocol });
    const { stubborn, other } = await twoRuns(runner);
    await alarmAfter(1);
    pass(3_000);
    await giveSign(runner);
    expect((await readRun(stubborn.runId)).status).toBe("running");
    await alarmAfter(3_000);
    await vi.waitUntil(async () => (await readRun(stubborn.runId)).status === "canceled");
    expect(runner.socket.closed).toBeNull();
    await other.work.report(SUCCEEDED);
    runner.ended(other.work.offer.lease);
    // It says so after all: nobody minds.
    runner.ended(stubborn.work.offer.lease);
    expect(await readRun(other.runId)).toMatchObject({ status: "succeeded", attempt: 1 });
    expect(runner.socket.messages.filter(({ type }) => type === "kill")).toHaveLength(protocol === 1 ? 0 : 1);
  });

  it("is given up with its runner when that answers nothing at all", async () => {
    using runner = await FakeRunner.join({ id: "dead-to-the-world" });
    const { stubborn, other } = await twoRuns(runner);
    await alarmAfter(1);
    await alarmAfter(6_000);
    await runner.socket.until(() => runner.socket.closed !== null);
    await vi.waitUntil(async () => (await readRun(stubborn.runId)).status === "canceled");
    await vi.waitUntil(async () => (await readRun(other.runId)).status !== "running");
  });
});

describe("a runner that declines an offer", () => {
  it("for want of room leaves it to another, and no attempt is used up", async () => {
    using full = await FakeRunner.join({ id: "full", capacity: 9 });
    const { run_id } = await fired(await buildRoutine());
    await full.decline("full");
    using roomy = await FakeRunner.join({ id: "roomy", capacity: 1 });
    const work = await roomy.work(await roomy.accept());
    expect(work.offer.lease).toEqual({ run_id, generation: 1 });
    await work.finish(SUCCEEDED);
    expect(await readRun(run_id)).toMatchObject({ status: "succeeded", attempt: 1, runner: { id: "roomy" } });
  });

  it("and is the only one is offered it again after a while", async () => {
    using runner = await FakeRunner.join({ id: "soon-free" });
    const { run_id } = await fired(await buildRoutine());
    await runner.decline("full");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    await vi.waitUntil(async () => (await readRun(run_id)).status === "starting");
    await alarmAfter(5_001);
    const work = await runner.work(await runner.accept());
    expect(work.offer.lease.generation).toBe(1);
    await work.finish(SUCCEEDED);
    expect(await readRun(run_id)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  it("and whose word is lost with its connection is offered it again, and no attempt is used up", async () => {
    using runner = await FakeRunner.join({ id: "not-heard" });
    const { run_id } = await fired(await buildRoutine());
    await runner.seeOffer();
    await runner.rejoin([]);
    const work = await runner.work(await runner.accept());
    await work.finish(SUCCEEDED);
    expect(await readRun(run_id)).toMatchObject({ status: "succeeded", attempt: 1 });
  });

  it("because it leaves is offered nothing more, and its run waits for the next runner", async () => {
    const leaving = await FakeRunner.join({ id: "leaving" });
    leaving.socket.send({ type: "draining" });
    const [first, second] = [await fired(await buildRoutine()), await fired(await buildRoutine())];
    await vi.waitUntil(async () => (await readRun(second.run_id)).status === "starting");
    using next = await FakeRunner.join({ id: "next" });
    for (const { run_id } of [first, second]) {
      const work = await next.work(await next.accept());
      expect(work.offer.lease).toEqual({ run_id, generation: 1 });
      await work.finish(SUCCEEDED);
    }
    expect(leaving.socket.messages.filter(({ type }) => type === "offer")).toEqual([]);
    leaving.socket.close();
  });
});
