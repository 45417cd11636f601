/** What hosts promise whose places are runners that come and go by themselves, beside what all hosts do. */
import { describe, expect, it } from "vitest";
import type { LeaseHost } from "#durable-objects/pool/hosts/lease-host.ts";
import { type LeaseRef, RUNNER_GRACE_MS } from "#protocol/runner-link.ts";
import { grant, type HostUnderTest, LEASE, OTHER, type PlaceUnderTest } from "./lease-host.ts";

export interface RunnerStart {
  id: string;
  boot: string;
  capacity: number;
  leases: LeaseRef[];
}

export interface JoinedHostUnderTest<Host extends LeaseHost = LeaseHost> extends HostUnderTest<Host> {
  /** A runner comes, or comes back. Resolves when the host has taken it in. */
  join(start: RunnerStart): Promise<PlaceUnderTest>;
}

export const ALICE: RunnerStart = { id: "alice", boot: "boot-of-alice-1", capacity: 2, leases: [] };
const BOB: RunnerStart = { id: "bob", boot: "boot-of-bob-1", capacity: 1, leases: [] };

/** Runners for a suite that wants places, so many of them. */
export async function joinMany(places: number, join: (start: RunnerStart) => Promise<unknown>): Promise<void> {
  for (let number = 0; number < places; number += 1) {
    await join({ id: `runner-${number}`, boot: `boot-of-${number}`, capacity: 1, leases: [] });
  }
}

/** @param makeHost a host without any runner. */
export function joinedHostContract(name: string, makeHost: () => Promise<JoinedHostUnderTest>): void {
  const place = (host: HostUnderTest, held: [string, number][] = []) =>
    host.use((it) => it.place(new Map(held), Date.now()));
  /** @returns when it wants to look again. */
  const look = (host: HostUnderTest, nowMs: number) =>
    host.use((it) => {
      it.look(nowMs, new Map());
      return it.next(nowMs, new Map());
    });

  describe(`${name} as a host of runners that join`, () => {
    it.each<[string, [string, number][], string | null]>([
      ["has room while it has no lease", [], "alice"],
      ["has room while one place is left", [["alice", 1]], "alice"],
      ["has none when its places are taken", [["alice", 2]], null],
      ["has none when it has more leases than places, after it came back with fewer", [["alice", 3]], null],
    ])("a runner of capacity 2 %s", async (_sentence, held, expected) => {
      const host = await makeHost();
      await host.join(ALICE);
      expect(await place(host, held)).toBe(expected);
      expect(await host.use((it) => it.size())).toBe(1);
    });

    it("finds the one runner with room among several", async () => {
      const host = await makeHost();
      await host.join(ALICE);
      await host.join(BOB);
      expect(await place(host, [["alice", 2]])).toBe("bob");
      expect(await place(host, [["bob", 1]])).toBe("alice");
      const both: [string, number][] = [
        ["alice", 2],
        ["bob", 1],
      ];
      expect(await place(host, both)).toBeNull();
    });

    it("counts no runner that has left", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await alice.leave(Date.now());
      expect([await host.use((it) => it.size()), await place(host)]).toEqual([0, null]);
    });

    it("reports a runner that left as lost when its grace is over: not before, and once", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      const leftAt = Date.now();
      await alice.leave(leftAt);
      expect(await look(host, leftAt + RUNNER_GRACE_MS - 1)).toBe(leftAt + RUNNER_GRACE_MS);
      expect(types(host)).toEqual(["present"]);
      expect(await look(host, leftAt + RUNNER_GRACE_MS)).toBeNull();
      expect(types(host)).toEqual(["present", "lost"]);
      await look(host, leftAt + 10 * RUNNER_GRACE_MS);
      expect(types(host)).toEqual(["present", "lost"]);
    });

    it("loses the one that left, and not the one that stays", async () => {
      const host = await makeHost();
      const alice = await host.join(ALICE);
      await host.join(BOB);
      const nowMs = Date.now();
      await alice.leave(nowMs - RUNNER_GRACE_MS);
      await look(host, nowMs);
      expect(host.reports.at(-1)).toEqual({ type: "lost", place: "alice" });
      expect(await place(host)).toBe("bob");
    });

    it("lets a runner that comes back with the same boot keep its leases", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      const nowMs = Date.now();
      // Long enough ago that it would be lost by now, had it not come back.
      await first.leave(nowMs - RUNNER_GRACE_MS);
      const again = await host.join({ ...ALICE, leases: [LEASE] });
      await look(host, nowMs);
      expect(host.reports).toEqual([
        { type: "present", place: "alice", leases: [] },
        { type: "present", place: "alice", leases: [LEASE] },
      ]);
      await host.use((it) => it.stop("alice", LEASE));
      expect(await again.received(1)).toEqual([{ type: "stop", lease: LEASE }]);
    });

    it("stops what a runner comes back with that the pool has given to somebody else, and nothing more", async () => {
      const host = await makeHost();
      host.disowned.push(OTHER);
      const alice = await host.join({ ...ALICE, leases: [LEASE, OTHER] });
      await host.use((it) => it.offer("alice", grant(LEASE)));
      expect(await alice.received(2)).toEqual([
        { type: "stop", lease: OTHER },
        { type: "offer", ...grant(LEASE) },
      ]);
    });

    it("reports a runner as lost at once when it comes back with another boot, and then as present", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      await first.leave(Date.now());
      await host.join({ ...ALICE, boot: "boot-of-alice-2" });
      expect(types(host)).toEqual(["present", "lost", "present"]);
      expect(await place(host)).toBe("alice");
    });

    it("goes on with the new connection of a runner whose old one has not been missed yet", async () => {
      const host = await makeHost();
      await host.join(ALICE);
      const again = await host.join({ ...ALICE, leases: [LEASE], capacity: 3 });
      await host.use((it) => it.stop("alice", LEASE));
      expect(await again.received(1)).toEqual([{ type: "stop", lease: LEASE }]);
      expect(await place(host, [["alice", 2]])).toBe("alice");
      expect(await host.use((it) => it.size())).toBe(1);
      expect(types(host)).toEqual(["present", "present"]);
    });

    it("takes a runner that was lost in again", async () => {
      const host = await makeHost();
      const first = await host.join(ALICE);
      const nowMs = Date.now();
      await first.leave(nowMs - RUNNER_GRACE_MS);
      await look(host, nowMs);
      await host.join({ ...ALICE, leases: [OTHER] });
      expect(host.reports.at(-1)).toEqual({ type: "present", place: "alice", leases: [OTHER] });
      expect(await place(host)).toBe("alice");
    });
  });
}

function types(host: HostUnderTest): string[] {
  return host.reports.map(({ type }) => type);
}
