/** The host of containers, with objects of containers that do as the suite says. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { type AskedContainer, ContainerHost } from "#durable-objects/pool/hosts/container-host.ts";
import type { WatchStorage } from "#durable-objects/pool/hosts/container-watches.ts";
import { KILL_DEADLINE_MS } from "#durable-objects/pool/hosts/lease-host.ts";
import type { AskedWarm, WarmStorage } from "#durable-objects/pool/hosts/warm-containers.ts";
import type { BeginAnswer, ContainerOrder } from "#instance/object-contracts.ts";
import type { LeaseRef, PoolToRunner } from "#protocol/runner-link.ts";
import {
  grant,
  type HostUnderTest,
  LEASE,
  leaseHostContract,
  OTHER,
  type PlaceUnderTest,
  recordReports,
} from "#test/contracts/lease-host.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** The object of one lease's container: what it was asked, and the answer to `begin`. */
class FakeAsked implements AskedContainer, AskedWarm {
  readonly received: PoolToRunner[] = [];
  orders: ContainerOrder[] = [];
  looks = 0;
  prepared = 0;
  begun = Promise.withResolvers<BeginAnswer>();

  async begin(order: ContainerOrder): Promise<BeginAnswer> {
    const { lease, link_token, proxy_token } = order;
    this.orders.push(order);
    this.received.push({ type: "offer", lease, link_token, proxy_token });
    return await this.begun.promise;
  }

  async prepare(): Promise<void> {
    this.prepared += 1;
  }

  async stop(): Promise<void> {
    this.received.push({ type: "stop", lease: this.#lease });
  }

  async kill(): Promise<void> {
    this.received.push({ type: "kill", lease: this.#lease });
  }

  async look(): Promise<void> {
    this.looks += 1;
  }

  get #lease(): LeaseRef {
    return this.orders[0]?.lease ?? LEASE;
  }
}

interface ContainersUnderTest extends HostUnderTest<ContainerHost> {
  asked(lease: LeaseRef): FakeAsked;
  /** The objects of containers that were started before there was a lease, by their names. */
  warm(): [string, FakeAsked][];
  changes(): number;
  /** The pool has left memory, and is opened anew. */
  reopen(): ContainerHost;
}

function kvStorage(): WatchStorage & WarmStorage {
  const stored = new Map<string, unknown>();
  return {
    get: <Value>(key: string) => structuredClone(stored.get(key)) as Value | undefined,
    list: <Value>({ prefix = "" } = {}) =>
      [...stored]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]): [string, Value] => [key, structuredClone(value) as Value]),
    put: (key, value) => void stored.set(key, structuredClone(value)),
    delete: (key) => stored.delete(key),
  };
}

async function makeHost(): Promise<ContainersUnderTest> {
  const { reports, disowned, sink } = recordReports();
  const objects = new Map<string, FakeAsked>();
  let capacity = 0;
  let changes = 0;
  const named = (name: string) => {
    const known = objects.get(name) ?? new FakeAsked();
    objects.set(name, known);
    return known;
  };
  const asked = ({ run_id, generation }: LeaseRef) => named(`${run_id}.${generation}`);
  const storage = kvStorage();
  const open = () =>
    new ContainerHost({
      pool: "default",
      capacity: () => capacity,
      containerOf: asked,
      warmOf: named,
      storage,
      reports: sink,
      onChange: () => {
        changes += 1;
      },
    });
  const host = open();
  const at = (place: string): PlaceUnderTest => {
    const object = () => [...objects.values()].find(({ orders }) => orders.some((order) => order.place === place));
    return {
      received: async (count) => vi.waitUntil(() => (object()?.received.length ?? 0) >= count && object()?.received),
      accept: async () => {
        const before = changes;
        object()?.begun.resolve("begun");
        await vi.waitUntil(() => changes > before);
      },
      decline: async (lease) => void host.hear({ place, lease, end: "declined" }, Date.now()),
      ended: async (lease) => void host.hear({ place, lease, end: "work_ended" }, Date.now()),
      // A container that vanishes with its object says nothing more.
      leave: async () => {},
    };
  };
  return {
    reports,
    disowned,
    asked,
    warm: () => [...objects].filter(([name]) => name.startsWith("warm-")),
    at,
    changes: () => changes,
    reopen: open,
    use: async (work) => work(host),
    makeRoom: async (places) => {
      capacity = places;
    },
  };
}

leaseHostContract("a host of containers", makeHost);

/** A host with room for so many, of which the first has the lease. */
async function offered(places = 1) {
  const made = await makeHost();
  await made.makeRoom(places);
  const host = await made.use((it) => it);
  const place = host.place(new Map(), Date.now()) ?? "";
  await host.offer(place, grant(LEASE));
  return { ...made, host, place, held: new Map([[place, 1]]), container: made.asked(LEASE) };
}

