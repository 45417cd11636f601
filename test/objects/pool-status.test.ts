/** What a pool tells of itself: who serves, what waits, and why; and whose sockets a revoked token closes. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, expect, it, vi } from "vitest";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import { RUNNER_CLOSE, RUNNER_GRACE_MS, RUNNER_PROTOCOL } from "#protocol/runner-link.ts";
import { TestSocket } from "#test/support/test-socket.ts";

type Pool = DurableObjectStub<PoolObject>;

const DAY_MS = 24 * 3_600_000;
const alice = { id: "alice", version: "0.1.0", capacity: 1, busy: 0, state: "idle", reason: null };
const lease = (number: number) => ({ run_id: `run_${String(number).padStart(26, "0")}`, generation: 1 });
const wanted = (number: number) => ({ lease: lease(number), routine_id: "rtn_00000000000000000000000000" });

afterEach(() => {
  vi.useRealTimers();
});

const makePool = (): Pool => env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));

async function connect(pool: Pool, tokenId?: string): Promise<TestSocket> {
  const address = `https://object/pool${tokenId === undefined ? "" : `?token=${tokenId}`}`;
  const { webSocket } = await pool.fetch(address, { headers: { upgrade: "websocket" } });
  if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
  return new TestSocket(webSocket);
}

/** A runner comes. Resolves when it has been taken in, or refused. */
async function join(pool: Pool, differs: object = {}, tokenId?: string): Promise<TestSocket> {
  const socket = await connect(pool, tokenId);
  const { id, version, capacity } = alice;
  const runner = { kind: "local", id };
  const told = { protocol: RUNNER_PROTOCOL, runner, version, boot: "boot-of-it", capacity, leases: [] };
  socket.send({ type: "register", ...told, ...differs });
  await socket.until(() => socket.closed !== null || socket.messages.length > 0);
  return socket;
}

const named = (id: string) => ({ runner: { kind: "local", id } });
const shown = async (pool: Pool) => (await pool.look()).runners.map(({ last_seen_at: _at, ...runner }) => runner);

function later(ms: number): void {
  const now = Date.now() + ms;
  if (vi.isFakeTimers()) vi.setSystemTime(now);
  else vi.useFakeTimers({ toFake: ["Date"], now });
}

