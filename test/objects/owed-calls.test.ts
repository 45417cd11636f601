/** What an object owes to others: each receiver has a lane of its own, and a call is claimed while it is under way. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { Deliver } from "#durable-objects/routine/outbox/deliver.ts";
import type { Receiver } from "#durable-objects/routine/outbox/lane.ts";
import { Outbox, type OwedKind } from "#durable-objects/routine/outbox/outbox.ts";
import { RunsToIndex } from "#durable-objects/routine/receivers/to-index.ts";
import { Deadlines } from "#durable-objects/routine/runs/deadlines.ts";
import { Work } from "#durable-objects/routine/work.ts";
import { CALL_DEADLINE_MS } from "#instance/in-time.ts";
import { buildRoutine } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

afterEach(() => {
  vi.useRealTimers();
});

type Answer = (call: number, refs: readonly string[]) => Promise<readonly string[]>;

/** Answers its calls as told; the one that is told nothing answers at once. */
class Party implements Receiver {
  readonly name = "a party";
  readonly calls: string[][] = [];
  readonly sizes: readonly number[];
  readonly atOnce: number;
  readonly #answer: Answer;

  constructor(atOnce = 1, answer: Answer = async () => []) {
    this.atOnce = atOnce;
    this.sizes = atOnce === 1 ? [64, 8] : [1];
    this.#answer = answer;
  }

  deliver(_kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    this.calls.push([...refs]);
    return this.#answer(this.calls.length, refs);
  }
}

/** Waits as the index of runs does. */
class Sharing extends Party {
  readonly delayMs = RunsToIndex.prototype.delayMs;
}

interface Owing {
  outbox: Outbox;
  calls: Deliver;
  sql: SqlStorage;
  work: Work;
  owe(kind: OwedKind, ...refs: string[]): void;
  /** The object made anew: what is kept in memory is gone. */
  restarted(): Owing;
}

function silent(): Promise<never> {
  return new Promise(() => {});
}

/** An outbox in a routine's object, beside what it owes itself. */
async function owing(parties: { pool?: Party; index?: Party; others?: Party }, test: (owing: Owing) => Promise<void>) {
  const { id } = await buildRoutine();
  await runInDurableObject(ownerOf(id), async (_object, { storage }) => {
    const { pool = new Party(), index = new Party(), others = new Party(64) } = parties;
    const opened = openDatabase(storage);
    if (!opened.ok) throw new Error(opened.refusal.message);
    const build = (): Owing => {
      const work = new Work(storage, opened.value);
      const outbox = new Outbox(storage.sql, work);
      const receivers = {
        read_environment: others,
        ask_pool: pool,
        release_lease: pool,
        project_routine: index,
        forget_routine: index,
        project_run: index,
        forget_run: index,
        move_transcript: others,
        tidy_transcript: others,
        tell_run_ended: others,
        tell_health: others,
        project_dead_letters: index,
        notify: others,
        project_notifications: index,
        enter_roster: index,
        leave_roster: index,
        move_conversation: others,
        tidy_conversation: others,
        tidy_artifacts: others,
        tell_slack: others,
        report_spending: others,
        look_at_watch: others,
        ask_gate: others,
      };
      const calls = new Deliver(outbox, work, receivers, () => {});
      const owe = (kind: OwedKind, ...refs: string[]) =>
        work.change((tx) => {
          for (const ref of refs) outbox.owe(tx, kind, ref);
        });
      return { outbox, calls, sql: storage.sql, work, owe, restarted: build };
    };
    const before = build();
    // What the object itself owes is another matter.
    await vi.waitFor(() => expect(before.outbox.isEmpty()).toBe(true), 5_000);
    await test(before);
  });
}

