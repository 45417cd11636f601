/** Rows that were written or read last: the one that comes next is there, or nothing is said of it. */
import { describe, expect, it } from "vitest";
import { KeptRows } from "#durable-objects/routine/transcript/kept-rows.ts";
import type { Chunk } from "#rules/transcript-chunk.ts";

/** A row of so many events. */
function row(firstSeq: number, lastSeq: number, length = 100): Chunk {
  return { firstSeq, lastSeq, endBytes: lastSeq * length, body: "x".repeat(length) };
}

function rowsOf(...added: [sessionId: string, row: Chunk][]): KeptRows {
  const rows = new KeptRows();
  for (const one of added) rows.add(...one);
  return rows;
}

describe("after a place", () => {
  // The second was read after the third had been written.
  const rows = rowsOf(["one", row(11, 20)], ["other", row(1, 5)], ["one", row(26, 26)], ["one", row(21, 25)]);

  it.each<[string, string, number, number | null]>([
    ["before all of them", "one", 9, null],
    ["right before one", "one", 10, 20],
    ["within a row", "one", 15, 20],
    ["at the end of a row", "one", 20, 25],
    ["at the end of one that came after its successor", "one", 25, 26],
    ["at the end", "one", 26, null],
    ["of another session", "other", 0, 5],
    ["of a session of which nothing is kept", "third", 0, null],
  ])("%s", (_sentence, sessionId, after, lastSeq) => {
    expect(rows.next(sessionId, after)?.lastSeq ?? null).toBe(lastSeq);
  });
});

describe("what is kept", () => {
  it("is bounded in length over all sessions: what came first goes first", () => {
    const rows = rowsOf(["one", row(1, 1, 800_000)], ["other", row(1, 1, 800_000)], ["one", row(2, 2, 800_000)]);
    expect(rows.next("one", 0)).toBeNull();
    expect(rows.next("one", 1)?.lastSeq).toBe(2);
    expect(rows.next("other", 0)?.lastSeq).toBe(1);
  });

  it("is bounded in number", () => {
    const rows = rowsOf(...Array.from({ length: 600 }, (_, at): [string, Chunk] => ["one", row(at + 1, at + 1)]));
    expect(rows.next("one", 87)).toBeNull();
    expect(rows.next("one", 88)?.lastSeq).toBe(89);
  });

  it("is not a row that is longer than all that may be kept", () => {
    const rows = rowsOf(["one", row(1, 1)], ["one", row(2, 2, 3_000_000)]);
    expect(rows.next("one", 1)).toBeNull();
    rows.add("one", row(3, 3));
    expect(rows.next("one", 2)?.lastSeq).toBe(3);
  });

  it("is nothing of a session that was dropped, and all of the others", () => {
    const rows = rowsOf(["one", row(1, 5)], ["other", row(1, 3)]);
    rows.drop("one");
    expect([rows.next("one", 0), rows.next("other", 0)?.lastSeq]).toEqual([null, 3]);
  });

  it("has as much room again when a session was dropped", () => {
    const rows = rowsOf(["one", row(1, 5, 2_000_000)]);
    rows.drop("one");
    rows.add("other", row(1, 3, 1_000_000));
    rows.add("other", row(4, 6, 1_000_000));
    expect(rows.next("other", 0)?.lastSeq).toBe(3);
  });

  it("is nothing when it was cleared", () => {
    const rows = rowsOf(["one", row(1, 5)]);
    rows.clear();
    expect(rows.next("one", 0)).toBeNull();
  });
});
