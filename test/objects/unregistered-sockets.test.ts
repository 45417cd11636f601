/** A connection to the pool on which no runner registers is closed in words; one on which it does stays. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import { RUNNER_CLOSE, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { TestSocket } from "#test/support/test-socket.ts";

const START = Date.parse("2026-11-23T09:00:00.000Z");
const DEADLINE_MS = 10_000;

let pool: DurableObjectStub<PoolObject>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  pool = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
});
afterEach(() => {
  vi.useRealTimers();
});

async function connect(): Promise<TestSocket> {
  const { webSocket } = await pool.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
  if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
  return new TestSocket(webSocket);
}

/** Rings the pool's alarm so long after the start, if it is armed for then. */
async function ringAt(ms: number): Promise<void> {
  vi.setSystemTime(START + ms);
  const armedAt = await runInDurableObject(pool, (_object, { storage }) => storage.getAlarm());
  if (armedAt !== null && armedAt <= Date.now()) await runDurableObjectAlarm(pool);
}

async function register(socket: TestSocket, id = "alice"): Promise<void> {
  const runner = { kind: "local", id };
  const before = socket.messages.length;
  socket.send({ type: "register", protocol: RUNNER_PROTOCOL, runner, boot: "boot-of-alice", capacity: 1, leases: [] });
  await socket.until(() => socket.closed !== null || socket.messages.length > before);
}

async function expectClosed(socket: TestSocket, code: number): Promise<void> {
  await vi.waitUntil(() => socket.closed !== null, { interval: 2 });
  expect(socket.closed?.code).toBe(code);
  expect(socket.closed?.reason).not.toBe("");
}

/** How many sockets the pool has to close yet, by the alarm that is armed. */
const armed = () => runInDurableObject(pool, (_object, { storage }) => storage.getAlarm());

it("one that says nothing is closed by the alarm: not before its time is over", async () => {
  const silent = await connect();
  expect(await armed()).toBe(START + DEADLINE_MS);
  await ringAt(DEADLINE_MS - 1);
  expect(silent.closed).toBeNull();
  await ringAt(DEADLINE_MS);
  await expectClosed(silent, RUNNER_CLOSE.late);
  expect(await armed()).toBeNull();
});

it("one that says nothing is closed after the object was evicted as well", async () => {
  const silent = await connect();
  await evictDurableObject(pool);
  await ringAt(DEADLINE_MS);
  await expectClosed(silent, RUNNER_CLOSE.late);
});

it("each has its own time", async () => {
  const first = await connect();
  vi.setSystemTime(START + 4_000);
  const second = await connect();
  await ringAt(DEADLINE_MS);
  await expectClosed(first, RUNNER_CLOSE.late);
  expect(second.closed).toBeNull();
  await ringAt(DEADLINE_MS + 4_000);
  await expectClosed(second, RUNNER_CLOSE.late);
});

it("one that has only pinged is closed, though its pings are answered", async () => {
  const { webSocket } = await pool.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
  const closed = new Promise<number>((resolve) => {
    webSocket?.addEventListener("close", ({ code }) => resolve(code));
  });
  const answered = new Promise((resolve) => webSocket?.addEventListener("message", resolve, { once: true }));
  webSocket?.accept();
  webSocket?.send("ping");
  await answered;
  await ringAt(DEADLINE_MS);
  expect(await closed).toBe(RUNNER_CLOSE.late);
});

it("one that registers late stays, and so does one that registers twice, also after an eviction", async () => {
  const [late, twice] = [await connect(), await connect()];
  await register(twice, "bob");
  vi.setSystemTime(START + DEADLINE_MS - 1);
  await register(late);
  await register(twice, "bob");
  await ringAt(DEADLINE_MS);
  await evictDurableObject(pool);
  await ringAt(DEADLINE_MS + 1);
  expect([late.closed, twice.closed]).toEqual([null, null]);
  expect(await pool.request([])).toMatchObject({ runners: 2 });
});

it.each<[string, unknown, number]>([
  ["garbage", "no message", RUNNER_CLOSE.badMessage],
  ["something else first", { type: "alive" }, RUNNER_CLOSE.badMessage],
  ["another version", { protocol: 99 }, RUNNER_CLOSE.protocol],
])("one that says %s is closed at once, and nothing waits for it any more", async (_what, message, code) => {
  const socket = await connect();
  const runner = { kind: "local", id: "alice" };
  const registration = { type: "register", protocol: 2, runner, boot: "boot-of-alice", capacity: 1, leases: [] };
  socket.send(
    typeof message === "object" && !Object.hasOwn(message ?? {}, "type") ? { ...registration, ...message } : message,
  );
  await expectClosed(socket, code);
  await ringAt(DEADLINE_MS);
  expect(await armed()).toBeNull();
});

it("one that has gone meanwhile is not waited for", async () => {
  const gone = await connect();
  gone.close();
  await gone.until(() => gone.closed !== null);
  await ringAt(DEADLINE_MS);
  expect(await armed()).toBeNull();
});
