/** Rows that were written last: all that comes after a place is there, or nothing is said of it. */
import { describe, expect, it } from "vitest";
import { RecentRows } from "#durable-objects/routine/transcript/recent-rows.ts";
import type { Chunk } from "#rules/transcript-chunk.ts";

/** A row of so many events. */
function row(firstSeq: number, lastSeq: number, length = 100): Chunk {
  return { firstSeq, lastSeq, endBytes: lastSeq * length, body: "x".repeat(length) };
}

function rowsOf(...added: [sessionId: string, row: Chunk][]): RecentRows {
  const rows = new RecentRows();
  for (const one of added) rows.add(...one);
  return rows;
}

function ends(rows: Chunk[] | null): number[] | null {
  return rows?.map(({ lastSeq }) => lastSeq) ?? null;
}

describe("after a place", () => {
  const rows = rowsOf(["one", row(11, 20)], ["other", row(1, 5)], ["one", row(21, 25)], ["one", row(26, 26)]);

  it.each<[string, string, number, number[] | null]>([
    ["before all of them", "one", 9, null],
    ["right before the oldest", "one", 10, [20, 25, 26]],
    ["within a row", "one", 15, [20, 25, 26]],
    ["at the end of a row", "one", 20, [25, 26]],
    ["at the end", "one", 26, []],
    ["of another session", "other", 0, [5]],
    ["of a session that has written nothing", "third", 0, null],
  ])("%s", (_sentence, sessionId, after, found) => {
    expect(ends(rows.after(sessionId, after))).toEqual(found);
  });

  it.each<[number, number | null]>([
    [19, null],
    [20, 20],
    [24, 20],
    [25, 25],
    [99, 26],
  ])("the newest row with nothing after %i ends at %s", (seq, found) => {
    expect(rows.upTo("one", seq)?.lastSeq ?? null).toBe(found);
  });
});

describe("what is kept", () => {
  it("is bounded in length over all sessions: the oldest goes first", () => {
    const rows = rowsOf(["one", row(1, 1, 400_000)], ["other", row(1, 1, 400_000)], ["one", row(2, 2, 400_000)]);
    expect(ends(rows.after("one", 0))).toBeNull();
    expect(ends(rows.after("one", 1))).toEqual([2]);
    expect(ends(rows.after("other", 0))).toEqual([1]);
  });

  it("is bounded in number", () => {
    const rows = rowsOf(...Array.from({ length: 200 }, (_, at): [string, Chunk] => ["one", row(at + 1, at + 1)]));
    expect(rows.after("one", 71)).toBeNull();
    expect(rows.after("one", 72)).toHaveLength(128);
  });

  it("is not a row that is longer than all that may be kept", () => {
    const rows = rowsOf(["one", row(1, 1)], ["one", row(2, 2, 2_000_000)]);
    expect(rows.after("one", 1)).toBeNull();
    rows.add("one", row(3, 3));
    expect(ends(rows.after("one", 2))).toEqual([3]);
  });

  it("is nothing of a session that was dropped, and all of the others", () => {
    const rows = rowsOf(["one", row(1, 5)], ["other", row(1, 3)]);
    rows.drop("one");
    expect([ends(rows.after("one", 0)), ends(rows.after("other", 0))]).toEqual([null, [3]]);
  });

  it("is nothing when it was cleared", () => {
    const rows = rowsOf(["one", row(1, 5)]);
    rows.clear();
    expect(rows.after("one", 0)).toBeNull();
  });
});
