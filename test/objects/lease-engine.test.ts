/** What becomes of leases when a pool has several hosts, and when a host can't do what it is asked. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Grant } from "#durable-objects/pool/hosts/lease-host.ts";
import { LeaseEngine } from "#durable-objects/pool/lease-engine.ts";
import { Leases } from "#durable-objects/pool/leases.ts";
import { takeReports } from "#durable-objects/pool/take-reports.ts";
import type { RunnerKind } from "#protocol/run.ts";
import { grant, LEASE, OTHER } from "#test/contracts/lease-host.ts";
import { FakeLeaseHost } from "#test/support/fake-lease-host.ts";

/** There is one kind so far; a second host needs another. */
const SECOND = "second" as string as RunnerKind;
const ROUTINE = "rtn_00000000000000000000000000";
const START = Date.parse("2026-11-23T09:00:00.000Z");

interface Bench {
  engine: LeaseEngine;
  leases: Leases;
  first: FakeLeaseHost;
  second: FakeLeaseHost;
  /** How often the pool was told that something has changed. */
  changes(): number;
  /** Where a lease is: its status, its host and its place. */
  where(lease?: typeof LEASE): unknown[] | null;
}

/** A pool of two hosts, which nobody has joined yet. */
async function withTwoHosts(
  work: (bench: Bench) => Promise<void>,
  makeGrant: (lease: typeof LEASE) => Promise<Grant> = async (lease) => grant(lease),
): Promise<void> {
  const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
  await runInDurableObject(stub, async (_pool, { storage }) => {
    const leases = new Leases(storage);
    const first = new FakeLeaseHost(takeReports(leases, "local"));
    const second = new FakeLeaseHost(takeReports(leases, SECOND), SECOND);
    let changes = 0;
    const onChange = () => {
      changes += 1;
      engine.match(START);
    };
    const engine = new LeaseEngine({ leases, hosts: [first, second], grant: makeGrant, onChange });
    const where = (lease = LEASE) => {
      const row = leases.get(lease);
      return row === null ? null : [row.status, row.host, row.place, row.end];
    };
    await work({ engine, leases, first, second, changes: () => changes, where });
  });
}

const fail = (): never => {
  throw new Error("no lease waits");
};
const joined = (host: FakeLeaseHost, capacity = 1, id = "same-name") =>
  host.join({ id, boot: "boot-of-it", capacity, leases: [] });
const asked = ({ engine }: Bench, lease = LEASE) => {
  engine.ask([{ lease, routine_id: ROUTINE }], START);
  engine.match(START);
};

describe("a pool of two hosts", () => {
  it("prefers the first that has room, and keeps places of one name apart", async () => {
    await withTwoHosts(async (bench) => {
      const { engine, first, second, where } = bench;
      asked(bench);
      expect(where()).toEqual(["waiting", "local", null, null]);
      const toSecond = joined(second);
      engine.match(START);
      expect(where()).toEqual(["offered", SECOND, "same-name", null]);
      const toFirst = joined(first);
      asked(bench, OTHER);
      expect(where(OTHER)).toEqual(["offered", "local", "same-name", null]);
      await vi.waitUntil(() => toFirst.length + toSecond.length === 2, { interval: 2 });
      expect([toFirst, toSecond]).toEqual([[{ type: "offer", ...grant(OTHER) }], [{ type: "offer", ...grant(LEASE) }]]);

      // What the first host's place says of the second's lease is nobody's business.
      first.accept("same-name", LEASE);
      first.end("same-name", LEASE);
      expect(where()).toEqual(["offered", SECOND, "same-name", null]);
      second.accept("same-name", LEASE);
      expect(engine.release(LEASE, START)).toBe("stopping");
      expect(toSecond.at(-1)).toEqual({ type: "stop", lease: LEASE });
      first.leave("same-name", START - 60_000);
      first.look(START);
      expect([where()?.[0], where(OTHER)]).toEqual(["stopping", ["ended", "local", null, "runner_lost"]]);
    });
  });
});

