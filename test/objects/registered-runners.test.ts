/** Runners that register over real sockets with a real pool object; the pool behind the host is a recorder. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { poolDatabase } from "#durable-objects/pool/database.ts";
import { PROBE_DEADLINE_MS, RegisteredRunners } from "#durable-objects/pool/hosts/registered-runners.ts";
import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
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
  let attached: RegisteredRunners;
  let handled = 0;
  let leftAtMs = 0;

  /** Resolves when the object has handled one thing more than before. */
  async function settle(act: () => void): Promise<void> {
    const before = handled;
    act();
    await vi.waitFor(() => expect(handled).toBeGreaterThan(before), { interval: 2, timeout: 5_000 });
  }

  function use<Value>(work: (host: RegisteredRunners) => Value): Promise<Value> {
    return runInDurableObject<PoolObject, Value>(stub, () => work(attached));
  }

  async function attach(): Promise<void> {
    await runInDurableObject<PoolObject, void>(stub, (instance, state) => {
      const runners = new RegisteredRunners(state, poolDatabase(state.storage), sink);
      attached = runners;
      runners.missThoseWithoutSocket(Date.now());
      instance.webSocketMessage = (socket, message) => {
        runners.receive(socket, String(message), Date.now());
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
      decline: (lease) => say({ type: "decline", lease, why: "full" }),
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
  return parsed.type === "registered" || parsed.type === "probe" ? [] : [parsed];
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

describe("another process under the id of a runner", () => {
  const IMPOSTOR: RunnerStart = { ...ALICE, boot: "boot-of-an-impostor" };

  async function dialAs(
    host: RegisteredUnderTest,
    start: RunnerStart,
    protocol = RUNNER_PROTOCOL,
  ): Promise<TestSocket> {
    const socket = new TestSocket(await host.connect());
    socket.send({ ...registration(start), protocol });
    await socket.until(() => socket.closed !== null || socket.messages.length > 0);
    return socket;
  }

  /** Some time later, by the host's clock. */
  function later(ms: number): void {
    const nowMs = Date.now() + ms;
    if (vi.isFakeTimers()) vi.setSystemTime(nowMs);
    else vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  }

  afterEach(() => {
    vi.useRealTimers();
  });

  it("is refused in words while that one answers, and takes nothing away from it", async () => {
    const host = await makeHost();
    const alice = await dialAs(host, ALICE);
    for (let round = 1; round <= 3; round += 1) {
      const impostor = await dialAs(host, IMPOSTOR);
      expect(impostor.closed?.code).toBe(RUNNER_CLOSE.taken);
      expect(impostor.closed?.reason).toMatch(/REVEILLE_RUNNER_ID/);
      await alice.until(() => alice.messages.filter(({ type }) => type === "probe").length === round);
      later(2_000);
      const before = host.handled();
      alice.send({ type: "alive" });
      await vi.waitFor(() => expect(host.handled()).toBeGreaterThan(before), { interval: 2 });
    }
    expect(alice.closed).toBeNull();
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
    expect(await host.use((runners) => runners.stop("alice", LEASE))).toBe(true);
    await alice.next(({ type }) => type === "stop");
  });

  it("takes the place of one that does not answer, at its second try", async () => {
    later(0);
    const host = await makeHost();
    const silent = await dialAs(host, ALICE);
    expect((await dialAs(host, IMPOSTOR)).closed?.code).toBe(RUNNER_CLOSE.taken);
    later(PROBE_DEADLINE_MS - 1);
    expect((await dialAs(host, IMPOSTOR)).closed?.code).toBe(RUNNER_CLOSE.taken);
    later(1);
    const successor = await dialAs(host, IMPOSTOR);
    expect(successor.messages).toEqual([{ type: "registered", protocol: RUNNER_PROTOCOL }]);
    await silent.until(() => silent.closed !== null);
    expect(silent.closed?.code).toBe(RUNNER_CLOSE.replaced);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost", "present"]);
    expect(await host.use((runners) => [runners.runnerCount(), runners.nextCheck()])).toEqual([1, null]);
  });

  it("has to wait until a runner of version 1, which can't be asked, has pinged no more", async () => {
    const host = await makeHost();
    await dialAs(host, ALICE, 1);
    later(6_000);
    expect((await dialAs(host, IMPOSTOR)).closed?.code).toBe(RUNNER_CLOSE.taken);
    later(2_000);
    expect((await dialAs(host, IMPOSTOR)).closed).toBeNull();
  });

  it("is let in at once when that one has left", async () => {
    const host = await makeHost();
    const alice = await host.join(ALICE);
    await alice.leave(Date.now());
    expect((await dialAs(host, IMPOSTOR)).closed).toBeNull();
  });

  it("is refused after the object was evicted as well, and the probe is made anew", async () => {
    const host = await makeHost();
    const alice = await dialAs(host, ALICE);
    await evictDurableObject(host.stub);
    await host.attach();
    expect((await dialAs(host, IMPOSTOR)).closed?.code).toBe(RUNNER_CLOSE.taken);
    await alice.next(({ type }) => type === "probe");
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
  });
});

describe("a runner that wants no offer", () => {
  it("for want of room gets none for a while, or until some work has ended", async () => {
    const host = await makeHost();
    const alice = await host.join(ALICE);
    await alice.decline(LEASE);
    expect(await host.use((runners) => runners.freeRunner(new Map()))).toBeNull();
    expect(await host.use((runners) => runners.nextCheck())).toBeGreaterThan(Date.now());
    await alice.ended(LEASE);
    expect(await host.use((runners) => runners.freeRunner(new Map()))).toBe("alice");
  });

  it("because it will leave gets none any more, also after an eviction", async () => {
    const host = await makeHost();
    const socket = new TestSocket(await host.connect());
    socket.send(registration(ALICE));
    await socket.next(({ type }) => type === "registered");
    socket.send({ type: "draining" });
    await vi.waitFor(() => expect(host.handled()).toBe(2), { interval: 2 });
    expect(await host.use((runners) => [runners.freeRunner(new Map()), runners.runnerCount()])).toEqual([null, 0]);
    await evictDurableObject(host.stub);
    await host.attach();
    expect(await host.use((runners) => runners.freeRunner(new Map()))).toBeNull();
    await host.join(ALICE);
    expect(await host.use((runners) => runners.freeRunner(new Map()))).toBe("alice");
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
