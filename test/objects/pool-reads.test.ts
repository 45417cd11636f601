/** What a pool reads does not grow with the leases that wait: counted as the platform counts it, and asked of the planner. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import { type LeaseRef, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { TestSocket } from "#test/support/test-socket.ts";

const WAITING = 20_000;
const ROUTINE = "rtn_00000000000000000000000000";

afterEach(() => {
  vi.restoreAllMocks();
});

const lease = (number: number): LeaseRef => ({ run_id: `run_${String(number).padStart(26, "0")}`, generation: 1 });

/** A pool of its own, in which so many leases wait. */
async function poolWith(waiting: number): Promise<DurableObjectStub<PoolObject>> {
  const pool = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
  await runInDurableObject<PoolObject, void>(pool, (_object, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE numbers (n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999 + ?)
       INSERT INTO leases (run_id, generation, routine_id, status, asked_at)
       SELECT 'run_' || printf('%026d', n), 1, ?, 'waiting', n FROM numbers`,
      waiting,
      ROUTINE,
    );
  });
  await evictDurableObject(pool);
  return pool;
}

interface Watch {
  /** Rows read since this was last asked. */
  rowsRead(): number;
  /** Every statement so far, once each, as the planner carries it out. */
  plans(): Promise<string[]>;
}

async function watch(pool: DurableObjectStub<PoolObject>): Promise<Watch> {
  const statements = new Map<string, unknown[]>();
  let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];
  const { prototype, exec } = await runInDurableObject<PoolObject, { prototype: SqlStorage; exec: SqlStorage["exec"] }>(
    pool,
    (_object, state) => {
      const prototype: SqlStorage = Object.getPrototypeOf(state.storage.sql);
      return { prototype, exec: prototype.exec };
    },
  );
  // Opening the object is counted as well.
  await evictDurableObject(pool);
  vi.spyOn(prototype, "exec").mockImplementation(function (this: SqlStorage, query, ...values) {
    const cursor = exec.call(this, query, ...values);
    // Other objects have tables of other names.
    if (/"(leases|runners)"/.test(query)) {
      cursors.push(cursor);
      statements.set(query, values);
    }
    return cursor as never;
  });
  return {
    rowsRead: () => {
      const sum = cursors.reduce((rows, cursor) => rows + cursor.rowsRead, 0);
      cursors = [];
      return sum;
    },
    plans: () =>
      runInDurableObject(pool, (_object, { storage }) =>
        [...statements].flatMap(([query, values]) =>
          exec
            .call(storage.sql, `EXPLAIN QUERY PLAN ${query}`, ...(values as SqlStorageValue[]))
            .toArray()
            .map(({ detail }) => `${detail}: ${query}`),
        ),
      ),
  };
}

it(`reads as many rows with ${WAITING.toLocaleString("en")} leases waiting as with few`, async () => {
  const pool = await poolWith(WAITING);
  const watched = await watch(pool);
  const { webSocket } = await pool.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
  if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
  const socket = new TestSocket(webSocket);
  const read: Record<string, number> = { opened: watched.rowsRead() };

  const runner = { kind: "local", id: "alice" };
  const registration = { type: "register", protocol: RUNNER_PROTOCOL, runner, boot: "boot-of-alice", capacity: 3 };
  socket.send({ ...registration, leases: [] });
  const offers = () => socket.messages.filter(({ type }) => type === "offer");
  await socket.until(() => offers().length === 3);
  read["registered"] = watched.rowsRead();

  socket.send({ type: "accept", lease: lease(1_000) });
  socket.send({ type: "decline", lease: lease(1_001), why: "full" });
  socket.send({ type: "ended", lease: lease(1_000) });
  await socket.until(() => offers().length > 3);
  read["heard"] = watched.rowsRead();

  await pool.request([{ lease: lease(1), routine_id: ROUTINE }]);
  expect(await pool.release([lease(20_000), lease(1_002), lease(1)])).toEqual(["freed", "stopping", "freed"]);
  read["asked"] = watched.rowsRead();
  await runDurableObjectAlarm(pool);
  read["rang"] = watched.rowsRead();

  const [, most] = Object.entries(read).toSorted(([, left], [, right]) => right - left)[0] ?? [];
  expect(most, JSON.stringify(read)).toBeLessThanOrEqual(20);
  const plans = await watched.plans();
  expect(plans.length).toBeGreaterThan(4);
  expect(plans.filter((plan) => /SCAN leases|TEMP B-TREE/.test(plan))).toEqual([]);
  socket.close();
});
