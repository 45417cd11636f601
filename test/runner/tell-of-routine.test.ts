/** A clone's instruction files are read for later runs of its routine, and only where a spare is kept for these. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { placeBriefSchema } from "#sandbox-runner/attempt/executor-brief.ts";
import { RoutineTold } from "#sandbox-runner/attempt/tell-of-routine.ts";
import type { Clone } from "#sandbox-runner/git/clone-plan.ts";
import { readInstructions } from "#sandbox-runner/prepared/instructions.ts";
import { ProcessExecutor } from "#sandbox-runner/runner/process-executor.ts";
import { readSettings } from "#sandbox-runner/runner/settings.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";

vi.mock("#sandbox-runner/prepared/instructions.ts", { spy: true });
beforeEach(() => void vi.mocked(readInstructions).mockClear());

const ids = new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes));
const order = runOrder(ids, "none", ["app"], { environment: { ...ENVIRONMENT, variables: {} } });

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "reveille-routine-"));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

function cloned(): Clone {
  const made = folder();
  writeFileSync(join(made, "CLAUDE.md"), "Be brief.\n");
  const commit = "a".repeat(40);
  return {
    ...{ url: "https://code.example.com/app", folder: made, commit, base: commit, branch: "main" },
    ...{ defaultBranch: "main", isShallow: true, depth: 50, paths: null },
  };
}

describe("an executor", () => {
  it("tells what can be prepared where something is", async () => {
    const tell = vi.fn();
    const told = new RoutineTold({ isUsed: true, tell });
    told.onOrder(order);
    await told.onCloned(order, [cloned()]);
    expect(tell.mock.calls).toEqual([[expect.objectContaining({ copy: expect.objectContaining({ branch: "main" }) })]]);
    expect(readInstructions).toHaveBeenCalledTimes(1);
  });

  it("tells at once where nothing can", () => {
    const tell = vi.fn();
    new RoutineTold({ isUsed: true, tell }).onOrder({ ...order, mcp_servers: ["tracker"] });
    expect(tell.mock.calls).toEqual([[null]]);
  });

  it("reads nothing and tells nothing where nothing is", async () => {
    const tell = vi.fn();
    const told = new RoutineTold({ isUsed: false, tell });
    told.onOrder({ ...order, mcp_servers: ["tracker"] });
    await told.onCloned(order, [cloned()]);
    expect(tell).not.toHaveBeenCalled();
    expect(readInstructions).not.toHaveBeenCalled();
  });
});

describe("a runner", () => {
  it("of a version that does not say so is told nothing, and its executor works", () => {
    const place = { instance_url: "", state_folder: "", runner_id: "", sandbox: "none" };
    const bounds = { processes: 1, memory_mib: 1_024, disk_mib: 1_024 };
    expect(placeBriefSchema.parse({ name: "executor-1", ...place, bounds })).toMatchObject({ serves_routines: false });
  });

  it.each([
    ["0", false],
    ["2", true],
  ])("that keeps %s spares for routines says whether it wants to know", async (routines, wants) => {
    const stateFolder = folder();
    const executor = join(stateFolder, "executor.mjs");
    // In place of the executor: keeps what it is told first, and ends.
    const keep = `import { createInterface } from "node:readline"; import { writeFileSync } from "node:fs";
      createInterface({ input: process.stdin }).once("line", (line) => { writeFileSync("told", line); process.exit(); });`;
    writeFileSync(executor, keep);
    const read = readSettings({
      ...{ REVEILLE_URL: "http://localhost:1", RUNNER_TOKEN: "t".repeat(32), REVEILLE_STATE: stateFolder },
      ...{ REVEILLE_EXECUTOR: executor, REVEILLE_PREPARED_ROUTINES: routines },
    });
    if (!read.ok) throw new Error(read.faults.join());
    const settings = { ...read.settings, runnerId: "runner" };
    const heard = { onNews: () => {}, onShape: () => {}, onRoutine: () => {} };
    await new ProcessExecutor({ settings, log: () => {}, name: "executor-1", ...heard }).gone;
    expect(JSON.parse(readFileSync(join(stateFolder, "told"), "utf8"))).toMatchObject({ serves_routines: wants });
  });
});
