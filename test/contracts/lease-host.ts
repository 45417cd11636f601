/** What every host of leases promises its pool: one suite over the whole port, for the fake and for the real ones. */
import { describe, expect, it } from "vitest";
import {
  type Grant,
  type HostReports,
  KILL_DEADLINE_MS,
  type LeaseHost,
} from "#durable-objects/pool/hosts/lease-host.ts";
import type { LeaseRef, PoolToRunner } from "#protocol/runner-link.ts";

/** Something that a host told its pool. */
export type Report =
  | { type: "accepted" | "declined" | "ended"; place: string; lease: LeaseRef }
  | { type: "present"; place: string; leases: readonly LeaseRef[] }
  | { type: "lost"; place: string };

/** What works at a place, and does as the suite says. Each resolves when the host has taken it in. */
export interface PlaceUnderTest {
  /** The offers, stops and kills that have reached it; resolves when there are at least this many. */
  received(count: number): Promise<PoolToRunner[]>;
  accept(lease: LeaseRef): Promise<void>;
  decline(lease: LeaseRef): Promise<void>;
  ended(lease: LeaseRef): Promise<void>;
  /** Goes without a word, at this moment. */
  leave(nowMs: number): Promise<void>;
}

export interface HostUnderTest<Host extends LeaseHost = LeaseHost> {
  /** Everything that the host has told its pool, in order. */
  reports: readonly Report[];
  /** Leases that the pool has given to another, or to nobody. */
  disowned: LeaseRef[];
  /** Works with the host where it lives. */
  use<Value>(work: (host: Host) => Value | Promise<Value>): Promise<Value>;
  /** Sees to it that there could be so many places, each for one lease. To be called once. */
  makeRoom(places: number): Promise<void>;
  /** What works at a place that a lease has been offered to. */
  at(place: string): PlaceUnderTest;
}

/** Writes down what a host tells its pool. */
export function recordReports(): { reports: Report[]; disowned: LeaseRef[]; sink: HostReports } {
  const reports: Report[] = [];
  const disowned: LeaseRef[] = [];
  const isDisowned = ({ run_id }: LeaseRef) => disowned.some((lease) => lease.run_id === run_id);
  const sink: HostReports = {
    accepted: (place, lease) => {
      reports.push({ type: "accepted", place, lease });
      return !isDisowned(lease);
    },
    atWork: (place, lease) => {
      reports.push({ type: "accepted", place, lease });
      return !isDisowned(lease);
    },
    declined: (place, lease) => reports.push({ type: "declined", place, lease }),
    ended: (place, lease) => reports.push({ type: "ended", place, lease }),
    present: (place, leases) => {
      reports.push({ type: "present", place, leases });
      return leases.filter(isDisowned);
    },
    lost: (place) => reports.push({ type: "lost", place }),
  };
  return { reports, disowned, sink };
}

export const LEASE: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };
export const OTHER: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ013", generation: 4 };
/** A lost place is noticed within this time. */
const NOTICED_MS = 600_000;
const NOTHING_HELD = new Map<string, number>();

export function grant(lease: LeaseRef): Grant {
  return { lease, link_token: `link of ${lease.run_id}`, proxy_token: `proxy of ${lease.run_id}` };
}

/** Looks after the host's places whenever it asks for it, as a pool's alarm does. @returns when one was lost, or null. */
async function lookUntilLost(host: HostUnderTest, nowMs: number, held: ReadonlyMap<string, number>) {
  let atMs = nowMs;
  while (atMs <= nowMs + NOTICED_MS) {
    const at = atMs;
    const next = await host.use((it) => {
      it.look(at, held);
      return it.next(at, held);
    });
    if (lost(host).length > 0) return atMs;
    if (next === null) return null;
    expect(next).toBeGreaterThan(atMs);
    atMs = next;
  }
  return null;
}

const lost = ({ reports }: HostUnderTest) => reports.flatMap((one) => (one.type === "lost" ? [one.place] : []));
/** What was told of leases. */
const told = ({ reports }: HostUnderTest) => reports.filter(({ type }) => type !== "present");

