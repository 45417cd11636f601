/** What every host of runners promises its pool: one suite, for the fake and for the real ones. */
import { describe, expect, it } from "vitest";
import type { Grant, HostReports, LeaseHost } from "#durable-objects/pool/hosts/lease-host.ts";
import { type LeaseRef, type PoolToRunner, RUNNER_GRACE_MS } from "#protocol/runner-link.ts";

/** Something that a host told its pool. */
export type Report =
  | { type: "accepted" | "declined" | "ended"; runnerId: string; lease: LeaseRef }
  | { type: "present"; runnerId: string; leases: readonly LeaseRef[] }
  | { type: "lost"; runnerId: string };

export interface RunnerStart {
  id: string;
  boot: string;
  capacity: number;
  leases: LeaseRef[];
}

/** A runner that does as the suite says. */
export interface RunnerUnderTest {
  /** The offers, stops and kills that have reached it; resolves when there are at least this many. */
  received(count: number): Promise<PoolToRunner[]>;
  accept(lease: LeaseRef): Promise<void>;
  decline(lease: LeaseRef): Promise<void>;
  ended(lease: LeaseRef): Promise<void>;
  /** Goes without a word, at this moment. Resolves when the host has noticed. */
  leave(nowMs: number): Promise<void>;
}

export interface HostUnderTest<Host extends LeaseHost = LeaseHost> {
  /** Everything that the host has told its pool, in order. */
  reports: readonly Report[];
  /** Works with the host where it lives. */
  use<Value>(work: (host: Host) => Value): Promise<Value>;
  /** A runner comes, or comes back. Resolves when the host has taken it in. */
  join(start: RunnerStart): Promise<RunnerUnderTest>;
  /** Has the host give up, as of this moment, whoever has not come back in time. */
  check(nowMs: number): Promise<void>;
}

/** Writes down what a host tells its pool. */
export function recordReports(): { reports: Report[]; sink: HostReports } {
  const reports: Report[] = [];
  const sink: HostReports = {
    accepted: (runnerId, lease) => reports.push({ type: "accepted", runnerId, lease }),
    declined: (runnerId, lease) => reports.push({ type: "declined", runnerId, lease }),
    ended: (runnerId, lease) => reports.push({ type: "ended", runnerId, lease }),
    present: (runnerId, leases) => reports.push({ type: "present", runnerId, leases }),
    lost: (runnerId) => reports.push({ type: "lost", runnerId }),
  };
  return { reports, sink };
}

export const LEASE: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ012", generation: 1 };
const OTHER: LeaseRef = { run_id: "run_0ABCDEFGHJKMNPQRSTVWXYZ013", generation: 4 };
export const ALICE: RunnerStart = { id: "alice", boot: "boot-of-alice-1", capacity: 2, leases: [] };
const BOB: RunnerStart = { id: "bob", boot: "boot-of-bob-1", capacity: 1, leases: [] };

function grant(lease: LeaseRef): Grant {
  return { lease, link_token: `link of ${lease.run_id}`, proxy_token: `proxy of ${lease.run_id}` };
}

