/** The object of a container that waits for a lease, with a container that does as the tests say; pool and run are recorders. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ContainerOrder, WarmReport } from "#instance/object-contracts.ts";
import { newWarmName, warmObject } from "#instance/objects.ts";
import { CONTAINER_BRIEF, CONTAINER_WAITS } from "#protocol/container-brief.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { type FakeContainer, fakeContainers } from "#test/support/fake-container.ts";
import { PoolObject, RoutineObject } from "#worker/index.ts";

let containerOf: (name: string) => FakeContainer;
let reports: WarmReport[];
let answer: "held" | "unknown";
let size: "standard-4" | null;
let hasSaidHello: boolean;

beforeEach(() => {
  containerOf = fakeContainers();
  reports = [];
  answer = "held";
  size = null;
  hasSaidHello = false;
  vi.spyOn(PoolObject.prototype, "hearWarm").mockImplementation((report) => {
    reports.push(report);
    return answer;
  });
  vi.spyOn(PoolObject.prototype, "hearContainer").mockReturnValue("held");
  vi.spyOn(RoutineObject.prototype, "sandboxFor").mockImplementation(() => ({
    network: { level: "trusted", allow: [] },
    size,
  }));
  vi.spyOn(RoutineObject.prototype, "hasSaidHello").mockImplementation(() => hasSaidHello);
  vi.spyOn(RoutineObject.prototype, "noteContainer").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const LEASE: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };
const OTHER: LeaseRef = { ...LEASE, generation: 2 };
const order = (lease: LeaseRef): ContainerOrder => ({
  lease,
  link_token: "link",
  proxy_token: "proxy",
  pool: "default",
  place: "container-1",
  start_within_ms: 60_000,
});

type Stored = { life: { state: string } };

/** One that has been prepared. */
async function prepared(ready = 200) {
  const name = newWarmName();
  const stub = () => warmObject(env, null, name);
  const container = containerOf(name);
  container.waiting.ready = ready;
  const stored = () => runInDurableObject(stub(), (_it, { storage }) => storage.list<Stored>());
  const it = {
    name,
    container,
    // Each its own: one of an object that has been made anew is of no use.
    get object() {
      return stub();
    },
    /** What is stored, by key: the state of each life. */
    state: async () => Object.fromEntries([...(await stored())].map(([key, { life }]) => [key, life.state])),
    told: () => reports.filter((report) => report.name === name),
  };
  await it.object.prepare({ pool: "default", name, start_within_ms: 60_000 });
  if (ready === 200) await vi.waitUntil(() => it.told().some(({ state }) => state === "ready"), { interval: 5 });
  return it;
}

const gone = (it: Awaited<ReturnType<typeof prepared>>) =>
  vi.waitUntil(async () => !it.container.running && Object.keys(await it.state()).length === 0, { interval: 5 });

it("is started once, with nothing of a run, and is told of when it is ready", async () => {
  const it = await prepared();
  await it.object.prepare({ pool: "default", name: it.name, start_within_ms: 60_000 });
  await evictDurableObject(it.object);
  await it.object.prepare({ pool: "default", name: it.name, start_within_ms: 60_000 });
  expect(it.container.started).toHaveLength(1);
  const [{ env: given = {}, enableInternet } = {}] = it.container.started;
  expect([Object.keys(given), enableInternet]).toEqual([[CONTAINER_WAITS], false]);
  expect(given).not.toHaveProperty(CONTAINER_BRIEF);
  expect(it.told()[0]).toEqual({ name: it.name, state: "ready", reason: null });
});

it("takes one lease, once, and says to its run that it is another than the lease's own", async () => {
  const it = await prepared();
  const ways = it.container.calls.interceptAllOutboundHttp;
  const answers = await Promise.all([it.object.begin(order(LEASE)), it.object.begin(order(OTHER))]);
  expect(answers.sort()).toEqual(["begun", "gone"]);
  const [brief] = it.container.briefs;
  expect(await it.object.begin(order(brief?.lease ?? LEASE))).toBe("begun");
  expect(it.container.briefs).toHaveLength(1);
  expect(brief).toMatchObject({ link_token: "link", proxy_token: "proxy", runner: { kind: "container", id: it.name } });
  // Its way out is its run's before it has its brief.
  expect(it.container.calls.interceptAllOutboundHttp).toBe(ways + 1);
  expect(await it.state()).toEqual({ container: "running" });
  await evictDurableObject(it.object);
  expect(await it.object.begin(order(brief?.lease.generation === 1 ? OTHER : { ...LEASE, generation: 3 }))).toBe(
    "gone",
  );
});