describe("calls that are owed", () => {
  it("to one receiver go through while another does not answer", () =>
    owing({ pool: new Party(1, silent) }, async ({ outbox, calls, owe }) => {
      owe("ask_pool", "run/1");
      owe("project_run", "run");
      await calls.settled("project_run");
      expect([outbox.has("project_run", "run"), outbox.has("ask_pool", "run/1")]).toEqual([false, true]);
    }));

  it("are claimed while under way: due for nobody, until their deadline; then put off for a second at first", async () => {
    const pool = new Party(1, (call) => (call === 1 ? silent() : Promise.resolve([])));
    await owing({ pool }, async ({ outbox, calls, owe }) => {
      vi.useFakeTimers();
      const start = Date.now();
      owe("ask_pool", "run/1");
      await Promise.resolve();
      owe("ask_pool", "other/1");
      await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS - 1);
      calls.drain();
      expect(outbox.earliest()).toBeGreaterThan(start + CALL_DEADLINE_MS);
      expect(pool.calls).toEqual([["run/1"]]);
      await vi.advanceTimersByTimeAsync(1);
      expect(outbox.earliest()).toBe(Date.now() + 1_000);
      await vi.advanceTimersByTimeAsync(1_000);
      calls.drain();
      await calls.settled("ask_pool");
      expect(pool.calls.slice(1).flat().sort()).toEqual(["other/1", "run/1"]);
      expect(outbox.isEmpty()).toBe(true);
    });
  });

  it("are made after all when whoever claimed them says nothing for as long as the claim lasts", async () => {
    const pool = new Party();
    await owing({ pool }, async ({ outbox, calls, sql }) => {
      vi.useFakeTimers();
      sql.exec("INSERT INTO outbox (kind, ref, due_at, stamp) VALUES ('ask_pool', 'run/1', ?, 1)", Date.now());
      const [claimed] = outbox.claim(["ask_pool"], 1);
      calls.drain();
      expect([pool.calls, outbox.earliest()]).toEqual([[], claimed?.due_at]);
      vi.setSystemTime(outbox.earliest() ?? 0);
      calls.drain();
      await calls.settled("ask_pool");
      expect([pool.calls, outbox.isEmpty()]).toEqual([[["run/1"]], true]);
    });
  });

  it.each([1, 2, 3])("that fail %i times in a row wait a second, and twice as long each time", async (times) => {
    const pool = new Party(1, async (call) => {
      if (call <= times) throw new Error("fails");
      return [];
    });
    await owing({ pool }, async ({ outbox, calls, owe }) => {
      vi.useFakeTimers();
      owe("ask_pool", "run/1");
      for (let call = 0; call < times; call += 1) {
        await calls.settled("ask_pool");
        expect((outbox.earliest() ?? 0) - Date.now()).toBe(1_000 * 2 ** call);
        vi.setSystemTime(outbox.earliest() ?? 0);
        calls.drain();
      }
      await calls.settled("ask_pool");
      expect([outbox.isEmpty(), pool.calls.length]).toEqual([true, times + 1]);
    });
  });

  it("are made at once by an object that is made anew; what has failed waits on", async () => {
    const pool = new Party(1, silent);
    const index = new Party(1, async () => {
      throw new Error("fails");
    });
    await owing({ pool, index }, async ({ owe, restarted, calls }) => {
      owe("ask_pool", "run/1");
      owe("project_routine", "routine");
      await calls.settled("project_routine");
      const anew = restarted();
      anew.calls.drain();
      await Promise.resolve();
      expect(pool.calls).toHaveLength(1);
      anew.work.change((tx) => anew.outbox.giveBack(tx));
      anew.calls.drain();
      await Promise.resolve();
      expect([pool.calls.length, index.calls.length]).toEqual([2, 1]);
    });
  });

  it("that are owed anew while under way go out once more", async () => {
    const first = Promise.withResolvers<readonly string[]>();
    const pool = new Party(1, (call) => (call === 1 ? first.promise : Promise.resolve([])));
    await owing({ pool }, async ({ outbox, calls, owe }) => {
      owe("ask_pool", "run/1");
      await Promise.resolve();
      owe("ask_pool", "run/1");
      first.resolve([]);
      await calls.settled("ask_pool");
      expect([outbox.isEmpty(), pool.calls]).toEqual([true, [["run/1"], ["run/1"]]]);
    });
  });

  it("go out together, and those that the receiver names are tried again", async () => {
    const index = new Party(1, async (call, refs) => (call === 1 ? refs.slice(0, 2) : []));
    await owing({ index }, async ({ calls, owe, sql }) => {
      const refs = Array.from({ length: 200 }, (_, number) => `routine-${number}`);
      owe("forget_routine", ...refs);
      await calls.settled("forget_routine");
      expect(index.calls.flat()).toEqual(refs);
      expect(index.calls.map((call) => call.length)).toEqual([64, 64, 64, 8]);
      const left = refs.slice(0, 2).map((ref) => ({ ref, tries: 1 }));
      expect([...sql.exec("SELECT ref, tries FROM outbox ORDER BY ref")]).toEqual(left);
    });
  });

  it("side by side are bounded in number, and one that does not answer holds up no other", async () => {
    const others = new Party(3, (_call, [ref]) => (ref === "silent" ? silent() : Promise.resolve([])));
    await owing({ others }, async ({ outbox, calls, owe }) => {
      owe("tell_run_ended", "silent", "a", "b", "c", "d");
      await Promise.resolve();
      expect(others.calls).toHaveLength(3);
      await vi.waitFor(() => expect(others.calls).toHaveLength(5));
      await vi.waitFor(() => expect(outbox.has("tell_run_ended", "d")).toBe(false));
      calls.drain();
      expect(others.calls).toHaveLength(5);
    });
  });
});

it("of runs wait for others to share a write with, longer the more change", async () => {
  const index = new Sharing();
  await owing({ index }, async ({ outbox, owe }) => {
    vi.useFakeTimers();
    const callsAfter = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms);
      return index.calls.length;
    };
    for (const [delayMs, ...refs] of [
      [150, "a"],
      [150, "a", "b"],
      [500, ..."abcdefgh"],
      [2_000, "a"],
      [150, "a"],
    ] as const) {
      const before = index.calls.length;
      owe("project_run", ...refs);
      expect([await callsAfter(delayMs - 1), await callsAfter(1)]).toEqual([before, before + 1]);
    }
    expect(outbox.isEmpty()).toBe(true);
  });
});