it("tells whether runners are idle, busy, leaving, gone or refused, and why runs wait", async () => {
  later(0);
  const pool = makePool();
  const startedAt = new Date().toISOString();
  expect(await pool.look()).toEqual({
    capacity: 0,
    busy: 0,
    runners: [],
    waiting: 0,
    waiting_since: null,
    why: null,
    warm: null,
  });
  expect(await pool.request([wanted(1), wanted(2)])).toEqual({
    runners: 0,
    waiting: [lease(1), lease(2)],
    why: expect.stringMatching(/^There is no runner in the pool "/),
  });
  expect(await pool.look()).toMatchObject({ waiting: 2, waiting_since: startedAt, why: { reason: "no_runner" } });

  const old = await join(pool, { ...named("old"), version: "0.0.9" });
  expect(old.closed?.code).toBe(RUNNER_CLOSE.protocol);
  const refused = { ...alice, id: "old", version: "0.0.9", state: "refused", reason: old.closed?.reason };
  expect(await shown(pool)).toEqual([refused]);
  expect((await pool.look()).why?.reason).toBe("version_too_old");

  const socket = await join(pool);
  await socket.next(({ type }) => type === "offer");
  const why = expect.stringMatching(/^Everything in the pool ".*" is busy: 1 runner\.$/);
  expect(await pool.request([wanted(1), wanted(2)])).toEqual({ runners: 1, waiting: [lease(2)], why });
  const busy = { capacity: 1, busy: 1, waiting: 1, waiting_since: startedAt, why: { reason: "all_busy" } };
  expect(await pool.look()).toMatchObject(busy);
  expect(await shown(pool)).toEqual([{ ...alice, busy: 1, state: "busy" }, refused]);
  socket.send({ type: "accept", lease: lease(1) });
  socket.send({ type: "draining" });
  await vi.waitFor(async () =>
    expect(await pool.look()).toMatchObject({ capacity: 0, why: { reason: "all_draining" } }),
  );
  expect((await shown(pool))[0]).toEqual({ ...alice, busy: 1, state: "draining" });

  // Its machine has died: it is shown as lost at once, and for a while after it has been given up.
  await evictDurableObject(pool, { webSockets: "close" });
  expect((await shown(pool))[0]).toEqual({ ...alice, busy: 1, state: "lost" });
  later(RUNNER_GRACE_MS);
  await runDurableObjectAlarm(pool);
  later(RUNNER_GRACE_MS);
  await runDurableObjectAlarm(pool);
  expect(await shown(pool)).toEqual(expect.arrayContaining([{ ...alice, state: "lost" }, refused]));
  await join(pool, { boot: "boot-of-a-later-one" });
  expect((await shown(pool)).map(({ id, state }) => `${id} ${state}`)).toEqual(["alice busy", "old refused"]);
  later(8 * DAY_MS);
  expect((await shown(pool)).map(({ id }) => id)).toEqual(["alice"]);
});

it("keeps a run that needs environments from a runner that knows none, says so, and holds up no other run", async () => {
  const pool = makePool();
  const demanding = { ...wanted(1), needs: ["environment" as const] };
  const old = await join(pool, { ...named("old"), capacity: 4 });
  const said = { runners: 1, waiting: [lease(1)], why: expect.stringMatching(/^No runner of the pool ".*" knows env/) };
  expect(await pool.request([demanding])).toEqual(said);
  await pool.request([wanted(2)]);
  expect(await old.next(({ type }) => type === "offer")).toMatchObject({ lease: lease(2) });
  old.send({ type: "accept", lease: lease(2) });
  const why = { reason: "runners_too_old", hint: expect.stringMatching(/^Update/) };
  expect(await pool.look()).toMatchObject({ waiting: 1, why });

  const newer = await join(pool, { ...named("newer"), features: ["environment", "tomorrow"], capacity: 2 });
  expect(await newer.next(({ type }) => type === "offer")).toMatchObject({ lease: lease(1) });
  expect(newer.messages[0]).toMatchObject({ type: "registered", features: ["environment"] });
  // What a runner knows is still known when the pool has left memory.
  await evictDurableObject(pool);
  await pool.request([{ ...wanted(3), needs: ["environment"] }]);
  await newer.until(() => newer.messages.filter(({ type }) => type === "offer").length === 2);
  expect(old.messages.filter(({ type }) => type === "offer")).toHaveLength(1);
});

it("keeps no more than the last twenty that were refused, though each has another id", async () => {
  const pool = makePool();
  for (let number = 0; number < 25; number += 1) await join(pool, { ...named(`old-${number}`), protocol: 0 });
  expect(await shown(pool)).toHaveLength(20);
});

it("closes the sockets of a token that is in force no more, also after an eviction, and no others", async () => {
  const pool = makePool();
  const own = await join(pool, named("with-the-instances-token"));
  const kept = await join(pool, named("kept"), "new");
  const gone = await join(pool, named("gone"), "old");
  const silent = await connect(pool, "old");
  await evictDurableObject(pool);
  await pool.keepOnly(["new", "newer"]);
  for (const socket of [gone, silent]) {
    await socket.until(() => socket.closed !== null);
    expect(socket.closed).toEqual({ code: RUNNER_CLOSE.refused, reason: "the token of this pool has been revoked" });
  }
  expect((await shown(pool)).map(({ id, state }) => `${id} ${state}`).sort()).toEqual([
    "gone lost",
    "kept idle",
    "with-the-instances-token idle",
  ]);
  await pool.keepOnly([]);
  await kept.until(() => kept.closed !== null);
  expect(own.closed).toBeNull();
});

it.each([
  ["a name without an end", named("x".repeat(20_000))],
  ["a name of nothing", named("")],
  ["signs that are not seen", named("a\u202eb")],
  ["a protocol that is no number of one", { protocol: 1e15 }],
])("takes in no runner that tells %s, and keeps nothing of it", async (_what, told) => {
  const pool = makePool();
  const socket = await join(pool, told);
  expect(socket.closed).toMatchObject({ code: RUNNER_CLOSE.badMessage });
  await evictDurableObject(pool);
  expect(await shown(pool)).toEqual([]);
});
