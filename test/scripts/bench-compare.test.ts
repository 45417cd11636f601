/** `npm run bench -- --against DIR`: which figures became worse, and how two checkouts take turns. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compareWith } from "../../bench/against.ts";
import { compareRow, comparisonTable, isAnyWorse } from "../../bench/compare.ts";
import type { Figure } from "../../bench/row.ts";

const RATIO = { bound: "at least", value: 2 } as const;

function figure(ours: number, more: Partial<Figure> = {}): Figure {
  return { what: "p50", unit: "ms", ours, baseline: null, goal: null, ...more };
}

/** Each value is that of a round. */
function compared(before: number[], after: number[], more: Partial<Figure> = {}) {
  const rounds = (values: number[]) => values.map((value) => [figure(value, more)]);
  return compareRow("fire", rounds(before), rounds(after));
}

describe("a figure", () => {
  it.each([
    ["ms", [100, 100, 100], [104, 104, 104], {}, 0.04, "same"],
    ["at the edge", [100], [105], {}, 0.05, "same"],
    ["ms, more", [100, 90, 110], [106, 130, 80], {}, 0.06, "worse"],
    ["ms, less", [100], [90], {}, -0.1, "better"],
    ["a rate, more", [100], [110], { unit: "/s" }, 0.1, "better"],
    ["a rate, less", [100], [90], { unit: "/s" }, -0.1, "worse"],
    ["with a goal of at least", [1], [2], { unit: "×", goal: RATIO }, 1, "better"],
    ["rows, more", [20], [22], { unit: "rows" }, 0.1, "worse"],
    ["nothing, and nothing", [0], [0], { unit: "rows" }, 0, "same"],
    ["nothing, then something", [0], [1], { unit: "rows" }, Number.POSITIVE_INFINITY, "worse"],
    ["below zero, and more", [-10], [-5], { unit: "MiB" }, 0.5, "worse"],
    ["an even number of rounds", [90, 110], [100, 104], {}, 0.02, "same"],
  ] as const)("%s", (_, before, after, more, change, verdict) => {
    const row = compared([...before], [...after], more);
    expect(row.figures).toMatchObject([{ verdict }]);
    expect(row.figures[0]?.change).toBeCloseTo(change, 10);
    expect(isAnyWorse([row])).toBe(verdict === "worse");
  });

  it.each([
    [[1, 2, 3], [3, 4, 5], true],
    [[1, 2, 3], [3.5, 4, 5], false],
    [[9, 9, 9], [1, 2, 3], false],
  ])("says whether the ranges %j and %j overlap", (before, after, isOverlapping) => {
    expect(compared(before, after).figures).toMatchObject([{ isOverlapping }]);
  });
});

describe("a row", () => {
  it("is compared in the figures that both have; the others are named, and what explains a figure is left out", () => {
    const parts = figure(7, { what: "  runs", unit: "rows" });
    const goal = figure(3, { what: "  more than before", unit: "MiB", goal: { bound: "at most", value: 5 } });
    const before = [[figure(1), parts, parts, figure(2, { what: "gone" }), goal]];
    const row = compareRow("fire", before, [[figure(1), figure(2, { what: "new" }), goal]]);
    expect(row.figures.map(({ what }) => what)).toEqual(["p50", "more than before"]);
    expect([row.onlyBefore, row.onlyAfter]).toEqual([["gone"], ["new"]]);
    expect(comparisonTable([row])).toContain('fire: "gone" is only in the other checkout.');
  });

  it("is a line of the table", () => {
    const lines = comparisonTable([compared([100, 90, 110], [106, 130, 80])]).split("\n");
    expect(lines.at(-1)).toBe("fire  p50     100 ms   90..110  106 ms   80..130  +6.0 %  worse (ranges overlap)");
  });
});

describe("two checkouts", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "rvl-bench-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const log = path.join(folder, "log");
  const scratch = path.join(folder, "measured.json");

  /** A checkout whose bench has two rows, and logs that it was asked. */
  function checkout(name: string, value: number): string {
    const root = path.join(folder, name);
    for (const room of ["bench", "scripts"]) mkdirSync(path.join(root, room), { recursive: true });
    writeFileSync(path.join(root, "scripts/ensure-installed.mjs"), "");
    writeFileSync(
      path.join(root, "bench/main.ts"),
      `import { appendFileSync, writeFileSync } from "node:fs";
       const [row, , file] = process.argv.slice(2);
       if (row === "none") {
         console.error("No such row: none. There are: fire, broken.");
         process.exit(2);
       }
       if (row === "broken") throw new Error("it broke");
       appendFileSync(${JSON.stringify(log)}, "${name} ");
       const figure = { what: "p50", unit: "ms", ours: ${value}, baseline: null, goal: null, ratio: null, reached: null };
       writeFileSync(file, JSON.stringify({ rows: [{ id: row, figures: [figure] }] }));`,
    );
    return root;
  }

  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    writeFileSync(log, "");
    for (const name of ["log", "error"] as const)
      vi.spyOn(console, name).mockImplementation((text) => void printed.push(String(text)));
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("take turns, and tell by the exit code whether anything became worse", async () => {
    const [a, b] = [checkout("a", 10), checkout("b", 20)];
    expect(await compareWith({ rows: ["fire"], here: a, against: b, rounds: 3, scratch })).toBe(0);
    expect(readFileSync(log, "utf8")).toBe("a b b a a b ");
    expect(await compareWith({ rows: ["fire"], here: b, against: a, rounds: 1, scratch })).toBe(1);
    expect(printed.join("\n")).toContain("+100.0 %  worse");
  });

  it("are compared in the rows that both have; one that can't be measured stops no other", async () => {
    const [a, b] = [checkout("a", 10), checkout("b", 10)];
    expect(await compareWith({ rows: ["new", "broken", "fire"], here: a, against: b, rounds: 1, scratch })).toBe(1);
    const text = printed.join("\n");
    expect(text).toContain("new: the other checkout has no such row.");
    expect(text).toMatch(/Not measured: broken: in .*it broke/s);
    expect(text).toMatch(/fire +p50 .* same/);
  });

  it("are two: what is none is said, and nothing measured", async () => {
    expect(await compareWith({ rows: ["fire"], here: checkout("a", 1), against: folder, rounds: 1, scratch })).toBe(2);
    expect(printed).toEqual([expect.stringContaining("is no checkout of this project with a bench")]);
  });
});
