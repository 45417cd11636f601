/** What an object owes to others: each receiver has a lane of its own, and a call that gets no answer is put off. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type RoutineParts, routineParts } from "#durable-objects/routine/assemble.ts";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { Deliver, type PoolPort } from "#durable-objects/routine/outbox/deliver.ts";
import type { OwedKind } from "#durable-objects/routine/outbox/outbox.ts";
import type { ObjectEnv } from "#instance/config.ts";
import { requireConfig } from "#instance/config.ts";
import { CALL_DEADLINE_MS } from "#instance/in-time.ts";
import { buildRoutine, fired, readRun } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Calls of a routine's object whose pool answers as told, made by hand. */
async function owing(
  pool: PoolPort,
  work: (calls: Deliver, parts: RoutineParts, runId: string) => Promise<void>,
  index = env.DB,
) {
  const routine = await buildRoutine();
  const { run_id } = await fired(routine);
  const stub = ownerOf(routine.id);
  await runInDurableObject(stub, async (_object, state) => {
    const opened = openDatabase(state.storage);
    if (!opened.ok) throw new Error(opened.refusal.message);
    const database = opened.value;
    const parts = routineParts(
      database,
      state.storage,
      requireConfig(env satisfies object as ObjectEnv),
      { grown: () => {}, cancel: () => {} },
      { ownerKey: "", authority: "" },
    );
    const { outbox } = parts;
    // What the object itself owes is another matter.
    await vi.waitFor(() => expect(outbox.isEmpty()).toBe(true), 5_000);
    const calls = new Deliver({
      ...parts,
      index,
      roster: () => ({ enter: async () => undefined, strike: async () => undefined }),
      pool: () => pool,
      announce: async () => {},
      project: () => {
        throw new Error("no routine is owed here");
      },
      onFreed: () => {},
      onDrained: () => {},
    });
    await work(calls, parts, run_id);
  });
  return readRun(run_id);
}

function owe({ work, outbox }: RoutineParts, kind: OwedKind, ref: string): void {
  work.change((tx) => outbox.owe(tx, kind, ref));
}

const SILENT: PoolPort = {
  request: () => new Promise(() => {}),
  release: () => new Promise(() => {}),
};

describe("calls that are owed", () => {
  it("to D1 go through while the pool does not answer", async () => {
    await owing(SILENT, async (calls, parts, runId) => {
      const { outbox } = parts;
      owe(parts, "ask_pool", `${runId}/1`);
      owe(parts, "project_run", runId);
      void calls.drain();
      await vi.waitFor(() => expect(outbox.has("project_run", runId)).toBe(false));
      expect(outbox.has("ask_pool", `${runId}/1`)).toBe(true);
    });
  });

  it("are put off when no answer comes in time, and made again later", async () => {
    const requests: string[] = [];
    const pool: PoolPort = {
      ...SILENT,
      request: (asked) => {
        requests.push(...asked.map(({ lease }) => lease.run_id));
        return requests.length === 1 ? new Promise(() => {}) : Promise.resolve({ runners: 1 });
      },
    };
    await owing(pool, async (calls, parts, runId) => {
      vi.useFakeTimers();
      const { outbox } = parts;
      owe(parts, "ask_pool", `${runId}/1`);
      const first = calls.drain();
      await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS);
      await first;
      expect(outbox.due("pool", Date.now(), 10)).toEqual([]);
      const [put] = outbox.due("pool", Date.now() + 60_000, 10);
      expect(put).toMatchObject({ kind: "ask_pool", ref: `${runId}/1`, tries: 1 });
      vi.setSystemTime(Date.now() + 60_000);
      await calls.drain();
      expect(requests).toEqual([runId, runId]);
      expect(outbox.has("ask_pool", `${runId}/1`)).toBe(false);
    });
  });

  it("of many runs to the index go out together, and all are settled", async () => {
    const { id } = await owing(SILENT, async (calls, parts, runId) => {
      const now = Date.now();
      const { outbox } = parts;
      for (let number = 0; number < 200; number += 1) owe(parts, "forget_routine", `none-${number}`);
      owe(parts, "project_run", runId);
      await Promise.race([calls.drain(), vi.waitFor(() => expect(outbox.due("entry", now, 1)).toEqual([]))]);
      expect(outbox.due("entry", now + 100_000, 300)).toEqual([]);
    });
    expect(id).toMatch(/^run_/);
  });

  it("of runs wait for others to share a write with, longer while many change", async () => {
    let writes = 0;
    const run = async () => {
      writes += 1;
    };
    const index = { prepare: () => ({ bind: () => ({ run }) }) } as unknown as D1Database;
    await owing(
      SILENT,
      async (calls, parts, runId) => {
        vi.useFakeTimers();
        const change = (...refs: string[]) => {
          for (const ref of refs) owe(parts, "project_run", ref);
          calls.drainFresh();
        };
        const writesAfter = async (ms: number) => {
          await vi.advanceTimersByTimeAsync(ms);
          return writes;
        };
        change(runId);
        expect([await writesAfter(149), await writesAfter(1)]).toEqual([0, 1]);
        change(runId, "run_another");
        expect([await writesAfter(149), await writesAfter(1)]).toEqual([1, 2]);
        change(runId);
        expect([await writesAfter(499), await writesAfter(1)]).toEqual([2, 3]);
        change(runId);
        expect([await writesAfter(149), await writesAfter(1)]).toEqual([3, 4]);
      },
      index,
    );
  });
});
