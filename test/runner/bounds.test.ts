/** A run that uses more of the machine than it may is ended, and says why; the runner goes on. */
import { describe, expect, it } from "vitest";
import { watchBounds } from "#sandbox-runner/attempt/bounds-watch.ts";
import {
  defaultBounds,
  diskExcess,
  type Excess,
  isToBeCounted,
  processExcess,
} from "#sandbox-runner/process/run-bounds.ts";
import type { RunFolder } from "#sandbox-runner/process/run-folder.ts";
import { NOTHING_INSIDE } from "#sandbox-runner/process/run-usage.ts";
import { greedyRuns } from "./support/greedy-runs.ts";
import { usualWays } from "./support/ways.ts";

const MIB = 1_048_576;
const bounds = { processes: 100, memory_mib: 1_000, disk_mib: 10 };

describe("what is too much", () => {
  it.each([
    [100, 0, null],
    [101, 0, "processes_exceeded"],
    [1, 1_000 * MIB, null],
    [1, 1_000 * MIB + 1, "memory_exceeded"],
    [101, 2_000 * MIB, "processes_exceeded"],
  ])("%i processes with %i bytes", (processes, memoryBytes, code) => {
    expect(processExcess({ processes, memoryBytes }, bounds)?.code ?? null).toBe(code);
  });

  it("has its figures told", () => {
    expect(processExcess({ processes: 101, memoryBytes: 0 }, bounds)?.detail).toBe("It had 101; 100 are allowed.");
    expect(diskExcess(10 * MIB, bounds)).toBeNull();
    expect(diskExcess(10 * MIB + 1, bounds)).toEqual({
      code: "disk_exceeded",
      detail: "It had 11 MiB; 10 MiB are allowed.",
    });
  });

  it.each([
    ["the file system has lost less than what is left", 4, 100, 95, 9_999, false],
    ["it has lost more", 4, 100, 93, 0, true],
    ["it has gained", 4, 100, 200, 0, false],
    ["what is there is too much already", 11, 100, 100, 0, true],
    ["others may have made room meanwhile", 4, 100, 100, 10_000, true],
  ])("is counted again when %s", (_what, used, before, free, later, isCounted) => {
    const last = { usedBytes: used * MIB, freeBytes: before * MIB, atMs: 1_000, tookMs: 100 };
    expect(isToBeCounted(last, free * MIB, bounds, 1_000 + later)).toBe(isCounted);
  });

  it("is not counted all the time where counting takes long", () => {
    const last = { usedBytes: 0, freeBytes: 0, atMs: 0, tookMs: 2_000 };
    expect([39_999, 40_000].map((now) => isToBeCounted(last, 0, bounds, now))).toEqual([false, true]);
  });

  it("depends on the machine's memory", () => {
    expect(defaultBounds(64_000 * MIB)).toEqual({ processes: 1_024, memory_mib: 4_096, disk_mib: 10_240 });
    expect(defaultBounds(2_000 * MIB).memory_mib).toBe(1_500);
    expect(defaultBounds(100 * MIB).memory_mib).toBe(512);
  });
});

describe("a look that fails", () => {
  it("is taken again, and keeps nothing else from being looked at", async () => {
    const nowhere = "/nowhere";
    const folder: RunFolder = {
      ...{ root: nowhere, workspace: nowhere, home: nowhere, temporary: nowhere, launch: nowhere },
      ...{ git: nowhere, hooks: nowhere, tools: nowhere, template: nowhere, neutral: nowhere, sockets: nowhere },
    };
    let looks = 0;
    const excess = await new Promise<Excess>((onExcess) => {
      watchBounds({
        bounds: { ...bounds, processes: -1 },
        folder,
        inside: () => {
          looks += 1;
          if (looks === 1) throw new Error("spawn ENOMEM");
          return NOTHING_INSIDE;
        },
        signal: new AbortController().signal,
        onExcess,
      });
    });
    expect(excess.code).toBe("processes_exceeded");
  });
});

// The others, and other users: bounds.e2e.ts.
greedyRuns(usualWays, ["processes", "memory", "room for files"]);
