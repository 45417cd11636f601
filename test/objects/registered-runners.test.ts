/** Runners that register over real sockets with a real pool object; the pool behind the host is a recorder. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { poolDatabase } from "#durable-objects/pool-database.ts";
import type { PoolObject } from "#durable-objects/pool-object.ts";
import { RegisteredRunners } from "#durable-objects/registered-runners.ts";
import {
  type PoolToRunner,
  poolToRunnerSchema,
  RUNNER_CLOSE,
  RUNNER_GRACE_MS,
  RUNNER_PROTOCOL,
  type RunnerToPool,
} from "#protocol/runner-link.ts";
import {
  ALICE,
  type HostUnderTest,
  LEASE,
  type RunnerStart,
  type RunnerUnderTest,
  recordReports,
  runnerHostContract,
} from "#test/contracts/runner-host.ts";
import { TestSocket } from "#test/support/test-socket.ts";

interface RegisteredUnderTest extends HostUnderTest<RegisteredRunners> {
  stub: DurableObjectStub<PoolObject>;
  /** How many messages and closings the host has handled. */
  handled(): number;
  /** A connection on which nothing has been said yet. */
  connect(): Promise<WebSocket>;
  /** Puts the recorder in the pool's place, also after an eviction. */
  attach(): Promise<void>;
}

async function makeHost(): Promise<RegisteredUnderTest> {
  const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
  const { reports, sink } = recordReports();
  let handled = 0;
  let leftAtMs = 0;

  /** Resolves when the object has handled one thing more than before. */
  async function settle(act: () => void): Promise<void> {
    const before = handled;
    act();
    await vi.waitFor(() => expect(handled).toBeGreaterThan(before), { interval: 2, timeout: 5_000 });
  }

  function use<Value>(work: (host: RegisteredRunners) => Value): Promise<Value> {
    return runInDurableObject<PoolObject, Value>(stub, (_instance, state) =>
      work(new RegisteredRunners(state, poolDatabase(state.storage), sink)),
    );
  }

  async function attach(): Promise<void> {
    await runInDurableObject<PoolObject, void>(stub, (instance, state) => {
      const runners = new RegisteredRunners(state, poolDatabase(state.storage), sink);
      instance.webSocketMessage = (socket, message) => {
        runners.receive(socket, String(message));
        handled += 1;
      };
      instance.webSocketClose = (socket) => {
        runners.miss(socket, leftAtMs);
        handled += 1;
      };
    });
  }

  async function connect(): Promise<WebSocket> {
    const { webSocket } = await stub.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
    if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
    return webSocket;
  }

  async function join(start: RunnerStart): Promise<RunnerUnderTest> {
    const socket = new TestSocket(await connect());
    await settle(() => socket.send(registration(start)));
    await socket.next(({ type }) => type === "registered");
    const work = () => socket.messages.flatMap(workMessage);
    const say = (message: RunnerToPool) => settle(() => socket.send(message));
    return {
      received: async (count) => {
        await socket.until(() => work().length >= count);
        return work();
      },
      accept: (lease) => say({ type: "accept", lease }),
      ended: (lease) => say({ type: "ended", lease }),
      leave: (nowMs) => {
        leftAtMs = nowMs;
        return settle(() => socket.close());
      },
    };
  }

  await attach();
  return {
    reports,
    stub,
    use,
    attach,
    connect,
    join,
    handled: () => handled,
    check: (nowMs) => use((host) => host.check(nowMs)),
  };
}

function registration({ id, ...start }: RunnerStart): RunnerToPool {
  return { type: "register", protocol: RUNNER_PROTOCOL, runner: { kind: "local", id }, ...start };
}

function workMessage(message: unknown): PoolToRunner[] {
  const parsed = poolToRunnerSchema.parse(message);
  return parsed.type === "registered" ? [] : [parsed];
}

runnerHostContract("a pool of registered runners", makeHost);

