/** The object of an attempt's container, with a container that does as the tests say; the pool behind it is a recorder. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ContainerOrder, ContainerReport } from "#instance/object-contracts.ts";
import { sandboxObject } from "#instance/objects.ts";
import { CONTAINER_BRIEF, containerBriefSchema } from "#protocol/container-brief.ts";
import { type FakeContainer, fakeContainers, USUAL_SANDBOX } from "#test/support/fake-container.ts";
import { PoolObject, RoutineObject, SandboxObject } from "#worker/index.ts";

let containerOf: (name: string) => FakeContainer;
let reports: ContainerReport[];
let answer: () => Promise<"held" | "unknown">;
let made = 0;

beforeEach(() => {
  containerOf = fakeContainers();
  [reports, answer] = [[], async () => "held"];
  vi.spyOn(RoutineObject.prototype, "sandboxFor").mockReturnValue(USUAL_SANDBOX);
  vi.spyOn(PoolObject.prototype, "hearContainer").mockImplementation((report) => {
    reports.push(report);
    return answer() as never;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A lease whose container has not begun. */
function lease() {
  made += 1;
  const order: ContainerOrder = {
    lease: { run_id: `run_0ABCDEFGHJKMNPQRSTVWX${String(made).padStart(5, "0")}`, generation: 2 },
    link_token: "link",
    proxy_token: "proxy",
    pool: "default",
    place: "container-1",
    start_within_ms: 60_000,
  };
  const stub = () => sandboxObject(env, null, order.lease);
  const container = containerOf(`${order.lease.run_id}.2`);
  const inside = <Value>(work: (it: SandboxObject, state: DurableObjectState) => Value | Promise<Value>) =>
    runInDurableObject<SandboxObject, Value>(stub(), work);
  const told = () => reports.filter((report) => report.lease.run_id === order.lease.run_id);
  return {
    order,
    told,
    // Each its own: one of an object that has been aborted is of no use.
    get object() {
      return stub();
    },
    container,
    inside,
    /** Time passes for the object. */
    pass: (ms: number) => inside(async () => void (await vi.advanceTimersByTimeAsync(ms))),
    stored: () => inside(async (_it, { storage }) => (await storage.list()).size),
    state: () => inside((_it, { storage }) => storage.kv.get<{ life: { state: string } }>("container")?.life.state),
    /** What is told of its end, once it is. */
    end: async () => {
      await vi.waitUntil(() => told().some(({ end }) => end !== null), { interval: 2 });
      return told().find(({ end }) => end !== null)?.end;
    },
  };
}

/** One whose container runs. */
async function running() {
  const it = lease();
  await it.object.begin(it.order);
  await vi.waitUntil(async () => (await it.state()) === "running", { interval: 5 });
  return it;
}

