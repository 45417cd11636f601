/** Transactions of a routine's object: all or nothing, in the tables, in memory, and in what is said of it. */
import { runInDurableObject } from "cloudflare:test";
import { getTableName } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { emptyTables, PURGED, RowsLeft } from "#durable-objects/routine/changes/purge.ts";
import { openDatabase } from "#durable-objects/routine/database.ts";
import { DefinitionStore } from "#durable-objects/routine/definition/definition-store.ts";
import { type Tx, Work } from "#durable-objects/routine/work.ts";
import { buildRoutine } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";

/** In the object of a routine, beside what it does itself. */
async function inObject(test: (work: Work, storage: DurableObjectStorage) => void): Promise<void> {
  const { id } = await buildRoutine();
  await runInDurableObject(ownerOf(id), (_object, { storage }) => {
    const opened = openDatabase(storage);
    if (!opened.ok) throw new Error(opened.refusal.message);
    test(new Work(storage, opened.value), storage);
  });
}

const FAILS = () => {
  throw new Error("fails");
};
const COUNT = "INSERT INTO counters (name, count) VALUES (?, 1)";

function counters(storage: DurableObjectStorage): number {
  return storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM counters").one().n;
}

describe("a transaction", () => {
  it("that throws leaves nothing: no row, nothing in memory, nothing said", () =>
    inObject((work, storage) => {
      const kept = work.remember(() => counters(storage));
      const each = work.rememberEach((key) => `${key} as stored`, 2);
      const draft = work.draft<string[]>(() => []);
      const said: string[] = [];
      work.followedBy(() => said.push("followed"));
      expect([kept.get(), each.get("a")]).toEqual([0, "a as stored"]);
      const failing = () =>
        work.change((tx) => {
          tx.sql.exec(COUNT, "one");
          kept.set(tx, 1);
          each.set(tx, "a", "another");
          draft.of(tx).push("line");
          work.afterwards(tx, "key", () => said.push("said"));
          expect([kept.get(), each.get("a"), draft.peek()]).toEqual([1, "another", ["line"]]);
          return FAILS();
        });
      expect(failing).toThrow("fails");
      expect([counters(storage), kept.get(), each.get("a"), draft.peek(), said]).toEqual([
        0,
        0,
        "a as stored",
        null,
        [],
      ]);
    }));

  it("that goes through is followed by what it said, once per key, whatever one of them throws", () =>
    inObject((work, storage) => {
      const said: string[] = [];
      work.last((tx) => void tx.sql.exec(COUNT, `last at ${counters(storage)}`));
      work.followedBy(() => said.push("followed"));
      const kept = work.remember(() => 0);
      work.change((tx) => {
        tx.sql.exec(COUNT, "one");
        kept.set(tx, 7);
        work.afterwards(tx, "fails", FAILS);
        for (const _ of [1, 2]) work.afterwards(tx, "key", () => said.push(`said of ${counters(storage)}`));
      });
      expect([said, kept.get()]).toEqual([["said of 2", "followed"], 7]);
      work.change(() => {});
      expect(said).toEqual(["said of 2", "followed", "followed"]);
    }));

  it("is over when it has ended, and does not contain another", () =>
    inObject((work) => {
      const kept = work.remember(() => 0);
      const each = work.rememberEach(() => 0, 1);
      const draft = work.draft(() => 0);
      const late: Tx = work.change((tx) => {
        expect(() => work.change(() => {})).toThrow("a transaction is open already");
        return tx;
      });
      const uses: ((tx: Tx) => unknown)[] = [
        (tx) => tx.nowMs,
        (tx) => tx.sql,
        (tx) => tx.database,
        (tx) => kept.set(tx, 1),
        (tx) => each.set(tx, "a", 1),
        (tx) => draft.of(tx),
        (tx) => work.afterwards(tx, "key", () => {}),
        (tx) => work.forgetAll(tx),
      ];
      for (const use of uses) expect(() => use(late)).toThrow("the transaction has ended");
    }));

  it("waits for nothing: the type refuses what would", () =>
    inObject((work) => {
      // @ts-expect-error what is awaited is no part of the transaction any more
      work.change(async () => {});
      // @ts-expect-error neither is what is passed on
      work.change(() => Promise.resolve(1));
    }));
});

it("of a routine that is purged leaves one row, without what its owner wrote, and nothing in memory", () =>
  inObject((work, storage) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
      )
      .toArray()
      .map(({ name }) => name);
    expect(PURGED.map(getTableName).sort()).toEqual(tables.filter((name) => name !== "routine").sort());
    const definitions = new DefinitionStore(openedDatabase(storage), work);
    const before = definitions.row() ?? expect.unreachable();
    // Rows go a few at a time, and the last step is one that has left some.
    for (let isOver = true; isOver; ) {
      work.change((tx) => {
        const rows = new RowsLeft(3);
        emptyTables(tx, rows);
        work.forgetAll(tx);
        isOver = rows.isOver;
      });
    }
    for (const table of PURGED.map(getTableName)) {
      expect(storage.sql.exec(`SELECT 1 FROM ${table}`).toArray(), table).toEqual([]);
    }
    const left = JSON.stringify(storage.sql.exec("SELECT * FROM routine").one());
    const { name, prompt } = before.definition;
    expect([left.includes(name), left.includes(prompt)]).toEqual([false, false]);
    expect(definitions.row()?.definition.prompt).toBe("");
  }));

function openedDatabase(storage: DurableObjectStorage) {
  const opened = openDatabase(storage);
  if (!opened.ok) throw new Error(opened.refusal.message);
  return opened.value;
}
