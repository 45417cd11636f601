/** A routine's runs work in containers of the instance: through the whole pool, with containers that the tests play. */
import { createExecutionContext, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { readConfig } from "#instance/config.ts";
import { sandboxObject } from "#instance/objects.ts";
import { CONTAINER_BRIEF, type ContainerBrief, containerBriefSchema } from "#protocol/container-brief.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Pool } from "#protocol/pool.ts";
import type { Run } from "#protocol/run.ts";
import { RUNNER_CLOSE, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { type FakeContainer, fakeContainers } from "#test/support/fake-container.ts";
import { FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { defaultPool, evictOwnerOf } from "#test/support/objects.ts";
import { dial, type TestSocket } from "#test/support/test-socket.ts";
import { app } from "#worker/app.ts";

type Stored = { life: { state: string } };

const CAPACITY = 2;
let containerOf: (name: string) => FakeContainer;
let all: FakeContainer[] = [];
/** What containers that waited have been given. */
const briefs = () => all.flatMap(({ briefs }) => briefs);

beforeAll(() => setCapacity(String(CAPACITY)));
afterAll(() => setCapacity(""));
beforeEach(() => {
  all = [];
  containerOf = fakeContainers((container) => void all.push(container));
});
afterEach(() => vi.restoreAllMocks());

/** What is in memory has read it: also for other files, which run in the same worker. */
async function setCapacity(CONTAINERS: string): Promise<void> {
  Object.assign(env, { CONTAINERS });
  // What has been read of an environment is kept until another one is read.
  readConfig({});
  // One that is not in memory can't leave it.
  await defaultPool().keepTime();
  await evictDurableObject(defaultPool());
}

/** The container of a run's attempt, once it has started. */
async function containerFor(runId: string, generation = 1) {
  const name = `${runId}.${generation}`;
  const container = containerOf(name);
  const object = sandboxObject(env, null, { run_id: runId, generation });
  const stored = () => runInDurableObject(object, (_it, { storage }) => storage.kv.get<Stored>("container"));
  await vi.waitUntil(async () => (await stored())?.life.state === "running", { interval: 5 });
  const brief = containerBriefSchema.parse(JSON.parse(container.started[0]?.env?.[CONTAINER_BRIEF] ?? ""));
  return { container, brief, name, object };
}

/** Asks a worker that knows of the containers: the one of all tests has read its settings once, in whichever file came first. */
function callHere<Body>(method: string, path: string, body?: unknown) {
  const settings = { ...env };
  return call<Body>(method, path, body, {}, (request) => app.fetch(request, settings, createExecutionContext()));
}

/** A process in the container says hello. */
async function hello({ lease, link_token }: ContainerBrief, boot: string, as?: string): Promise<TestSocket> {
  const link = await dial(`/runner/runs/${lease.run_id}/link`, { authorization: `Bearer ${link_token}` });
  const runner = { kind: "container", id: as ?? `${lease.run_id}.${lease.generation}` };
  link.send({ type: "hello", protocol: RUNNER_PROTOCOL, runner, boot });
  await link.until(() => link.closed !== null || link.messages.some(({ type }) => type === "welcome"));
  return link;
}

async function becomes(runId: string, fits: (run: Run) => boolean): Promise<Run> {
  await vi.waitUntil(async () => fits(await readRun(runId)), { interval: 10 });
  return readRun(runId);
}

/** How many places of the pool are held. */
async function busy(): Promise<number> {
  return (await defaultPool().look()).busy;
}

it("goes from fired to succeeded in a container of its own, which is gone afterwards, and so is its place", async () => {
  const { run_id } = await fired(await buildRoutine());
  const { container, brief, name, object } = await containerFor(run_id);
  const link = await hello(brief, "first-process");
  link.send({ type: "frames", frames: [{ n: 1, body: RUNNING }] });
  const running = await becomes(run_id, ({ status }) => status === "running");
  expect(running.runner).toEqual({ kind: "container", id: name });
  link.send({ type: "frames", frames: [{ n: 2, body: SUCCEEDED }] });
  await becomes(run_id, ({ status }) => status === "succeeded");
  await vi.waitUntil(() => container.signals.length === 1, { interval: 5 });
  container.vanish();
  await object.look();
  await vi.waitUntil(async () => (await busy()) === 0, { interval: 5 });
  expect(container.started).toHaveLength(1);
});

it("has its run tried again when its container vanishes before the model is called, and then not any more", async () => {
  const routine = await buildRoutine({ retry: { max: 1, backoff: "1s" } });
  const { run_id } = await fired(routine);
  const { container, brief } = await containerFor(run_id);
  const link = await hello(brief, "first-process");
  container.vanish();
  link.close();
  const again = await becomes(run_id, ({ attempt }) => attempt === 2);
  expect(again.status === "queued" || again.status === "starting").toBe(true);
  const second = await containerFor(run_id, 2);
  second.container.vanish();
  await runDurableObjectAlarm(second.object);
  expect((await becomes(run_id, ({ status }) => status === "failed")).error).toMatchObject({ code: "runner_lost" });
  const { usage } = await becomes(run_id, (run) => run.usage.containers?.length === 2);
  expect(usage.containers).toMatchObject([
    { attempt: 1, size: "standard-2" },
    { attempt: 2, size: "standard-2" },
  ]);
  const listed = () => call<{ data: Run[] }>("GET", `/api/v1/runs?routine=${routine.id}`);
  await vi.waitUntil(async () => (await listed()).body.data[0]?.usage.containers?.length === 2, { interval: 10 });
  await vi.waitUntil(async () => (await busy()) === 0, { interval: 5 });
});

it("ends the attempt of a process that has died when an engine starts another one with the same brief", async () => {
  const { run_id } = await fired(await buildRoutine({ retry: { max: 0, backoff: "1s" } }));
  const { container, brief, object } = await containerFor(run_id);
  await hello(brief, "first-process");
  await evictOwnerOf(run_id);
  const second = await hello(brief, "second-process");
  expect(second.closed?.code).toBe(RUNNER_CLOSE.refused);
  expect((await becomes(run_id, ({ status }) => status === "failed")).error).toMatchObject({ code: "runner_lost" });
  await vi.waitUntil(() => container.signals.length === 1, { interval: 5 });
  container.vanish();
  await runDurableObjectAlarm(object);
  await vi.waitUntil(async () => (await busy()) === 0, { interval: 5 });
});

it("goes on with the same process, whatever is evicted meanwhile", async () => {
  const { run_id } = await fired(await buildRoutine());
  const { container, brief, object } = await containerFor(run_id);
  await hello(brief, "first-process");
  await evictOwnerOf(run_id);
  const stranger = await hello(brief, "first-process", "another-runner");
  expect(stranger.closed?.code).toBe(RUNNER_CLOSE.refused);
  const link = await hello(brief, "first-process");
  expect(link.closed).toBeNull();
  link.send({ type: "frames", frames: [{ n: 1, body: RUNNING }] });
  await becomes(run_id, ({ status }) => status === "running");
  await call("POST", `/api/v1/runs/${run_id}/cancel`);
  await link.next(({ type }) => type === "cancel");
  await object.kill();
  await becomes(run_id, ({ status }) => status === "canceled");
  expect(container).toMatchObject({ running: false, started: { length: 1 } });
});

it("is canceled at once when its container has not begun to work", async () => {
  const { run_id } = await fired(await buildRoutine());
  const { container, object } = await containerFor(run_id);
  await call("POST", `/api/v1/runs/${run_id}/cancel`);
  await vi.waitUntil(() => container.signals.length === 1 || !container.running, { interval: 5 });
  container.vanish();
  await object.look();
  await becomes(run_id, ({ status }) => status === "canceled");
});

it("fails with what to do when its container can't start", async () => {
  fakeContainers((container) => {
    container.failure = { how: "is refused", message: "No such image: runner" };
  });
  const { run_id } = await fired(await buildRoutine());
  const run = await becomes(run_id, ({ status }) => status === "failed");
  expect(run.error).toMatchObject({ code: "container_image_missing", phase: "provisioning" });
});

it("waits while all containers work, and goes to a registered runner if one is there", async () => {
  const routine = await buildRoutine({ max_concurrent: 5 });
  const runs = [await fired(routine), await fired(routine), await fired(routine)];
  const held = await Promise.all(runs.slice(0, CAPACITY).map(({ run_id }) => containerFor(run_id)));
  const third = runs[CAPACITY]?.run_id ?? "";
  expect((await readRun(third)).runner).toBeNull();
  using runner = await FakeRunner.join();
  const offer = await runner.accept();
  expect(offer.lease.run_id).toBe(third);
  for (const { object } of held) await object.kill();
  runner.ended(offer.lease);
  await vi.waitUntil(async () => (await busy()) === 0, { interval: 5 });
});

it("is given a container that was kept warm, and the next one gets another", async () => {
  const path = "/api/v1/pools/default";
  const set = (containers: number, hours_per_month = 10) =>
    callHere<Pool>("PATCH", path, { warm: { containers, hours_per_month } });
  const warm = async () => (await callHere<Pool>("GET", path)).body.warm;
  expect(await warm()).toMatchObject({ containers: 0, hours_used: 0, why: null, updated_at: null, updated_by: null });
  const who = { updated_at: expect.stringMatching(/Z$/), updated_by: { kind: "owner", id: null, name: "owner" } };
  expect((await set(1)).body.warm).toMatchObject({ containers: 1, hours_per_month: 10, ...who });
  await vi.waitUntil(async () => (await warm())?.ready === 1, { interval: 5 });

  const { run_id } = await fired(await buildRoutine({ retry: { max: 0, backoff: "1s" } }));
  const brief = await vi.waitUntil(() => briefs().find(({ lease }) => lease.run_id === run_id), { interval: 5 });
  const name = brief.runner?.id ?? "";
  const container = containerOf(name);
  const link = await hello(brief, "first-process", name);
  expect(link.closed).toBeNull();
  link.send({ type: "frames", frames: [{ n: 1, body: RUNNING }] });
  const running = await becomes(run_id, ({ status }) => status === "running");
  expect(running.runner).toEqual({ kind: "container", id: name });

  // Its object is another than the lease's own: it is told when the link closes.
  container.vanish();
  link.close();
  expect((await becomes(run_id, ({ status }) => status === "failed")).error?.code).toBe("runner_lost");
  await becomes(run_id, ({ usage }) => usage.containers?.length === 1);
  await vi.waitUntil(async () => (await warm())?.ready === 1, { interval: 5 });
  expect((await set(0)).status).toBe(200);
  await vi.waitUntil(async () => (await warm())?.ready === 0 && (await busy()) === 0, { interval: 5 });
});

it("has no container kept warm where that can't be meant", async () => {
  const set = (name: string, warm: unknown) => callHere<ErrorBody>("PATCH", `/api/v1/pools/${name}`, { warm });
  const refused: [string, unknown, number, RegExp][] = [
    ["default", { containers: CAPACITY + 1, hours_per_month: 1 }, 400, /2 containers at most/],
    ["default", { containers: 1 }, 400, /hours_per_month/],
    ["default", { containers: -1, hours_per_month: 1 }, 400, /containers/],
    ["default", { containers: 1, hours_per_month: 1, days: 2 }, 400, /days/],
    ["nowhere", { containers: 1, hours_per_month: 1 }, 404, /./],
  ];
  for (const [name, warm, status, words] of refused) {
    const answer = await set(name, warm);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringMatching(words)]);
  }
  await call("POST", "/api/v1/pools", { name: "own" });
  expect((await set("own", { containers: 1, hours_per_month: 1 })).body.error.message).toMatch(/pool default alone/);
  await call("DELETE", "/api/v1/pools/own");
});

it("says that it waits for room where the platform has none", async () => {
  fakeContainers((container) => {
    container.failure = { how: "is refused", message: "There is no container instance that can be provided." };
  });
  const { run_id } = await fired(await buildRoutine());
  const why = async () => (await call<Pool>("GET", "/api/v1/pools/default")).body.why;
  await vi.waitUntil(async () => (await why())?.reason === "no_room", { interval: 5 });
  expect((await readRun(run_id)).attempt).toBe(1);
  await call("POST", `/api/v1/runs/${run_id}/cancel`);
  await becomes(run_id, ({ status }) => status === "canceled");
});
