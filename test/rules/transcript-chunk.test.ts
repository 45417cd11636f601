/** Several events of a transcript in one row, and taken apart again. */
import { describe, expect, it } from "vitest";
import { type Chunk, chunkLines, splitChunk } from "#rules/transcript-chunk.ts";

describe("splitChunk", () => {
  it("gives each event with its number and the bytes up to its end", () => {
    const chunk: Chunk = { firstSeq: 7, lastSeq: 9, endBytes: 120, body: '{"a":1}\n{"b":"é"}\n{"c":"\\n"}' };
    expect(splitChunk(chunk)).toEqual([
      { seq: 7, endBytes: 100, body: '{"a":1}' },
      { seq: 8, endBytes: 110, body: '{"b":"é"}' },
      { seq: 9, endBytes: 120, body: '{"c":"\\n"}' },
    ]);
  });
});

describe("chunkLines", () => {
  it.each<[string, number[], number[]]>([
    ["nothing into nothing", [], []],
    ["a few lines into one row", [100, 100, 100], [3]],
    ["a line that is too long for a row with others, alone or at the end", [262_144, 100], [1, 1]],
    ["many lines into rows of bounded length", Array(10).fill(90_000), [3, 3, 3, 1]],
  ])("puts %s", (_sentence, lengths, counts) => {
    const lines = lengths.map((length) => "x".repeat(length));
    const parts = chunkLines(lines);
    expect(parts.map(({ length }) => length)).toEqual(counts);
    expect(parts.flat()).toEqual(lines);
  });
});
