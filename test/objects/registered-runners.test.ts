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
  type JoinedHostUnderTest,
  joinedHostContract,
  joinMany,
  type RunnerStart,
} from "#test/contracts/joined-host.ts";
import { LEASE, leaseHostContract, type PlaceUnderTest, recordReports } from "#test/contracts/lease-host.ts";
import { TestSocket } from "#test/support/test-socket.ts";

interface RegisteredUnderTest extends JoinedHostUnderTest<RegisteredRunners> {
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
  const { reports, disowned, sink } = recordReports();
  const workers = new Map<string, PlaceUnderTest>();
  let attached: RegisteredRunners;
  let handled = 0;
  let leftAtMs = 0;

  /** Resolves when the object has handled one thing more than before. */
  async function settle(act: () => void): Promise<void> {
    const before = handled;
    act();
    await vi.waitFor(() => expect(handled).toBeGreaterThan(before), { interval: 2 });
  }

  function use<Value>(work: (host: RegisteredRunners) => Value | Promise<Value>): Promise<Value> {
    return runInDurableObject<PoolObject, Value>(stub, () => work(attached));
  }

  async function attach(): Promise<void> {
    await runInDurableObject<PoolObject, void>(stub, (instance, state) => {
      const runners = new RegisteredRunners(state, poolDatabase(state.storage), sink);
      attached = runners;
      instance.webSocketMessage = (socket, message) => {
        runners.receive(socket, String(message), Date.now());
        handled += 1;
      };
      instance.webSocketClose = (socket) => {
        runners.closed(socket, leftAtMs);
        handled += 1;
      };
    });
  }

  async function connect(): Promise<WebSocket> {
    const { webSocket } = await stub.fetch("https://object/pool", { headers: { upgrade: "websocket" } });
    if (webSocket === null) throw new Error("the pool did not switch to WebSocket");
    return webSocket;
  }

  async function join(start: RunnerStart): Promise<PlaceUnderTest> {
    const socket = new TestSocket(await connect());
    await settle(() => socket.send(registration(start)));
    await socket.next(({ type }) => type === "registered");
    const work = () => socket.messages.flatMap(workMessage);
    const say = (message: RunnerToPool) => settle(() => socket.send(message));
    const worker: PlaceUnderTest = {
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
    workers.set(start.id, worker);
    return worker;
  }

  await attach();
  return {
    reports,
    disowned,
    stub,
    use,
    attach,
    connect,
    join,
    makeRoom: (places) => joinMany(places, join),
    at: (place) => {
      const worker = workers.get(place);
      if (worker === undefined) throw new Error(`nobody works at ${place}`);
      return worker;
    },
    handled: () => handled,
  };
}

function registration({ id, ...start }: RunnerStart): Extract<RunnerToPool, { type: "register" }> {
  return { type: "register", protocol: RUNNER_PROTOCOL, runner: { kind: "local", id }, features: [], ...start };
}

function workMessage(message: unknown): PoolToRunner[] {
  const parsed = poolToRunnerSchema.parse(message);
  return parsed.type === "registered" || parsed.type === "probe" ? [] : [parsed];
}

leaseHostContract("a pool of registered runners", makeHost);
joinedHostContract("a pool of registered runners", makeHost);

/** Has the host look after its runners at this moment. @returns when it wants to do so again. */
function look(host: RegisteredUnderTest, nowMs = Date.now()): Promise<number | null> {
  return host.use((runners) => {
    runners.look(nowMs);
    return runners.next(nowMs, new Map());
  });
}

const place = (host: RegisteredUnderTest) => host.use((runners) => runners.place(new Map(), Date.now()));
const size = (host: RegisteredUnderTest) => host.use((runners) => runners.size());

describe("a socket of a registered runner", () => {
  it.each<[string, unknown, number]>([
    ["is no JSON", undefined, RUNNER_CLOSE.badMessage],
    ["is unknown", { type: "hello" }, RUNNER_CLOSE.badMessage],
    ["comes before the registration", { type: "ended", lease: LEASE }, RUNNER_CLOSE.badMessage],
    ["speaks a protocol that is not served", { ...registration(ALICE), protocol: 99 }, RUNNER_CLOSE.protocol],
    ["tells a version that is too old", { ...registration(ALICE), version: "0.0.9" }, RUNNER_CLOSE.protocol],
    ["tells no version but a text", { ...registration(ALICE), version: "newest" }, RUNNER_CLOSE.badMessage],
    ["has no places", { ...registration(ALICE), capacity: 0 }, RUNNER_CLOSE.badMessage],
  ])("is closed when its first message %s", async (_sentence, message, code) => {
    const host = await makeHost();
    const socket = new TestSocket(await host.connect());
    socket.send(message);
    await socket.until(() => socket.closed !== null);
    expect(socket.closed?.code).toBe(code);
    expect(host.reports).toEqual([]);
    expect(await size(host)).toBe(0);
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
    await vi.waitFor(() => expect(host.handled()).toBe(3), { interval: 2 });
    expect([await size(host), await look(host)]).toEqual([1, null]);
  });

  it("that has fallen silent is closed, and its runner lost, when the grace after its last ping is over", async () => {
    const host = await makeHost();
    const socket = await host.connect();
    const closed = new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
    await register(socket);
    await answer(socket, "ping");
    const nowMs = Date.now();
    await look(host, nowMs + RUNNER_GRACE_MS - 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
    await look(host, nowMs + RUNNER_GRACE_MS + 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
    expect(await closed).toBe(RUNNER_CLOSE.replaced);
  });

  it("that seems silent after a clock that has jumped is asked first, and kept where it answers", async () => {
    const host = await makeHost();
    const socket = new TestSocket(await host.connect());
    socket.send(registration(ALICE));
    await socket.next(({ type }) => type === "registered");
    const HOUR_MS = 3_600_000;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HOUR_MS });
    const next = await look(host);
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
    await socket.next(({ type }) => type === "probe");
    expect(await place(host)).toBeNull();
    const handled = host.handled();
    socket.send({ type: "alive" });
    await vi.waitFor(() => expect(host.handled()).toBeGreaterThan(handled), { interval: 2 });
    expect(await place(host)).toBe("alice");
    await look(host, Number(next));
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);

    vi.setSystemTime(Date.now() + HOUR_MS);
    const nextAgain = await look(host);
    await look(host, Number(nextAgain) - 1);
    expect(host.reports.map(({ type }) => type)).toEqual(["present"]);
    await look(host, Number(nextAgain));
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
    vi.useRealTimers();
  });

  it("that has never pinged is given up as well", async () => {
    const host = await makeHost();
    await register(await host.connect());
    await look(host, Date.now() + RUNNER_GRACE_MS + 1_000);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
  });
});