describe("an offer", () => {
  it("that nobody answers is made again a dozen times, which are counted whatever is evicted, and then ends the lease", async () => {
    const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
    await runInDurableObject(stub, async (_pool, { storage }) => {
      const opened = () => new Leases(storage);
      opened().ask(LEASE, ROUTINE, [], START);
      const ends = Array.from({ length: 12 }, () => {
        const leases = opened();
        const [row] = leases.nextWaiting();
        if (row === undefined) throw new Error("it does not wait");
        leases.offer(row, "container", "place", START);
        takeReports(leases, "container").declined("place", LEASE, "unanswered");
        return opened().get(LEASE)?.end;
      });
      expect(ends).toEqual([...Array(11).fill(null), "containers_unavailable"]);
    });
  });

  it("that is refused for want of room may be made for ever, and what was answered in between counts anew", async () => {
    const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
    await runInDurableObject(stub, async (_pool, { storage }) => {
      const leases = new Leases(storage);
      leases.ask(LEASE, ROUTINE, [], START);
      for (let count = 0; count < 30; count += 1) {
        const [row] = leases.nextWaiting();
        if (row === undefined) throw new Error("it does not wait");
        leases.offer(row, "container", "place", START);
        takeReports(leases, "container").declined("place", LEASE, count % 2 === 0 ? "no_room" : "unanswered");
      }
      expect(leases.get(LEASE)?.status).toBe("waiting");
    });
  });

  it("to a place that has gone meanwhile goes to another, and no attempt is used up", async () => {
    await withTwoHosts(async (bench) => {
      joined(bench.first);
      const toSecond = joined(bench.second);
      asked(bench);
      expect(bench.where()).toEqual(["offered", "local", "same-name", null]);
      bench.first.leave("same-name", Date.now());
      await vi.waitUntil(() => toSecond.length === 1, { interval: 2 });
      expect(toSecond[0]).toEqual({ type: "offer", ...grant(LEASE) });
      expect([bench.changes(), bench.where()]).toEqual([1, ["offered", SECOND, "same-name", null]]);
    });
  });

  it("that is taken back before it has set out never does, and the place is free", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slowly = async (lease: typeof LEASE) => {
      await promise;
      return grant(lease);
    };
    await withTwoHosts(async (bench) => {
      const received = joined(bench.first);
      asked(bench);
      expect(bench.engine.release(LEASE, START)).toBe("stopping");
      resolve();
      await promise;
      // Where no work has begun, nobody tells that it has ended.
      await vi.waitUntil(() => bench.where()?.[0] === "ended", { interval: 2 });
      expect(bench.where()?.at(-1)).toBe("work_ended");
      expect(received).toEqual([{ type: "stop", lease: LEASE }]);
    }, slowly);
  });

  it("to a place that has gone is over when it was taken back meanwhile", async () => {
    await withTwoHosts(async (bench) => {
      joined(bench.first);
      vi.spyOn(bench.first, "offer").mockImplementation(async () => {
        bench.engine.release(LEASE, START);
        return "gone";
      });
      asked(bench);
      await vi.waitUntil(() => bench.changes() === 1, { interval: 2 });
      expect(bench.where()).toEqual(["ended", "local", null, "work_ended"]);
    });
  });

  it.each<[string, () => Promise<"sent">]>([
    ["fails", () => Promise.reject(new Error("the host is out of order"))],
    ["is not answered", () => new Promise(() => {})],
    ["is sent, and not accepted", async () => "sent"],
  ])("that %s expires, and holds up no other", async (_what, behavior) => {
    await withTwoHosts(async (bench) => {
      const received = joined(bench.first, 2);
      vi.spyOn(bench.first, "offer").mockImplementationOnce(behavior);
      asked(bench);
      asked(bench, OTHER);
      await vi.waitUntil(() => received.length === 1, { interval: 2 });
      bench.first.accept("same-name", OTHER);
      bench.engine.seeToOverdue(START + 9_999);
      expect(bench.where()).toEqual(["offered", "local", "same-name", null]);
      bench.engine.seeToOverdue(START + 10_000);
      expect(bench.where()).toEqual(["ended", "local", null, "offer_expired"]);
      expect(bench.where(OTHER)).toEqual(["accepted", "local", "same-name", null]);
      expect(received.at(-1)).toEqual({ type: "stop", lease: LEASE });
    });
  });

  it("that expires at a host that begins each lease once waits again, and is taken by what has begun after all", async () => {
    const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
    await runInDurableObject(stub, async (_pool, { storage }) => {
      const leases = new Leases(storage);
      const reports = takeReports(leases, "container");
      const host = new FakeLeaseHost(reports, "container");
      const received = joined(host, 1, "place-1");
      const grantOf = async (lease: typeof LEASE) => grant(lease);
      const engine = new LeaseEngine({ leases, hosts: [host], grant: grantOf, onChange: () => {} });
      const where = () => [leases.get(LEASE)?.status, leases.get(LEASE)?.place];
      engine.ask([{ lease: LEASE, routine_id: ROUTINE }], START);
      engine.match(START);
      await vi.waitUntil(() => received.length === 1, { interval: 2 });
      engine.seeToOverdue(START + 10_000);
      expect([where(), received.length]).toEqual([["waiting", null], 1]);
      expect([reports.atWork("place-1", LEASE), where()]).toEqual([true, ["accepted", "place-1"]]);
      // Offered at another place, it is told of that in a moment; where another has it, its work has to stop.
      reports.declined("place-1", LEASE);
      leases.offer(leases.nextWaiting()[0] ?? fail(), "container", "place-2", START);
      expect([reports.atWork("place-1", LEASE), where()]).toEqual([true, ["offered", "place-2"]]);
      reports.accepted("place-2", LEASE);
      expect([reports.atWork("place-1", LEASE), where()]).toEqual([false, ["accepted", "place-2"]]);
      reports.declined("place-2", LEASE);
      leases.offer(leases.nextWaiting()[0] ?? fail(), "local", "runner", START);
      expect([reports.atWork("place-2", LEASE), where()]).toEqual([false, ["offered", "runner"]]);
      expect(reports.atWork("place-3", OTHER)).toBe(false);
    });
  });

  it("that was accepted, and then could not be begun, waits again", async () => {
    await withTwoHosts(async (bench) => {
      joined(bench.first);
      asked(bench);
      bench.first.accept("same-name", LEASE);
      bench.first.decline("same-name", LEASE);
      expect(bench.where()).toEqual(["waiting", "local", null, null]);
    });
  });
});

