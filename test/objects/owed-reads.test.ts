/** What an object reads of its outbox where much is owed and waits: what is about the moment, and not what else there is. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { Outbox } from "#durable-objects/routine/outbox/outbox.ts";
import { Work } from "#durable-objects/routine/work.ts";
import { CALL_DEADLINE_MS } from "#instance/in-time.ts";
import { buildRoutine } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Calls that have failed, and wait. */
const OWED = 10_000;
/** A seek for each kind of call, and some for each call that a moment is about. */
const MOST = 200;

interface Owing {
  outbox: Outbox;
  work: Work;
  reads(ask: () => void): number;
}

async function owingMuch(test: (owing: Owing) => void): Promise<void> {
  const { id } = await buildRoutine();
  await runInDurableObject(ownerOf(id), async (_object, { storage }) => {
    const opened = openDatabase(storage);
    if (!opened.ok) throw new Error(opened.refusal.message);
    const { sql } = storage;
    const work = new Work(storage, opened.value);
    const outbox = new Outbox(sql, work);
    await vi.waitFor(() => expect(outbox.isEmpty()).toBe(true), 5_000);
    sql.exec(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
        INSERT INTO outbox (kind, ref, tries, due_at, stamp) SELECT 'project_run', 'owed ' || i, 1, 4e12, 1 FROM n`,
      OWED,
    );
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    work.change((tx) => outbox.giveBack(tx));
    const exec = sql.exec.bind(sql);
    const reads = (ask: () => void) => {
      let rows = 0;
      const counted = vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: SqlStorageValue[]) => {
        const cursor = exec(query, ...values);
        const all = cursor.toArray();
        rows += cursor.rowsRead;
        return { toArray: () => all, one: () => all[0], rowsWritten: cursor.rowsWritten } as never;
      });
      ask();
      counted.mockRestore();
      return rows;
    };
    test({ outbox, work, reads });
  });
}

it("is a few rows where a call becomes owed, and goes through", () =>
  owingMuch(({ outbox, work, reads }) => {
    const read = reads(() => {
      work.change((tx) => outbox.owe(tx, "ask_pool", "run/1"));
      outbox.earliest();
      work.change((tx) => outbox.settle(tx, [{ kind: "ask_pool", ref: "run/1", tries: 0, stamp: 1, due_at: 0 }]));
      outbox.earliest();
    });
    expect(outbox.has("ask_pool", "run/1")).toBe(false);
    expect(read).toBeLessThan(MOST);
  }));

it("is a few rows where the time of a claim is over", () =>
  owingMuch(({ outbox, work, reads }) => {
    work.change((tx) => outbox.owe(tx, "ask_pool", "run/1"));
    expect(outbox.due()).toEqual(new Set());
    vi.setSystemTime(Date.now() + 2 * CALL_DEADLINE_MS);
    const read = reads(() => expect(outbox.due()).toEqual(new Set(["ask_pool"])));
    expect(outbox.claim(["ask_pool"], 1)).toMatchObject([{ ref: "run/1" }]);
    expect(read).toBeLessThan(MOST);
  }));

it("is a few rows after a transaction that was rolled back, whose claims are none", () =>
  owingMuch(({ outbox, work, reads }) => {
    work.change((tx) => outbox.owe(tx, "ask_pool", "run/1"));
    const endsAt = outbox.earliest();
    vi.setSystemTime(Date.now() + 1_000);
    const failing = () =>
      work.change((tx) => {
        outbox.owe(tx, "ask_pool", "run/1");
        outbox.settle(tx, [{ kind: "ask_pool", ref: "run/1", tries: 0, stamp: 2, due_at: 0 }]);
        throw new Error("rolled back");
      });
    const read = reads(() => {
      expect(failing).toThrow("rolled back");
      expect(outbox.earliest()).toBe(endsAt);
    });
    expect(read).toBeLessThan(MOST);
    vi.setSystemTime(endsAt ?? 0);
    expect(outbox.due()).toEqual(new Set(["ask_pool"]));
  }));