describe("a container's object", () => {
  it("is told where to report, and gets more time for the first container than for the next", async () => {
    const { host, place, held, container, asked, changes } = await offered(2);
    container.begun.resolve("begun");
    await vi.waitUntil(() => changes() === 1);
    const second = host.place(held, Date.now()) ?? "";
    await host.offer(second, grant(OTHER));
    expect(container.orders).toEqual([{ ...grant(LEASE), pool: "default", place, start_within_ms: 180_000 }]);
    expect(asked(OTHER).orders).toMatchObject([{ place: second, start_within_ms: 60_000 }]);
  });

  it.each<[string, number, (begun: PromiseWithResolvers<BeginAnswer>) => void]>([
    ["that fails to begin", 0, ({ reject }) => reject(new Error("internal error; reference = 0"))],
    ["that never answers", 8_000, () => {}],
  ])("%s lets the lease wait, and is asked again after a pause", async (_what, afterMs, answer) => {
    vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"], now: Date.now() });
    const { host, place, container, reports, changes } = await offered();
    answer(container.begun);
    await vi.advanceTimersByTimeAsync(afterMs);
    expect(reports).toEqual([{ type: "declined", place, lease: LEASE }]);
    expect(changes()).toBe(1);
    const next = host.next(Date.now(), new Map());
    expect(host.place(new Map(), Number(next) - 1)).toBeNull();
    const again = host.place(new Map(), Number(next)) ?? "";
    expect(again).not.toBe(place);
    container.begun = Promise.withResolvers();
    container.begun.resolve("begun");
    await host.offer(again, grant(LEASE));
    await vi.waitUntil(() => reports.length === 2);
    expect(reports.at(-1)).toEqual({ type: "accepted", place: again, lease: LEASE });
  });

  it("waits longer after each refusal for want of room, and not at all once another has ended", async () => {
    const { host, held, place } = await offered(2);
    const nowMs = Date.now();
    const waits = [1, 2, 3].map((generation) => {
      host.hear({ place: "container-x", lease: { ...OTHER, generation }, end: "declined" }, nowMs);
      return Number(host.next(nowMs, new Map())) - nowMs;
    });
    expect(waits).toEqual([2_000, 4_000, 8_000]);
    expect(host.place(held, nowMs)).toBeNull();
    host.hear({ place, lease: LEASE, end: "work_ended" }, nowMs);
    expect(host.place(new Map(), nowMs)).not.toBeNull();
  });

  it("is not lost while it says from time to time that it is there", async () => {
    const { host, place, held, reports, container } = await offered();
    container.begun.resolve("begun");
    const startMs = Date.now();
    for (let atMs = startMs; atMs < startMs + 3_600_000; atMs += 60_000) {
      host.look(atMs, held);
      expect(host.hear({ place, lease: LEASE, end: null }, atMs)).toBe("held");
    }
    expect(reports.filter(({ type }) => type === "lost")).toEqual([]);
  });

  it("has a while to say that it is there after the clock has jumped", async () => {
    const { host, place, held, reports, container } = await offered();
    const wokenMs = Date.now() + 8 * 3_600_000;
    host.look(wokenMs, held);
    expect([host.next(wokenMs, held), container.looks]).toEqual([wokenMs + 30_000, 1]);
    host.hear({ place, lease: LEASE, end: null }, wokenMs + 500);
    host.look(wokenMs + 30_000, held);
    expect(reports.map(({ type }) => type)).not.toContain("lost");
  });

  it("has to end when the pool has given its lease to another, or to nobody", async () => {
    const { host, place, disowned } = await offered();
    disowned.push(LEASE);
    expect(host.hear({ place, lease: LEASE, end: null }, Date.now())).toBe("unknown");
  });

  it("that is silent is lost, and ended, though its pool leaves memory between any two alarms", async () => {
    const { reopen, place, held, reports, container } = await offered();
    const startMs = Date.now();
    let atMs = startMs;
    for (let alarms = 0; alarms < 10; alarms += 1) {
      const host = reopen();
      // Whatever wakes the pool arms its alarm again before that rings.
      host.next(atMs, held);
      host.look(atMs, held);
      if (reports.at(-1)?.type === "lost") break;
      atMs = host.next(atMs, held) ?? atMs;
    }
    expect(reports.at(-1)).toEqual({ type: "lost", place });
    expect([atMs - startMs <= 201_000, container.looks]).toEqual([true, 1]);
    expect(container.received.at(-1)).toEqual({ type: "kill", lease: LEASE });
  });

  it("that does not say that it was killed is lost, though its pool leaves memory meanwhile", async () => {
    const { host, reopen, place, held, reports } = await offered();
    const nowMs = Date.now();
    host.kill(place, LEASE, nowMs);
    reopen().look(nowMs + KILL_DEADLINE_MS, held);
    expect(reports.at(-1)).toEqual({ type: "lost", place });
  });

  it("of which nothing is known is not lost before it could say that it is there", async () => {
    const { reports, reopen } = await makeHost();
    const held = new Map([["container-of-before", 1]]);
    const nowMs = Date.now();
    const next = Number(reopen().next(nowMs, held));
    expect(next).toBeGreaterThan(nowMs + 120_000);
    reopen().look(nowMs, held);
    expect(reports).toEqual([]);
    reopen().look(next, held);
    reopen().look(Number(reopen().next(next, held)), held);
    expect(reports).toEqual([{ type: "lost", place: "container-of-before" }]);
  });
});