describe("work that does not stop", () => {
  it("is killed once, and ends by itself when that is of no use; the other work of its place goes on", async () => {
    await withTwoHosts(async (bench) => {
      const received = joined(bench.first, 2);
      asked(bench);
      asked(bench, OTHER);
      await vi.waitUntil(() => received.length === 2, { interval: 2 });
      for (const lease of [LEASE, OTHER]) bench.first.accept("same-name", lease);
      bench.engine.release(LEASE, START);
      bench.engine.release(LEASE, START + 10_000);
      bench.engine.seeToOverdue(START + 19_999);
      bench.engine.seeToOverdue(START + 20_000);
      bench.engine.seeToOverdue(START + 25_999);
      expect(received.slice(2)).toEqual([
        { type: "stop", lease: LEASE },
        { type: "kill", lease: LEASE },
      ]);
      expect(bench.where()?.[0]).toBe("stopping");
      bench.engine.seeToOverdue(START + 26_000);
      expect(bench.where()).toEqual(["ended", "local", null, "runner_lost"]);
      expect(bench.where(OTHER)?.[0]).toBe("accepted");
      // Its word comes after all.
      bench.first.end("same-name", LEASE);
      expect(bench.where()).toEqual(["ended", "local", null, "runner_lost"]);
    });
  });
});
