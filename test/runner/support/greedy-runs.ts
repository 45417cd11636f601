/** Runs that use more of the machine than they may, and one that does not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunErrorCode } from "#protocol/run-errors.ts";
import { Bed, bash, endless, noSandbox } from "./bed.ts";
import { processesWith } from "./processes.ts";
import type { Way } from "./ways.ts";

const MIB = 1_048_576;
const SMALL = { REVEILLE_RUN_PROCESSES: "200", REVEILLE_RUN_MEMORY_MIB: "1000", REVEILLE_RUN_DISK_MIB: "20" };
const STORM = `perl -e 'for (1 .. 600) { fork // last or sleep(1000) } sleep(1000)'`;
// Each has about ten threads.
const THREADS = "for n in $(seq 40); do node -e 'setInterval(() => {}, 1e6)' & done; wait";
const MEMORY = `perl -e 'my $x = "x" x ${1_100 * MIB}; sleep(1000)'`;
const FILES = "for n in 1 2 3; do head -c 15000000 /dev/zero > big-$n; done";
const NAMELESS = `perl -e 'for my $n (1 .. 3) { open($f[$n], ">", "hidden-$n"); unlink("hidden-$n"); syswrite($f[$n], "x" x 15000000) } sleep(1000)'`;

type Kind = "processes" | "threads" | "memory" | "room for files" | "room for files without a name";
const KINDS: [what: Kind, command: string, code: RunErrorCode, words: RegExp][] = [
  // It takes longest until it is looked for.
  ["room for files without a name", NAMELESS, "disk_exceeded", /It had [0-9]+ MiB; 20 MiB are allowed/],
  ["processes", STORM, "processes_exceeded", /It had [0-9]+; 200 are allowed/],
  ["threads", THREADS, "processes_exceeded", /It had [0-9]+; 200 are allowed/],
  ["memory", MEMORY, "memory_exceeded", /It had [0-9]+ MiB; 1000 MiB are allowed/],
  ["room for files", FILES, "disk_exceeded", /It had [0-9]+ MiB; 20 MiB are allowed/],
];
export const ALL_KINDS = KINDS.map(([kind]) => kind);

/** @param ways each has a runner of its own. */
export function greedyRuns(ways: readonly Way[], kinds: readonly Kind[]): void {
  describe.skipIf(noSandbox !== null).each(ways)("a run in a sandbox of $name runner", ({ options }) => {
    let bed: Bed;
    beforeAll(async () => {
      bed = await Bed.make(SMALL, options);
    });
    afterAll(() => bed.close());

    it.concurrent.each(KINDS.filter(([what]) => kinds.includes(what)))(
      "ends when it takes %s",
      async (_what, command, code, words) => {
        const name = `greedy-${crypto.randomUUID()}`;
        const run = bed.run([bash(`${command}; ${endless(name)}`)]);
        const { outcome } = await run.finished();
        expect(outcome).toMatchObject({
          status: "failed",
          error: { code, phase: "agent", message: expect.stringMatching(words) },
        });
        expect([...processesWith(name), ...processesWith(run.order.run_id)]).toEqual([]);
      },
    );

    it("does not take the runner along, and one that takes little is not ended", async () => {
      // One file can't get longer than all files may.
      const run = bed.run([bash("ulimit -f; head -c 5000000 /dev/zero > one; stat -c %s one"), "Done."]);
      expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
      expect((await run.event("tool.result")).text).toBe(`${20 * 1_024}\n5000000`);
    });
  });
}
