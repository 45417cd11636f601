/** A run that uses more of the machine than it may is ended, and says why; the runner goes on. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultBounds, diskExcess, isToBeCounted, processExcess } from "#sandbox-runner/run-bounds.ts";
import { Bed, type BedOptions, bash, endless, noSandbox } from "./support/bed.ts";
import { processesWith } from "./support/processes.ts";

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

const isRoot = process.geteuid?.() === 0;
const USER = 20_001;
const isOpen = isRoot && spawnSync(process.execPath, ["-e", "0"], { uid: USER, gid: USER }).status === 0;
const ways: [name: string, options: BedOptions][] = [
  ...(isRoot && !isOpen ? [] : ([["", {}]] satisfies [string, BedOptions][])),
  ...(isRoot ? ([[" of user 0", { mode: 0o700 }]] satisfies [string, BedOptions][]) : []),
];

const SMALL = { REVEILLE_RUN_PROCESSES: "200", REVEILLE_RUN_MEMORY_MIB: "1000", REVEILLE_RUN_DISK_MIB: "20" };
const STORM = `perl -e 'for (1 .. 600) { fork // last or sleep(1000) } sleep(1000)'`;
// Each has about ten threads.
const THREADS = "for n in $(seq 40); do node -e 'setInterval(() => {}, 1e6)' & done; wait";
const MEMORY = `perl -e 'my $x = "x" x ${1_100 * MIB}; sleep(1000)'`;
const FILES = "for n in 1 2 3; do head -c 15000000 /dev/zero > big-$n; done";
const NAMELESS = `perl -e 'for my $n (1 .. 3) { open($f[$n], ">", "hidden-$n"); unlink("hidden-$n"); syswrite($f[$n], "x" x 15000000) } sleep(1000)'`;

describe.skipIf(noSandbox !== null).each(ways)("a run%s that takes too much", (_name, options) => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make(SMALL, options);
  });
  afterAll(() => bed.close());

  it.concurrent.each([
    ["processes", STORM, "processes_exceeded", /It had [0-9]+; 200 are allowed/],
    ["threads", THREADS, "processes_exceeded", /It had [0-9]+; 200 are allowed/],
    ["memory", MEMORY, "memory_exceeded", /It had [0-9]+ MiB; 1000 MiB are allowed/],
    ["room for files", FILES, "disk_exceeded", /It had [0-9]+ MiB; 20 MiB are allowed/],
    ["room for files without a name", NAMELESS, "disk_exceeded", /It had [0-9]+ MiB; 20 MiB are allowed/],
  ])("ends when it takes %s", async (_what, command, code, words) => {
    const name = `greedy-${crypto.randomUUID()}`;
    const run = bed.run([bash(`${command}; ${endless(name)}`)]);
    const { outcome } = await run.finished();
    expect(outcome).toMatchObject({
      status: "failed",
      error: { code, phase: "agent", message: expect.stringMatching(words) },
    });
    expect([...processesWith(name), ...processesWith(run.order.run_id)]).toEqual([]);
  });

  it("does not take the runner along, and one that takes little is not ended", async () => {
    // One file can't get longer than all files may.
    const run = bed.run([bash("ulimit -f; head -c 5000000 /dev/zero > one; stat -c %s one"), "Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect((await run.event("tool.result")).text).toBe(`${20 * 1_024}\n5000000`);
  });
});