it("that has ended starts nothing for a lease that comes late", async () => {
  const it = await prepared();
  await it.object.kill();
  await gone(it);
  expect(await it.object.begin(order(LEASE))).toBe("gone");
  expect(it.container.started).toHaveLength(1);
});

it.each<[string, "unfit" | "gone", (it: Awaited<ReturnType<typeof prepared>>) => unknown]>([
  [
    "is of another size than the run's environment wants",
    "unfit",
    () => {
      size = "standard-4";
    },
  ],
  [
    "is of a run that is not in force",
    "unfit",
    () => vi.mocked(RoutineObject.prototype.sandboxFor).mockReturnValue(null),
  ],
  [
    "is of another image than a container that is started now",
    "gone",
    ({ container }) => Object.assign(container.images, { runner: "runner@sha256:1" }),
  ],
  ["is gone", "gone", ({ container }) => container.vanish()],
  [
    "is gone, and its object has left memory",
    "gone",
    async ({ container, object }) => {
      await evictDurableObject(object);
      container.vanish();
    },
  ],
  ["refuses its brief", "gone", ({ container }) => Object.assign(container.waiting, { brief: 400 })],
  ["hangs", "gone", ({ container }) => container.silent.add("port")],
  ["has no way out", "gone", ({ container }) => container.silent.add("interceptAllOutboundHttp")],
])("leaves a lease to another container where it %s", { timeout: 15_000 }, async (_what, expected, befall) => {
  const it = await prepared();
  await befall(it);
  expect(await it.object.begin(order(LEASE))).toBe(expected);
  expect(it.container.briefs).toEqual([]);
  if (expected === "unfit") expect(await it.state()).toEqual({ warm: "ready" });
  else await gone(it);
});

it("whose answer was lost is its run's if it has said hello, and is no other's", async () => {
  const it = await prepared();
  it.container.waiting.brief = 500;
  hasSaidHello = true;
  expect(await it.object.begin(order(LEASE))).toBe("begun");
  expect(await it.state()).toEqual({ container: "running" });
});

it("that was being given a lease when its object left memory is given the same one again", async () => {
  const it = await prepared();
  await runInDurableObject(it.object, (_it, { storage }) => {
    const kept = storage.kv.get<object>("warm");
    storage.kv.put("warm", { ...kept, lease: LEASE, life: { state: "given", byMs: Date.now() + 30_000 } });
  });
  await evictDurableObject(it.object);
  expect(await it.object.begin(order(OTHER))).toBe("gone");
  expect(await it.object.begin(order(LEASE))).toBe("begun");
  expect(it.container.briefs).toHaveLength(1);
});

it("ends when it vanishes, hangs, is not wanted any more, or was never ready", async () => {
  const [vanishing, hanging, unwanted, slow] = [
    await prepared(),
    await prepared(),
    await prepared(),
    await prepared(503),
  ];
  vanishing.container.vanish();
  await runDurableObjectAlarm(vanishing.object);
  await gone(vanishing);
  expect(vanishing.told().at(-1)).toMatchObject({ state: "ended", reason: "it ended while it waited" });
  hanging.container.waiting.ready = 503;
  await runDurableObjectAlarm(hanging.object);
  await gone(hanging);
  expect(hanging.told().at(-1)?.reason).toMatch(/did not answer/);
  expect(await slow.state()).toEqual({ warm: "starting" });
  answer = "unknown";
  await runDurableObjectAlarm(unwanted.object);
  await gone(unwanted);
  await slow.object.kill();
  await gone(slow);
});

it("says that it is starting while that takes long", async () => {
  const { promise: settles, resolve } = Promise.withResolvers<void>();
  fakeContainers((container) => {
    container.slow.set("setInactivityTimeout", settles);
  });
  const name = newWarmName();
  const object = warmObject(env, null, name);
  await object.prepare({ pool: "default", name, start_within_ms: 180_000 });
  await runDurableObjectAlarm(object);
  expect(reports.at(-1)).toEqual({ name, state: "starting", reason: null });
  resolve();
  const told = (wanted: string) => () => reports.some((report) => report.name === name && report.state === wanted);
  await vi.waitUntil(told("ready"), { interval: 5 });
  await object.kill();
  await vi.waitUntil(told("ended"), { interval: 5 });
});

it("tells why it could not be started", async () => {
  fakeContainers((container) => {
    container.failure = { how: "is refused", message: "No such image: runner" };
  });
  const name = newWarmName();
  await warmObject(env, null, name).prepare({ pool: "default", name, start_within_ms: 60_000 });
  // One of a test before may tell its end as late as now.
  const ended = () => reports.find((report) => report.name === name && report.state === "ended");
  await vi.waitUntil(() => ended() !== undefined, { interval: 5 });
  expect(ended()).toMatchObject({ reason: "Error: No such image: runner" });
});