describe("a lease's container", () => {
  it("is started once, however often it is begun, and told all that it needs", async () => {
    const it = lease();
    await Promise.all([it.object.begin(it.order), it.object.begin(it.order)]);
    await vi.waitUntil(async () => (await it.state()) === "running", { interval: 5 });
    await evictDurableObject(it.object);
    await it.object.begin(it.order);
    expect(it.container.started).toHaveLength(1);
    const { env: given, ...options } = it.container.started[0] ?? {};
    expect(options).toEqual({ image: "runner@sha256:0", instance: "standard-2", enableInternet: false });
    expect(containerBriefSchema.parse(JSON.parse(given?.[CONTAINER_BRIEF] ?? ""))).toEqual({
      instance_url: "http://reveille.internal",
      lease: it.order.lease,
      link_token: "link",
      proxy_token: "proxy",
    });
  });

  it("gets the deployment's image and size where images are not chosen at the start", async () => {
    const it = lease();
    it.container.images = {};
    await it.object.begin(it.order);
    await vi.waitUntil(() => it.container.started.length === 1, { interval: 5 });
    expect(Object.keys(it.container.started[0] ?? {}).sort()).toEqual(["enableInternet", "env"]);
  });

  it("has its way out before it starts, and again whenever its object is made anew or looks after it", async () => {
    const it = await running();
    const ways = () => [it.container.calls.interceptAllOutboundHttp, it.container.calls.interceptOutboundHttps];
    expect(ways()).toEqual([1, 1]);
    await runDurableObjectAlarm(it.object);
    expect(ways()).toEqual([2, 2]);
    await evictDurableObject(it.object);
    expect(await it.state()).toBe("running");
    await vi.waitUntil(() => ways().join() === "3,3");
    expect(it.container.calls.setInactivityTimeout).toBe(3);
  });

  it("is told of to its pool as often as it is looked after", async () => {
    const it = await running();
    await runDurableObjectAlarm(it.object);
    expect(it.told()).toEqual([{ place: "container-1", lease: it.order.lease, end: null }]);
    expect(await it.state()).toBe("running");
  });

  type Leased = ReturnType<typeof lease>;
  it.each<[string, string, (it: Leased) => unknown]>([
    [
      "vanishes",
      "runner_lost",
      ({ container, object }) => {
        container.vanish();
        return runDurableObjectAlarm(object);
      },
    ],
    [
      "vanishes, and its link closes",
      "runner_lost",
      ({ container, object }) => {
        container.vanish();
        return object.look();
      },
    ],
    [
      "vanishes while its object is not in memory",
      "runner_lost",
      async ({ container, object }) => {
        await evictDurableObject(object);
        container.vanish();
        await runDurableObjectAlarm(object);
      },
    ],
    ["exits well", "work_ended", ({ container, inside }) => inside(() => container.exit())],
    ["is killed", "work_ended", ({ object }) => object.kill()],
    [
      "is told to stop, and stops",
      "work_ended",
      async ({ container, object }) => {
        await object.stop();
        // A second signal would end its program before it has said how the run ended.
        await object.stop();
        expect(container.signals).toEqual([2]);
        container.vanish();
        await runDurableObjectAlarm(object);
      },
    ],
    [
      "has not the lease, as its pool says",
      "work_ended",
      ({ object }) => {
        answer = async () => "unknown";
        return runDurableObjectAlarm(object);
      },
    ],
  ])("that %s is gone, its pool is told %s, and nothing is left of it", async (_what, end, happen) => {
    const it = await running();
    await happen(it);
    expect(await it.end()).toBe(end);
    await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
    expect(it.container).toMatchObject({ running: false, started: { length: 1 } });
    expect(await runDurableObjectAlarm(it.object)).toBe(false);
  });

  it("is asked anew whether it runs when what would tell of its end breaks off", async () => {
    const goesOn = await running();
    const isGone = await running();
    for (const { inside, container } of [goesOn, isGone]) {
      const broken = inside(() => {
        container.lose();
        return new Promise<never>(() => {});
      });
      await expect(broken).rejects.toThrow("can't be watched");
    }
    // What an object that is made anew is told.
    goesOn.container.running = true;
    for (const { object } of [goesOn, isGone]) await runDurableObjectAlarm(object);
    expect(await isGone.end()).toBe("runner_lost");
    expect(await goesOn.state()).toBe("running");
    expect(goesOn.told().some(({ end }) => end !== null)).toBe(false);
  });

  it.each<[string, string, FakeContainer["failure"]]>([
    ["there is no room", "declined", { how: "throws", message: "There is no container instance that can be provided" }],
    [
      "there is no room, told late",
      "declined",
      { how: "is refused", message: "Maximum number of running container instances exceeded" },
    ],
    ["the image is not there", "container_image_missing", { how: "is refused", message: "No such image: runner" }],
    ["nobody says why", "container_start_failed", { how: "is refused", message: "Container failed to start" }],
    ["its process ends at once", "container_start_failed", { how: "exits", message: "" }],
  ])("that can't start, because %s, is told of as %s, and nothing is left of it", async (_what, end, failure) => {
    const it = lease();
    it.container.failure = failure;
    await it.object.begin(it.order);
    expect(await it.end()).toBe(end);
    await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
  });

  it("that found no room is begun again when its lease is offered again", async () => {
    const it = lease();
    it.container.failure = { how: "throws", message: "no container instance" };
    await it.object.begin(it.order);
    expect(await it.end()).toBe("declined");
    await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
    it.container.failure = null;
    await it.object.begin({ ...it.order, place: "container-2" });
    await vi.waitUntil(async () => (await it.state()) === "running", { interval: 5 });
  });

  it("that was starting when its object left memory is taken on if it runs, and else is lost", async () => {
    const [there, gone] = [lease(), lease()];
    for (const it of [there, gone]) {
      it.container.silent.add("setInactivityTimeout");
      await it.object.begin(it.order);
      await vi.waitUntil(() => it.container.running, { interval: 5 });
      it.container.silent.clear();
    }
    gone.container.vanish();
    for (const it of [there, gone]) {
      await it.inside(async (_before, state) => {
        const anew = new SandboxObject(state, env);
        await anew.alarm();
      });
    }
    expect(await there.state()).toBe("running");
    expect(await gone.end()).toBe("runner_lost");
    expect([there.container.started.length, gone.container.started.length]).toEqual([1, 1]);
  });

  it("that is stopped or killed before it has started is ended, and does not come back", async () => {
    for (const order of ["stop", "kill"] as const) {
      const it = lease();
      it.container.silent.add("setInactivityTimeout");
      await it.object.begin(it.order);
      await it.object[order]();
      expect(await it.end()).toBe("work_ended");
      await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
      expect(it.container.running).toBe(false);
    }
  });

  it("that is stopped before its way out is made does not start any more", async () => {
    const it = lease();
    const { promise, resolve } = Promise.withResolvers<void>();
    it.container.slow.set("interceptAllOutboundHttp", promise);
    await it.object.begin(it.order);
    await it.object.stop();
    expect(await it.end()).toBe("work_ended");
    await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
    await it.inside(async () => {
      resolve();
      // A turn later all that follows has been done.
      await new Promise((next) => setTimeout(next, 0));
    });
    expect([it.container.started.length, it.container.running]).toEqual([0, false]);
  });

  it("is told of until its pool has taken it in", async () => {
    const it = await running();
    answer = () => Promise.reject(new Error("the pool can't be opened"));
    it.container.vanish();
    await runDurableObjectAlarm(it.object);
    await vi.waitUntil(() => it.told().length === 1, { interval: 5 });
    expect(await it.state()).toBe("ending");
    await evictDurableObject(it.object);
    answer = async () => "held";
    await runDurableObjectAlarm(it.object);
    expect(it.told().map(({ end }) => end)).toEqual(["runner_lost", "runner_lost"]);
    expect(await it.stored()).toBe(0);
  });

  it.each([
    ["that says nothing to its run has not started, and is metered", false, "container_start_failed"],
    ["that has said hello may be silent", true, undefined],
  ])("%s", async (_what, hasSaidHello, end) => {
    const it = await running();
    vi.spyOn(RoutineObject.prototype, "hasSaidHello").mockReturnValue(hasSaidHello);
    const noteContainer = vi.spyOn(RoutineObject.prototype, "noteContainer").mockReturnValue();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 119_000 });
    await runDurableObjectAlarm(it.object);
    expect(await it.state()).toBe("running");
    vi.setSystemTime(Date.now() + 3_600_000);
    await runDurableObjectAlarm(it.object);
    if (end === undefined) expect([await it.state(), it.told().length]).toEqual(["running", 2]);
    else expect(await it.end()).toBe(end);
    if (end !== undefined) await vi.waitUntil(async () => (await it.stored()) === 0, { interval: 5 });
    expect(noteContainer.mock.calls.some((told) => told[1].run_id === it.order.lease.run_id)).toBe(!hasSaidHello);
  });

  it("is metered until the run has taken it in, and not where it has not started", async () => {
    const it = await running();
    const failing = lease();
    const uses: unknown[] = [];
    let isAway = true;
    vi.spyOn(RoutineObject.prototype, "noteContainer").mockImplementation((...told) => {
      // Containers of the tests before may come to their end meanwhile.
      if (![it, failing].some(({ order }) => order.lease.run_id === told[1].run_id)) return;
      uses.push(told);
      if (isAway) throw new Error("the run's object can't be opened");
    });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
    await it.object.kill();
    await vi.waitUntil(() => uses.length === 1, { interval: 5 });
    expect(await it.state()).toBe("ending");
    isAway = false;
    vi.setSystemTime(Date.now() + 3_600_000);
    // One that rings while the call before has not come back does nothing, and rings again.
    await vi.waitUntil(async () => (await runDurableObjectAlarm(it.object)) && uses.length === 2, { interval: 5 });
    const { run_id } = it.order.lease;
    expect(uses.at(-1)).toMatchObject([run_id, it.order.lease, { size: "standard-2" }]);
    const seconds = Number((uses.at(-1) as { seconds: number }[])[2]?.seconds);
    expect([seconds >= 600, seconds < 700]).toEqual([true, true]);
    expect([uses.length, await it.stored()]).toEqual([2, 0]);
    failing.container.failure = { how: "throws", message: "no container instance" };
    await failing.object.begin(failing.order);
    expect(await failing.end()).toBe("declined");
    expect(uses).toHaveLength(2);
  });

  it("is looked after again when its object, whose alarm the platform has dropped, is made anew", async () => {
    const it = await running();
    await it.inside((_it, { storage }) => storage.deleteAlarm());
    await evictDurableObject(it.object);
    await vi.waitUntil(() => it.inside((_it, { storage }) => storage.getAlarm()), { interval: 5 });
  });

  it("that a deployment without containers is to start is told of as not started, and one of before as lost", async () => {
    const [gone, it] = [await running(), lease()];
    vi.spyOn(SandboxObject.prototype, "container", "get").mockReturnValue(undefined);
    await it.object.begin(it.order);
    expect(await it.end()).toBe("container_start_failed");
    await runDurableObjectAlarm(gone.object);
    expect(await gone.end()).toBe("runner_lost");
    for (const { stored } of [it, gone]) await vi.waitUntil(async () => (await stored()) === 0, { interval: 5 });
  });

  it("that does not begin leaves nothing behind, whatever it is asked", async () => {
    const it = lease();
    await it.object.look();
    await it.object.stop();
    await it.object.kill();
    expect([await it.stored(), await runDurableObjectAlarm(it.object), it.told()]).toEqual([0, false, []]);
  });
});

