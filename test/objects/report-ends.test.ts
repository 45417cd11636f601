/** A pool tells routines' objects which leases have ended: one that hangs or fails holds up nobody else. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Leases, refOf } from "#durable-objects/pool/leases.ts";
import { REPORT_DEADLINE_MS, ReportEnds } from "#durable-objects/pool/report-ends.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { buildRoutine, fired, readRun } from "#test/support/api.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { hang, routine as routineParty } from "#test/support/hang.ts";
import { defaultPool } from "#test/support/objects.ts";

afterEach(() => {
  vi.useRealTimers();
});

type Tell = (routineId: string, lease: LeaseRef) => Promise<void>;

interface Bench {
  leases: Leases;
  /** The leases as the next object of this pool finds them. */
  reopened(): Leases;
  /** Calls that have been made, in order, as the routine's id. */
  asked: string[];
  /** Takes up what is due by now. */
  start(): void;
}

/** Ended leases of routines, so many of each, in a pool of their own. */
async function withEnded(counts: Record<string, number>, tell: Tell, work: (bench: Bench) => Promise<void>) {
  const stub = env.POOL.get(env.POOL.idFromName(crypto.randomUUID()));
  await runInDurableObject(stub, async (_pool, state) => {
    const leases = new Leases(state.storage);
    const asked: string[] = [];
    const ends = new ReportEnds(
      leases,
      (routineId, lease) => {
        asked.push(routineId);
        return tell(routineId, lease);
      },
      () => {},
    );
    vi.useFakeTimers();
    for (const [routineId, count] of Object.entries(counts)) {
      for (let number = 0; number < count; number += 1) {
        const lease = { run_id: `run_of_${routineId}_${number}`, generation: 1 };
        leases.ask(lease, routineId, [], Date.now());
        const row = leases.get(lease);
        if (row !== null) leases.end(row, "work_ended", Date.now());
      }
    }
    const reopened = () => new Leases(state.storage);
    await work({ leases, reopened, asked, start: () => ends.start(leases.due(Date.now()), Date.now()) });
  });
}

const turn = () => vi.advanceTimersByTimeAsync(0);

describe("ended leases", () => {
  it("of one routine are told one after the other, of several at the same time", async () => {
    await withEnded(
      { a: 3, b: 1 },
      () => Promise.resolve(),
      async ({ leases, asked, start }) => {
        start();
        expect(asked).toEqual(["a", "b"]);
        await turn();
        expect(asked.filter((id) => id === "a")).toHaveLength(3);
        expect(leases.nextDue()).toBeNull();
      },
    );
  });

  it("of a routine that hangs wait for it alone, and are told again later", async () => {
    let hangs = true;
    const tell: Tell = (id) => (id === "hung" && hangs ? new Promise(() => {}) : Promise.resolve());
    await withEnded({ hung: 2, well: 2 }, tell, async ({ leases, asked, start }) => {
      start();
      await turn();
      expect(asked).toEqual(["hung", "well", "well"]);
      // Nobody rings the alarm for what is under way.
      expect(leases.nextDue() ?? 0).toBeGreaterThan(Date.now() + REPORT_DEADLINE_MS);
      await vi.advanceTimersByTimeAsync(REPORT_DEADLINE_MS);
      const again = leases.nextDue() ?? 0;
      expect(again - Date.now()).toBe(1_000);
      hangs = false;
      await vi.advanceTimersByTimeAsync(1_000);
      start();
      await turn();
      expect(asked.slice(3)).toEqual(["hung", "hung"]);
      expect(leases.nextDue()).toBeNull();
    });
  });

  it("are put off longer and longer while the routine's object fails", async () => {
    await withEnded(
      { broken: 1 },
      () => Promise.reject(new Error("broken")),
      async ({ leases, start }) => {
        const waits: number[] = [];
        for (let round = 0; round < 9; round += 1) {
          start();
          await turn();
          const waitMs = (leases.nextDue() ?? 0) - Date.now();
          waits.push(waitMs);
          await vi.advanceTimersByTimeAsync(waitMs);
        }
        expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
      },
    );
  });

  it("are told to ten at once, and those who hang keep the others waiting no longer than one deadline", async () => {
    const tell: Tell = (id) => (id.startsWith("hung") ? new Promise(() => {}) : Promise.resolve());
    const hung = Array.from({ length: 12 }, (_, number) => [`hung${number}`, 1]);
    const well = Array.from({ length: 30 }, (_, number) => [`well${number}`, 1]);
    await withEnded(Object.fromEntries([...hung, ...well]), tell, async ({ asked, start }) => {
      start();
      start();
      await turn();
      expect(asked).toHaveLength(10);
      await vi.advanceTimersByTimeAsync(REPORT_DEADLINE_MS);
      expect(new Set(asked).size).toBe(42);
    });
  });

  it("that take longer to tell than they are claimed for are told once each, however often the alarm rings", async () => {
    const slowly: Tell = () => new Promise((resolve) => setTimeout(resolve, REPORT_DEADLINE_MS - 1));
    await withEnded({ slow: 30, well: 1 }, slowly, async ({ leases, asked, start }) => {
      start();
      for (let second = 0; second < 200; second += 1) {
        await vi.advanceTimersByTimeAsync(1_000);
        start();
      }
      expect(asked.filter((id) => id === "slow")).toHaveLength(30);
      expect(asked).toHaveLength(31);
      expect(leases.nextDue()).toBeNull();
    });
  });

  it("whose answer comes after its deadline are told again, and settled by whichever answer comes in time", async () => {
    const answers: (() => void)[] = [];
    const tell: Tell = () => new Promise((resolve) => answers.push(resolve));
    await withEnded({ late: 1 }, tell, async ({ leases, asked, start }) => {
      start();
      await vi.advanceTimersByTimeAsync(REPORT_DEADLINE_MS + 1_000);
      start();
      answers[0]?.();
      await turn();
      expect([asked.length, leases.nextDue() === null]).toEqual([2, false]);
      answers[1]?.();
      await turn();
      start();
      expect([asked.length, leases.nextDue()]).toEqual([2, null]);
    });
  });

  it("that were being told when the object was evicted are told by the next one, at once", async () => {
    await withEnded(
      { a: 1 },
      () => new Promise(() => {}),
      async ({ reopened, start }) => {
        start();
        expect(
          reopened()
            .due(Date.now())
            .map((row) => [row.status, refOf(row).generation]),
        ).toEqual([["ended", 1]]);
      },
    );
  });
});

it("a routine's object that hangs keeps no run of another routine from ending, and no new one from starting", async () => {
  using runner = await FakeRunner.join({ id: "for-both" });
  const [stuck, well] = [await buildRoutine(), await buildRoutine()];
  const [stuckRun, wellRun] = [await fired(stuck), await fired(well)];
  const offers = [await runner.accept(), await runner.accept()];
  using trouble = hang(routineParty("leaseEnded", stuck.id));
  for (const offer of offers) {
    await runner.work(offer);
    runner.ended(offer.lease);
  }
  await vi.waitUntil(() => trouble.met > 0, 5_000);
  await runDurableObjectAlarm(defaultPool());
  await vi.waitUntil(async () => (await readRun(wellRun.run_id)).runner === null, 5_000);
  expect((await readRun(stuckRun.run_id)).runner).not.toBeNull();
  const { run_id } = await fired(well);
  await vi.waitUntil(() => runner.socket.messages.some((message) => JSON.stringify(message).includes(run_id)), 5_000);
  trouble.end();
});
