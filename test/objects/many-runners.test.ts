/** A pool of many runners does no more for an offer than a pool of few: counted, not timed. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import { type LeaseRef, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { TestSocket } from "#test/support/test-socket.ts";

// However long it takes until all have joined, no runner gets silent, and none that has left is given up.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

interface Work {
  rowsRead: number;
  rowsWritten: number;
  /** Sockets whose attachments were read. */
  attachments: number;
  /** How often all sockets were listed. */
  lists: number;
  /** What the runners have received. */
  messages: number;
  alarms: number;
}

type Pool = DurableObjectStub<PoolObject>;

async function join(pool: Pool, number: number): Promise<TestSocket> {
  const { webSocket } = await pool.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
  if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
  const socket = new TestSocket(webSocket);
  const runner = { kind: "local", id: `runner-${number}` };
  socket.send({
    type: "register",
    protocol: RUNNER_PROTOCOL,
    runner,
    boot: `boot-of-${number}`,
    capacity: 2,
    leases: [],
  });
  await socket.next(({ type }) => type === "registered");
  return socket;
}

/** Counts what a pool's object does from now on. */
async function countWork(pool: Pool): Promise<() => Omit<Work, "messages">> {
  return runInDurableObject<PoolObject, () => Omit<Work, "messages">>(pool, (_object, state) => {
    const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
    const prototype: SqlStorage = Object.getPrototypeOf(state.storage.sql);
    const { exec } = prototype;
    vi.spyOn(prototype, "exec").mockImplementation(function (this: SqlStorage, query, ...values) {
      const cursor = exec.call(this, query, ...values);
      // Other objects have tables of other names.
      if (/"(leases|runners)"/.test(query)) cursors.push(cursor);
      return cursor as never;
    });
    const attachments = vi.spyOn(WebSocket.prototype, "deserializeAttachment");
    const lists = vi.spyOn(Object.getPrototypeOf(state), "getWebSockets");
    const alarms = vi.spyOn(Object.getPrototypeOf(state.storage), "setAlarm");
    return () => ({
      rowsRead: cursors.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
      rowsWritten: cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
      attachments: attachments.mock.calls.length,
      lists: lists.mock.calls.length,
      alarms: alarms.mock.calls.length,
    });
  });
}

const lease = (number: number): LeaseRef => ({
  run_id: `run_${String(number).padStart(26, "0")}`,
  generation: 1,
});

/** What it takes to offer so many leases to a pool of so many runners, to have them accepted, and ended. */
async function workOf(runners: number, leases: number): Promise<Work> {
  const pool = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
  const sockets: TestSocket[] = [];
  for (let number = 0; number < runners; number += 1) sockets.push(await join(pool, number));
  const counting = Promise.withResolvers<void>();
  // A call that is on keeps the object in memory: made anew, it would read all of its sockets.
  void runInDurableObject(pool, () => counting.promise);
  const counted = await countWork(pool);
  const asked = Array.from({ length: leases }, (_, number) => ({
    lease: lease(number),
    routine_id: "rtn_00000000000000000000000000",
  }));
  expect(await pool.request(asked)).toMatchObject({ runners });
  const offers = () => sockets.flatMap((socket) => socket.messages.filter(({ type }) => type === "offer"));
  await vi.waitUntil(() => offers().length === leases, { interval: 2 });
  for (const socket of sockets) {
    for (const offer of socket.messages.filter(({ type }) => type === "offer")) {
      socket.send({ type: "accept", lease: offer["lease"] });
      socket.send({ type: "ended", lease: offer["lease"] });
    }
  }
  await vi.waitUntil(() => hasNone(pool, "leases WHERE status <> 'ended'"), { interval: 20 });
  await runDurableObjectAlarm(pool);
  await vi.waitUntil(() => hasNone(pool, "leases"), { interval: 20 });
  const messages = sockets.reduce((sum, socket) => sum + socket.messages.length, -runners);
  const work = { ...counted(), messages };
  vi.restoreAllMocks();
  for (const socket of sockets) socket.close();
  // What the pool does about that is not counted as the next one's.
  await vi.waitUntil(() => hasNone(pool, "runners WHERE lost_at IS NULL"), { interval: 20 });
  counting.resolve();
  return work;
}

/** @param rows a table, or some of its rows. */
function hasNone(pool: Pool, rows: string): Promise<boolean> {
  return runInDurableObject(pool, (_object, { storage }) => {
    return storage.sql.exec(`SELECT 1 FROM ${rows} LIMIT 1`).toArray().length === 0;
  });
}

it("for one offer, as many reads, messages and alarms with 300 runners as with 3", async () => {
  const few = await workOf(3, 1);
  const many = await workOf(300, 1);
  expect({ ...many, rowsRead: 0 }).toEqual({ ...few, rowsRead: 0 });
  expect(many.rowsRead).toBeLessThanOrEqual(few.rowsRead + 10);
  expect(many.lists).toBe(0);
});

it("for each of many leases that wait together, as much as for each of few", async () => {
  const few = await workOf(10, 10);
  const many = await workOf(100, 100);
  expect(many.rowsRead / 100).toBeLessThanOrEqual(2 * (few.rowsRead / 10));
  expect(many.attachments / 100).toBeLessThanOrEqual(few.attachments / 10);
});