it.each<[string, object]>([
  ["names options that this pool does not know", { features: ["tomorrow", "the-day-after"] }],
  ["names none, being of an earlier time", { features: undefined }],
  ["is of version 1", { features: undefined, protocol: 1 }],
  ["tells a version to come", { version: "7.0.0" }],
])("a runner that %s is told which are in force, and served", async (_what, differs) => {
  const host = await makeHost();
  const socket = new TestSocket(await host.connect());
  const message = { ...registration(ALICE), ...differs };
  socket.send(message);
  await socket.until(() => socket.closed !== null || socket.messages.length > 0);
  expect(socket.messages).toEqual([{ type: "registered", protocol: message.protocol, features: [] }]);
  expect(await place(host)).toBe("alice");
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
    await host.use((runners) => runners.stop("alice", LEASE));
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
    expect(successor.messages).toEqual([{ type: "registered", protocol: RUNNER_PROTOCOL, features: [] }]);
    await silent.until(() => silent.closed !== null);
    expect(silent.closed?.code).toBe(RUNNER_CLOSE.replaced);
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost", "present"]);
    expect([await size(host), await look(host)]).toEqual([1, null]);
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
    expect(await place(host)).toBeNull();
    expect(await look(host)).toBeGreaterThan(Date.now());
    await alice.ended(LEASE);
    expect(await place(host)).toBe("alice");
  });

  it("because it will leave gets none any more, also after an eviction", async () => {
    const host = await makeHost();
    const socket = new TestSocket(await host.connect());
    socket.send(registration(ALICE));
    await socket.next(({ type }) => type === "registered");
    socket.send({ type: "draining" });
    await vi.waitFor(() => expect(host.handled()).toBe(2), { interval: 2 });
    expect([await place(host), await size(host)]).toEqual([null, 0]);
    await evictDurableObject(host.stub);
    await host.attach();
    expect(await place(host)).toBeNull();
    await host.join(ALICE);
    expect(await place(host)).toBe("alice");
  });
});

describe("a pool that was restarted", () => {
  it("gives each runner a while to come back", async () => {
    const host = await makeHost();
    await host.join({ ...ALICE, leases: [LEASE] });
    await evictDurableObject(host.stub, { webSockets: "close" });
    const restartedAt = Date.now();
    await host.attach();
    expect(await size(host)).toBe(0);
    const lostAt = await look(host);
    expect(lostAt).toBeGreaterThanOrEqual(restartedAt);
    await host.join({ ...ALICE, leases: [LEASE] });
    await look(host, Number(lostAt));
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "present"]);
  });

  it("loses those that don't", async () => {
    const host = await makeHost();
    await host.join(ALICE);
    await evictDurableObject(host.stub, { webSockets: "close" });
    await host.attach();
    await look(host, Number(await look(host)));
    expect(host.reports.map(({ type }) => type)).toEqual(["present", "lost"]);
  });

  it("knows its runners again when their sockets have outlived it", async () => {
    const host = await makeHost();
    const alice = await host.join(ALICE);
    await evictDurableObject(host.stub);
    await host.attach();
    expect([await size(host), await look(host)]).toEqual([1, null]);
    await host.use((runners) => runners.stop("alice", LEASE));
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