/** @param makeHost a host without any runner. */
export function runnerHostContract(name: string, makeHost: () => Promise<HostUnderTest>): void {
  describe(`${name} as a host of runners`, () => {
    it("has nobody to offer a lease to at first", async () => {
      const host = await makeHost();
      expect(await host.use((it) => [it.runnerCount(), it.freeRunner(new Map())])).toEqual([0, null]);
      expect(host.reports).toEqual([]);
    });

    it.each<[string, [string, number][], string | null]>([
      ["has room while it has no lease", [], "alice"],
      ["has room while one place is left", [["alice", 1]], "alice"],
      ["has none when its places are taken", [["alice", 2]], null],
      ["has none when it has more leases than places, after it came back with fewer", [["alice", 3]], null],
      ["does not mind the leases of others", [["somebody else", 9]], "alice"],
    ])("a runner of capacity 2 %s", async (_sentence, counts, expected) => {
      const host = await makeHost();
      await host.join(ALICE);
      expect(await host.use((it) => it.freeRunner(new Map(counts)))).toBe(expected);
      expect(await host.use((it) => it.runnerCount())).toBe(1);
    });

    it("finds the one runner with room among several", async () => {
      const host = await makeHost();
      await host.join(ALICE);
      await host.join(BOB);
      expect(await host.use((it) => it.freeRunner(new Map([["alice", 2]])))).toBe("bob");
      expect(await host.use((it) => it.freeRunner(new Map([["bob", 1]])))).toBe("alice");
      expect(
        await host.use((it) =>
          it.freeRunner(
            new Map([
              ["alice", 2],
              ["bob", 1],
            ]),
          ),
        ),
      ).toBeNull();
    });

    it("hands a lease to the runner, and tells when it is accepted and when its work has ended", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      expect(await host.use((it) => it.offer("alice", grant(LEASE)))).toBe(true);
      expect(await alice.received(1)).toEqual([{ type: "offer", ...grant(LEASE) }]);
      await alice.accept(LEASE);
      await alice.ended(LEASE);
      expect(host.reports).toEqual([
        { type: "present", runnerId: "alice", leases: [] },
        { type: "accepted", runnerId: "alice", lease: LEASE },
        { type: "ended", runnerId: "alice", lease: LEASE },
      ]);
    });

    it("tells when an offer is declined", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await host.use((it) => it.offer("alice", grant(LEASE)));
      await alice.decline(LEASE);
      expect(host.reports.slice(1)).toEqual([{ type: "declined", runnerId: "alice", lease: LEASE }]);
    });

    it("brings a kill to the runner that holds the lease", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await host.join(BOB);
      expect(await host.use((it) => [it.kill("alice", LEASE), it.kill("nobody", LEASE)])).toEqual([true, false]);
      expect(await alice.received(1)).toEqual([{ type: "kill", lease: LEASE }]);
    });

    it("brings a stop to the runner that holds the lease, and to no other", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      const bob = await host.join(BOB);
      await host.use((it) => it.offer("alice", grant(LEASE)));
      expect(await host.use((it) => it.stop("alice", LEASE))).toBe(true);
      await host.use((it) => it.offer("bob", grant(OTHER)));
      expect(await alice.received(2)).toEqual([
        { type: "offer", ...grant(LEASE) },
        { type: "stop", lease: LEASE },
      ]);
      expect(await bob.received(1)).toEqual([{ type: "offer", ...grant(OTHER) }]);
    });

    it("says that a runner which was never there can't be reached", async () => {
      const host = await makeHost();
      await host.join(BOB);
      expect(await host.use((it) => it.offer("alice", grant(LEASE)))).toBe(false);
      expect(await host.use((it) => it.stop("alice", LEASE))).toBe(false);
    });

    it("says at once that a runner which has left can't be reached, and offers it nothing", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await alice.leave(Date.now());
      expect(await host.use((it) => it.offer("alice", grant(LEASE)))).toBe(false);
      expect(await host.use((it) => it.stop("alice", LEASE))).toBe(false);
      expect(await host.use((it) => [it.runnerCount(), it.freeRunner(new Map())])).toEqual([0, null]);
    });

    it("reports a runner that left as lost when its grace is over: not before, and once", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      const leftAt = Date.now();
      await alice.leave(leftAt);
      await host.check(leftAt + RUNNER_GRACE_MS - 1);
      expect(lostOnes(host)).toEqual([]);
      await host.check(leftAt + RUNNER_GRACE_MS);
      expect(lostOnes(host)).toEqual(["alice"]);
      await host.check(leftAt + 10 * RUNNER_GRACE_MS);
      expect(lostOnes(host)).toEqual(["alice"]);
    });

    it("loses the one that left, and not the one that stays", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await host.join(BOB);
      const nowMs = Date.now();
      await alice.leave(nowMs - RUNNER_GRACE_MS);
      await host.check(nowMs);
      expect(lostOnes(host)).toEqual(["alice"]);
      expect(await host.use((it) => it.freeRunner(new Map()))).toBe("bob");
    });

    it("lets a runner that comes back with the same boot keep its leases", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      const nowMs = Date.now();
      // Long enough ago that it would be lost by now, had it not come back.
      await first.leave(nowMs - RUNNER_GRACE_MS);
      const again = await host.join({ ...ALICE, leases: [LEASE] });
      await host.check(nowMs);
      expect(host.reports).toEqual([
        { type: "present", runnerId: "alice", leases: [] },
        { type: "present", runnerId: "alice", leases: [LEASE] },
      ]);
      await host.use((it) => it.stop("alice", LEASE));
      expect(await again.received(1)).toEqual([{ type: "stop", lease: LEASE }]);
    });

    it("reports a runner as lost at once when it comes back with another boot, and then as present", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      await first.leave(Date.now());
      await host.join({ ...ALICE, boot: "boot-of-alice-2" });
      expect(host.reports).toEqual([
        { type: "present", runnerId: "alice", leases: [] },
        { type: "lost", runnerId: "alice" },
        { type: "present", runnerId: "alice", leases: [] },
      ]);
      expect(await host.use((it) => it.freeRunner(new Map()))).toBe("alice");
    });

    it("goes on with the new connection of a runner whose old one has not been missed yet", async () => {
      const host = await makeHost();
      await host.join(ALICE);
      const again = await host.join({ ...ALICE, leases: [LEASE], capacity: 3 });
      await host.use((it) => it.stop("alice", LEASE));
      expect(await again.received(1)).toEqual([{ type: "stop", lease: LEASE }]);
      expect(await host.use((it) => it.freeRunner(new Map([["alice", 2]])))).toBe("alice");
      expect(await host.use((it) => it.runnerCount())).toBe(1);
      expect(lostOnes(host)).toEqual([]);
    });

    it("takes a runner that was lost in again", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      const nowMs = Date.now();
      await first.leave(nowMs - RUNNER_GRACE_MS);
      await host.check(nowMs);
      await host.join({ ...ALICE, leases: [OTHER] });
      expect(host.reports.at(-1)).toEqual({ type: "present", runnerId: "alice", leases: [OTHER] });
      expect(await host.use((it) => it.freeRunner(new Map()))).toBe("alice");
    });
  });
}

function lostOnes(host: HostUnderTest): string[] {
  return host.reports.filter(({ type }) => type === "lost").map(({ runnerId }) => runnerId);
}