describe("what is owed without hurry", () => {
  const QUIET_MS = 10_000;

  it("waits for as long as it was told, and is claimed until its call must have ended", async () => {
    const pool = new Party(1, silent);
    await owing({ pool }, async ({ outbox, calls, work }) => {
      vi.useFakeTimers();
      const start = Date.now();
      outbox.unhurried(QUIET_MS, () => work.change((tx) => outbox.owe(tx, "ask_pool", "run/1")));
      await vi.advanceTimersByTimeAsync(QUIET_MS - 1);
      calls.drain();
      expect(pool.calls).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(pool.calls).toEqual([["run/1"]]);
      await vi.advanceTimersByTimeAsync(CALL_DEADLINE_MS - 1);
      calls.drain();
      expect([pool.calls.length, outbox.earliest()]).toEqual([1, start + QUIET_MS + CALL_DEADLINE_MS + 3_000]);
    });
  });

  it("goes out with what becomes owed to the same receiver meanwhile, and holds up nothing", async () => {
    const index = new Sharing();
    const pool = new Party();
    await owing({ index, pool }, async ({ outbox, work, owe }) => {
      vi.useFakeTimers();
      outbox.unhurried(QUIET_MS, () =>
        work.change((tx) => {
          outbox.owe(tx, "ask_pool", "slow/1");
          outbox.owe(tx, "project_run", "slow");
        }),
      );
      owe("ask_pool", "run/1");
      owe("project_run", "run");
      await vi.advanceTimersByTimeAsync(0);
      expect(pool.calls).toEqual([["slow/1", "run/1"]]);
      await vi.advanceTimersByTimeAsync(149);
      expect(index.calls).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect([index.calls, outbox.isEmpty()]).toEqual([[["slow", "run"]], true]);
    });
  });

  it("does not hold up what has waited for a place", async () => {
    const first = Promise.withResolvers<readonly string[]>();
    const pool = new Party(1, (call) => (call === 1 ? first.promise : Promise.resolve([])));
    await owing({ pool }, async ({ outbox, work, owe }) => {
      vi.useFakeTimers();
      owe("ask_pool", "first/1");
      await vi.advanceTimersByTimeAsync(0);
      owe("ask_pool", "run/1");
      await vi.advanceTimersByTimeAsync(0);
      outbox.unhurried(QUIET_MS, () => work.change((tx) => outbox.owe(tx, "ask_pool", "slow/1")));
      first.resolve([]);
      await vi.advanceTimersByTimeAsync(1);
      await vi.advanceTimersByTimeAsync(1);
      expect(pool.calls).toEqual([["first/1"], ["run/1", "slow/1"]]);
    });
  });

  it("goes out at once when somebody waits for it, or the object is made anew", async () => {
    const pool = new Party();
    await owing({ pool }, async ({ outbox, calls, work, restarted }) => {
      vi.useFakeTimers();
      const owe = (ref: string) =>
        outbox.unhurried(QUIET_MS, () => work.change((tx) => outbox.owe(tx, "ask_pool", ref)));
      owe("first/1");
      await calls.settled("ask_pool");
      expect(outbox.isEmpty()).toBe(true);
      owe("second/1");
      const anew = restarted();
      anew.work.change((tx) => anew.outbox.giveBack(tx));
      anew.calls.drain();
      await anew.calls.settled("ask_pool");
      expect([pool.calls, anew.outbox.isEmpty()]).toEqual([[["first/1"], ["second/1"]], true]);
    });
  });
});

it("reads no more of what is owed and what is due later, however much that is", () =>
  owing({}, async ({ sql, work, restarted }) => {
    const many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)";
    sql.exec(`${many} INSERT INTO outbox (kind, ref, tries, due_at, stamp) SELECT 'project_run', i, 1, 4e12, 1 FROM n`);
    sql.exec(`${many} INSERT INTO deadlines (kind, ref, due_at) SELECT 'timeout', i, 4e12 FROM n`);
    let rowsRead = 0;
    const exec = sql.exec.bind(sql);
    vi.spyOn(sql, "exec").mockImplementation((query: string, ...values: SqlStorageValue[]) => {
      const cursor = exec(query, ...values);
      const rows = cursor.toArray();
      rowsRead += cursor.rowsRead;
      return { toArray: () => rows, one: () => rows[0] } as never;
    });
    const deadlines = new Deadlines(sql, work);
    const { outbox, calls } = restarted();
    work.change((tx) => outbox.giveBack(tx));
    rowsRead = 0;
    expect([outbox.earliest(), deadlines.earliest()]).toEqual([4e12, 4e12]);
    calls.drain();
    deadlines.look(Date.now(), () => {});
    vi.restoreAllMocks();
    expect(rowsRead).toBeLessThan(500);
  }));