describe("a socket of a registered runner", () => {
  it.each<[string, unknown, number]>([
    ["is no JSON", undefined, RUNNER_CLOSE.badMessage],
    ["is unknown", { type: "hello" }, RUNNER_CLOSE.badMessage],
    ["comes before the registration", { type: "ended", lease: LEASE }, RUNNER_CLOSE.badMessage],
    ["speaks a protocol that is not served", { ...registration(ALICE), protocol: 99 }, RUNNER_CLOSE.protocol],
    ["has no places", { ...registration(ALICE), capacity: 0 }, RUNNER_CLOSE.badMessage],
  ])("is closed when its first message %s", async (_sentence, message, code) => {
    const host = await makeHost();
    const socket = new TestSocket(await host.connect());
    socket.send(message);
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(code);
    expect(host.reports).toEqual([]);
    expect(await host.use((runners) => runners.runnerCount())).toBe(0);
  });

  it("is closed when the same runner has come over another, which does not count as leaving", async () => {
    const host = await makeHost();
    const old = new TestSocket(await host.connect());
    old.send(registration(ALICE));
    await old.next(({ type }) => type === "registered");
    await host.join(ALICE);
    await old.until(() => old.closed !== null);
    expect(old.closed?.code).toBe(RUNNER_CLOSE.replaced);
    // Two registrations, and the end of the old connection.
    await vi.waitFor(() => expect(host.handled()).toBe(3), { interval: 2, timeout: 5_000 });
    expect(await host.use((runners) => [runners.runnerCount(), runners.nextCheck()])).toEqual([1, null]);
  });

  it("that has fallen silent is closed, and its runner lost, when the grace after its last ping is over", async () => {
    const host = await makeHost();
    const socket = await host.connect();
    const closed = new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
    await register(socket);
    await answer(socket, "ping");
    const nowMs = Date.now();
    await host.check(nowMs + RUNNER_GRACE_MS - 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
    await host.check(nowMs + RUNNER_GRACE_MS + 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
    expect(await closed).toBe(RUNNER_CLOSE.replaced);
  });

  it("that has never pinged is given up as well", async () => {
    const host = await makeHost();
    await register(await host.connect());
    await host.check(Date.now() + RUNNER_GRACE_MS + 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
  });
});

describe("a pool that was restarted", () => {
  it("gives each runner a while to come back", async () => {
    const host = await makeHost();
    await host.join({ ...ALICE, leases: [LEASE] });
    await evictDurableObject(host.stub, { webSockets: "close" });
    const restartedAt = Date.now();
    await host.attach();
    expect(await host.use((runners) => runners.runnerCount())).toBe(0);
    const lostAt = await host.use((runners) => runners.nextCheck());
    expect(lostAt).toBeGreaterThanOrEqual(restartedAt);
    await host.join({ ...ALICE, leases: [LEASE] });
    await host.check(Number(lostAt));
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "present"]);
  });

  it("loses those that don't", async () => {
    const host = await makeHost();
    await host.join(ALICE);
    await evictDurableObject(host.stub, { webSockets: "close" });
    await host.attach();
    await host.check(Number(await host.use((runners) => runners.nextCheck())));
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
  });

  it("knows its runners again when their sockets have outlived it", async () => {
    const host = await makeHost();
    const alice = await host.join(ALICE);
    await evictDurableObject(host.stub);
    await host.attach();
    expect(await host.use((runners) => [runners.runnerCount(), runners.nextCheck()])).toEqual([1, null]);
    expect(await host.use((runners) => runners.stop("alice", LEASE))).toBe(true);
    expect(await alice.received(1)).toEqual([{ type: "stop", lease: LEASE }]);
  });
});

/** Registers over a plain socket, on which pings can be answered too. */
async function register(socket: WebSocket): Promise<void> {
  socket.accept();
  await answer(socket, JSON.stringify(registration(ALICE)));
}

function answer(socket: WebSocket, text: string): Promise<unknown> {
  const answered = new Promise((resolve) => socket.addEventListener("message", resolve, { once: true }));
  socket.send(text);
  return answered;
}