it("says why it starts none though there is room: the platform has none, or nobody answers", async () => {
  vi.useFakeTimers();
  const { host, place, held, makeRoom } = await offered(2);
  expect(host.obstacle(held, Date.now())).toBeNull();
  await vi.advanceTimersByTimeAsync(8_000);
  expect(host.obstacle(held, Date.now())).toBe("silent");
  host.hear({ place, lease: LEASE, end: "declined" }, Date.now());
  expect(host.obstacle(held, Date.now())).toBe("no_room");
  await makeRoom(1);
  expect(host.obstacle(held, Date.now())).toBeNull();
  await makeRoom(2);
  expect(host.obstacle(held, Date.now() + 60_000)).toBeNull();
});

describe("a container that waits", () => {
  /** A host with room for two, and so many kept warm, all of them ready. */
  async function warmed(containers = 1, room = 2) {
    const made = await makeHost();
    await made.makeRoom(room);
    const host = await made.use((it) => it);
    host.setWarm({ containers, hours_per_month: 100 });
    const none = new Map<string, number>();
    host.keepWarm(none, Date.now());
    const names = () => made.warm().map(([name]) => name);
    const ready = (name: string) => host.hearWarm({ name, state: "ready", reason: null }, Date.now());
    for (const name of names()) expect(ready(name)).toBe("held");
    /** Offers a lease. @returns its place, when it has been accepted. */
    const offer = async (lease: LeaseRef, held = none) => {
      const before = made.changes();
      const place = host.place(held, Date.now()) ?? "";
      await host.offer(place, grant(lease));
      await vi.waitUntil(() => made.changes() > before);
      return place;
    };
    const [name = "", object = new FakeAsked()] = made.warm()[0] ?? [];
    return { ...made, host, none, names, ready, offer, name, object };
  }

  it("gets the next lease, and another is started in its place", async () => {
    const { host, offer, object, asked, names } = await warmed();
    object.begun.resolve("begun");
    const place = await offer(LEASE);
    expect([object.prepared, object.orders[0]?.lease, asked(LEASE).orders]).toEqual([1, LEASE, []]);
    host.keepWarm(new Map([[place, 1]]), Date.now());
    expect(names()).toHaveLength(2);
    host.stop(place, LEASE);
    expect(object.received.map(({ type }) => type)).toEqual(["offer", "stop"]);
  });

  it.each([
    ["gone", 0],
    ["unfit", 1],
  ] as const)("that is %s leaves its lease to one that is started for it", async (answer, ready) => {
    const { host, offer, object, asked, none, reports } = await warmed();
    object.begun.resolve(answer);
    asked(LEASE).begun.resolve("begun");
    await offer(LEASE);
    expect(asked(LEASE).orders).toHaveLength(1);
    expect(reports).toMatchObject([{ type: "accepted", lease: LEASE }]);
    expect(host.warm(none, Date.now()).ready).toBe(ready);
  });

  it("and does not answer has its lease again, and no other, also when the pool has left memory", async () => {
    vi.useFakeTimers();
    const { host, object, asked, reopen, name, none } = await warmed();
    await host.offer(host.place(none, Date.now()) ?? "", grant(LEASE));
    await vi.advanceTimersByTimeAsync(8_000);
    const again = reopen();
    await again.offer(again.place(none, Date.now()) ?? "", grant(OTHER));
    await again.offer(again.place(none, Date.now()) ?? "", grant(LEASE));
    expect(object.orders.map(({ lease }) => lease)).toEqual([LEASE, LEASE]);
    expect(asked(OTHER).orders).toHaveLength(1);
    // It has never taken it: after a while nobody counts on it any more.
    vi.setSystemTime(Date.now() + 600_000);
    expect(again.hearWarm({ name, state: "ready", reason: null }, Date.now())).toBe("unknown");
  });

  it("is not counted on when it has failed, and ends when runs take all the room", async () => {
    const { host, names, object, none, offer, asked } = await warmed(2, 2);
    host.hearWarm({ name: names()[0] ?? "", state: "ended", reason: "no room" }, Date.now());
    expect(host.warm(none, Date.now())).toMatchObject({ ready: 1, why: "The last one could not be started: no room" });
    host.keepWarm(
      new Map([
        ["container-1", 1],
        ["container-2", 1],
      ]),
      Date.now(),
    );
    expect(host.warm(none, Date.now()).ready).toBe(0);
    expect(object.received).toEqual([]);
    asked(LEASE).begun.resolve("begun");
    await offer(LEASE);
    expect(asked(LEASE).orders).toHaveLength(1);
  });

  it("is known to the pool alone that has started it", async () => {
    const { host, ready, name, object, reopen } = await warmed();
    expect(reopen().hearWarm({ name, state: "ready", reason: null }, Date.now())).toBe("held");
    expect(ready("warm-of-nobody")).toBe("unknown");
    host.setWarm({ containers: 0, hours_per_month: 100 });
    host.keepWarm(new Map(), Date.now());
    await vi.waitUntil(() => object.received.length === 1);
    expect(object.received[0]?.type).toBe("kill");
    expect(ready(name)).toBe("unknown");
  });
});
