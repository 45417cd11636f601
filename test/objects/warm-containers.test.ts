/** What the host of containers makes of those that wait for a lease. */
import { afterEach, describe, expect, it, vi } from "vitest";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { grant, LEASE, OTHER } from "#test/contracts/lease-host.ts";
import { FakeAsked, makeContainerHost } from "#test/support/container-host.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("a container that waits", () => {
  /** A host with room for two, and so many kept warm, all of them ready. */
  async function warmed(containers = 1, room = 2) {
    const made = await makeContainerHost();
    await made.makeRoom(room);
    const host = await made.use((it) => it);
    host.setWarm({ containers, hours_per_month: 100 }, null, Date.now());
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

  it.each<[what: string, warm: number, room: number, leases: number, given: number, started: number]>([
    ["the only container", 1, 1, 1, 1, 1],
    ["one of all", 2, 2, 1, 1, 2],
    ["all there are", 2, 2, 2, 2, 2],
    ["the last one", 1, 3, 3, 1, 1],
    ["one beside which there is room", 1, 3, 1, 1, 2],
  ])("is kept for its lease while that is under way: %s", async (_what, warm, room, leases, given, started) => {
    const { host, warm: objects, asked, ready, names } = await warmed(warm, room);
    const held = new Map<string, number>();
    const offered = [LEASE, OTHER, { ...OTHER, generation: 7 }].slice(0, leases);
    const places = offered.map(() => {
      const place = host.place(held, Date.now()) ?? "";
      held.set(place, 1);
      return place;
    });
    host.keepWarm(held, Date.now());
    for (const name of names()) expect(ready(name)).toBe("held");
    for (const [at, lease] of offered.entries()) await host.offer(places[at] ?? "", grant(lease));
    expect(objects().flatMap(([, { orders }]) => orders)).toHaveLength(given);
    expect(offered.flatMap((lease) => asked(lease).orders)).toHaveLength(leases - given);
    host.keepWarm(held, Date.now());
    expect(names()).toHaveLength(started);
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

  it("is replaced after ten minutes, and pays for those alone, though it was unfit for a lease meanwhile", async () => {
    vi.useFakeTimers();
    const { host, offer, object, asked, none, ready, name } = await warmed();
    asked(LEASE).begun.resolve("begun");
    object.begun.resolve("unfit");
    vi.setSystemTime(Date.now() + 540_000);
    ready(name);
    await offer(LEASE);
    expect(host.warm(none, Date.now())).toMatchObject({ ready: 1, hours_used: 0.15 });
    host.keepWarm(none, Date.now() + 60_000);
    expect(object.received.map(({ type }) => type)).toEqual(["offer", "kill"]);
  });

  describe("while the platform has no room for another", () => {
    async function withoutRoom(containers = 1) {
      const made = await warmed(containers, 4);
      made.host.hear({ place: "container-x", lease: { ...OTHER, generation: 9 }, end: "declined" }, Date.now());
      return made;
    }

    it("is given the next lease, and no other is started for one that comes after, nor in its place", async () => {
      const { host, object, asked, none, names, reports } = await withoutRoom();
      object.begun.resolve("begun");
      const place = host.place(none, Date.now()) ?? "";
      const held = new Map([[place, 1]]);
      expect(host.place(held, Date.now())).toBeNull();
      await host.offer(place, grant(LEASE));
      await vi.waitUntil(() => reports.length === 2);
      expect([host.place(held, Date.now()), object.orders.length, asked(LEASE).orders]).toEqual([null, 1, []]);
      host.keepWarm(held, Date.now());
      expect(names()).toHaveLength(1);
      expect(host.warm(held, Date.now()).why).toMatch(/^The platform has no room/);
      host.keepWarm(held, Date.now() + 2_000);
      expect(names()).toHaveLength(2);
    });

    it.each(["unfit", "gone"] as const)("and %s leaves its lease waiting until the pause ends", async (answer) => {
      const { host, object, asked, none, reports } = await withoutRoom();
      object.begun.resolve(answer);
      const place = host.place(none, Date.now()) ?? "";
      await host.offer(place, grant(LEASE));
      await vi.waitUntil(() => reports.length === 2);
      expect(reports.at(-1)).toEqual({ type: "declined", place, lease: LEASE });
      expect([host.place(none, Date.now()), asked(LEASE).orders]).toEqual([null, []]);
      expect(host.place(none, Date.now() + 2_000)).not.toBeNull();
    });

    it("is given no lease where nobody answers who starts containers", async () => {
      vi.useFakeTimers();
      const { host, none } = await warmed(2, 4);
      await host.offer(host.place(none, Date.now()) ?? "", grant(LEASE));
      await vi.advanceTimersByTimeAsync(8_000);
      expect(host.place(none, Date.now())).toBeNull();
    });
  });

  it("whose answer comes when its lease waits again starts nothing else for it", async () => {
    vi.useFakeTimers();
    const { host, object, asked, none } = await warmed();
    await host.offer(host.place(none, Date.now()) ?? "", grant(LEASE));
    await vi.advanceTimersByTimeAsync(8_000);
    object.begun.resolve("gone");
    await vi.advanceTimersByTimeAsync(0);
    expect(asked(LEASE).orders).toEqual([]);
    asked(LEASE).begun.resolve("begun");
    const nowMs = Date.now() + 60_000;
    await host.offer(host.place(none, nowMs) ?? "", grant(LEASE));
    expect(asked(LEASE).orders).toHaveLength(1);
  });

  it("is replaced where all share a machine once the run that has got it has begun, or is over", async () => {
    vi.useFakeTimers();
    const { host, offer, object, names, yieldFor } = await warmed();
    yieldFor(10_000);
    object.begun.resolve("begun");
    const againMs = Date.now() + 10_000;
    const held = new Map([[await offer(LEASE), 1]]);
    host.keepWarm(held, againMs - 1);
    expect([names().length, host.next(againMs - 1, held)]).toEqual([1, againMs]);
    host.keepWarm(held, againMs);
    expect(names()).toHaveLength(2);
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
    host.setWarm({ containers: 0, hours_per_month: 100 }, null, Date.now());
    host.keepWarm(new Map(), Date.now());
    await vi.waitUntil(() => object.received.length === 1);
    expect(object.received[0]?.type).toBe("kill");
    expect(ready(name)).toBe("unknown");
  });
});