describe("a platform that never answers", () => {
  it.each<[string, string, (container: FakeContainer) => void]>([
    ["a way out", "container_start_failed", ({ silent }) => silent.add("interceptAllOutboundHttp")],
    ["another way out", "container_start_failed", ({ silent }) => silent.add("interceptOutboundHttps")],
    ["a start", "container_start_failed", ({ silent }) => silent.add("setInactivityTimeout")],
  ])("when it is asked for %s ends the attempt as %s", async (_what, end, trouble) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const it = lease();
    trouble(it.container);
    await it.object.begin(it.order);
    await it.pass(60_000);
    expect(await it.end()).toBe(end);
  });

  it("when it is to end a container is asked again, and the pool is told once the container is gone", async () => {
    const it = await running();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    it.container.silent.add("destroy");
    await it.object.kill();
    await it.pass(10_000);
    expect([it.told(), await it.state(), it.container.calls.destroy]).toEqual([[], "ending", 1]);
    it.container.silent.clear();
    await runDurableObjectAlarm(it.object);
    expect([await it.end(), await it.stored()]).toEqual(["work_ended", 0]);
  });

  it("when a container is looked after does not keep its object from looking again", async () => {
    const it = await running();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    it.container.silent.add("interceptAllOutboundHttp");
    const rings = runDurableObjectAlarm(it.object);
    await it.pass(5_000);
    expect(await rings).toBe(true);
    expect([await it.state(), it.told().length]).toEqual(["running", 1]);
    it.container.silent.clear();
    await runDurableObjectAlarm(it.object);
    expect(it.told()).toHaveLength(2);
  });
});