/** @param makeHost a host without any place. */
export function leaseHostContract(name: string, makeHost: () => Promise<HostUnderTest>): void {
  /** A host with room for so many leases, of which the first has been offered. */
  async function offered(places = 1) {
    const host = await makeHost();
    await host.makeRoom(places);
    const place = await placeOf(host);
    expect(await host.use((it) => it.offer(place, grant(LEASE)))).toBe("sent");
    return { host, place, held: new Map([[place, 1]]), worker: host.at(place) };
  }

  async function placeOf(host: HostUnderTest, held: ReadonlyMap<string, number> = NOTHING_HELD): Promise<string> {
    const place = await host.use((it) => it.place(held, Date.now()));
    if (place === null) throw new Error("there is no room");
    return place;
  }

  describe(`${name} as a host of leases`, () => {
    it("has no room at first, and nothing to look after", async () => {
      const host = await makeHost();
      const nowMs = Date.now();
      const seen = await host.use((it) => [it.size(), it.place(NOTHING_HELD, nowMs), it.next(nowMs, NOTHING_HELD)]);
      expect(seen).toEqual([0, null, null]);
      expect(host.reports).toEqual([]);
    });

    it("has room for as many leases as it has places, whoever is asked how often", async () => {
      const host = await makeHost();
      await host.makeRoom(3);
      const held = new Map<string, number>();
      for (let count = 0; count < 3; count += 1) {
        const place = await placeOf(host, held);
        await placeOf(host, held);
        held.set(place, (held.get(place) ?? 0) + 1);
        await host.use((it) => it.offer(place, grant({ ...LEASE, generation: count + 1 })));
      }
      expect(await host.use((it) => [it.place(held, Date.now()), it.size()])).toEqual([null, 3]);
    });

    it("minds no leases of places that are not its own", async () => {
      const host = await makeHost();
      await host.makeRoom(1);
      await placeOf(host, new Map([["somebody else's", 9]]));
    });

    it("hands a lease over, and tells of its place when it is accepted and when its work has ended", async () => {
      const { host, place, worker } = await offered();
      expect(await worker.received(1)).toEqual([{ type: "offer", ...grant(LEASE) }]);
      await worker.accept(LEASE);
      await worker.ended(LEASE);
      expect(told(host)).toEqual([
        { type: "accepted", place, lease: LEASE },
        { type: "ended", place, lease: LEASE },
      ]);
    });

    it("tells when an offer is declined, and names that place again only after a while", async () => {
      const { host, place, worker } = await offered();
      await worker.decline(LEASE);
      expect(told(host)).toEqual([{ type: "declined", place, lease: LEASE }]);
      const nowMs = Date.now();
      expect(await host.use((it) => it.place(NOTHING_HELD, nowMs))).toBeNull();
      const again = await host.use((it) => it.next(nowMs, NOTHING_HELD));
      expect(again).toBeGreaterThan(nowMs);
      expect(await host.use((it) => it.place(NOTHING_HELD, Number(again)))).not.toBeNull();
    });

    it("can't reach a place that was never there, and tells nothing of it", async () => {
      const host = await makeHost();
      await host.makeRoom(1);
      const before = host.reports.length;
      const answer = await host.use(async (it) => {
        it.stop("nowhere", LEASE);
        it.kill("nowhere", LEASE, Date.now());
        return it.offer("nowhere", grant(LEASE));
      });
      expect(answer).toBe("gone");
      expect(host.reports).toHaveLength(before);
    });

    it("can't reach a place that has gone, and does not name it again", async () => {
      const { host, place, worker } = await offered();
      await worker.leave(Date.now());
      expect(await host.use((it) => it.offer(place, grant(OTHER)))).toBe("gone");
      expect(await host.use((it) => it.place(NOTHING_HELD, Date.now()))).not.toBe(place);
    });

    it.each(["stop", "kill"] as const)("brings a %s to the place that has the lease, and to no other", async (type) => {
      const { host, place, worker } = await offered(2);
      const otherPlace = await placeOf(host, new Map([[place, 1]]));
      await host.use((it) => it.offer(otherPlace, grant(OTHER)));
      await host.use((it) => (type === "stop" ? it.stop(place, LEASE) : it.kill(place, LEASE, Date.now())));
      expect((await worker.received(2)).slice(1)).toEqual([{ type, lease: LEASE }]);
      expect(await host.at(otherPlace).received(1)).toEqual([{ type: "offer", ...grant(OTHER) }]);
    });

    it("stops what is accepted after the pool has given it to somebody else", async () => {
      const { host, worker } = await offered();
      host.disowned.push(LEASE);
      await worker.accept(LEASE);
      expect((await worker.received(2)).slice(1)).toEqual([{ type: "stop", lease: LEASE }]);
    });

    it("tells once that a place is lost which has gone with a lease in hand, by asking to look after it", async () => {
      const { host, place, held, worker } = await offered();
      await worker.accept(LEASE);
      const leftMs = Date.now();
      await worker.leave(leftMs);
      const lostMs = await lookUntilLost(host, leftMs, held);
      expect(lostMs).not.toBeNull();
      expect(lost(host)).toEqual([place]);
      await host.use((it) => it.look(Number(lostMs) + NOTICED_MS, NOTHING_HELD));
      expect(lost(host)).toEqual([place]);
    });

    it("loses a place that falls silent with a lease in hand", async () => {
      const { host, place, held, worker } = await offered();
      await worker.accept(LEASE);
      expect(await lookUntilLost(host, Date.now(), held)).not.toBeNull();
      expect(lost(host)).toEqual([place]);
    });

    it("loses a place that gives no sign after a kill, long before one that is only silent", async () => {
      const { host, place, held, worker } = await offered();
      await worker.accept(LEASE);
      const nowMs = Date.now();
      await host.use((it) => it.kill(place, LEASE, nowMs));
      const lostMs = await lookUntilLost(host, nowMs, held);
      expect(Number(lostMs) - nowMs).toBeLessThanOrEqual(KILL_DEADLINE_MS);
      expect(lost(host)).toEqual([place]);
    });

    it("does not lose a place that says that it has ended what it was to kill", async () => {
      const { host, place, worker } = await offered();
      await worker.accept(LEASE);
      const nowMs = Date.now();
      await host.use((it) => it.kill(place, LEASE, nowMs - 1));
      await worker.ended(LEASE);
      await host.use((it) => it.look(nowMs + KILL_DEADLINE_MS, NOTHING_HELD));
      expect(lost(host)).toEqual([]);
      expect(told(host).at(-1)).toEqual({ type: "ended", place, lease: LEASE });
    });
  });
}
