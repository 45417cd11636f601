/** Executors that are prepared before there is a run: there in time, used once, replaced, and never left behind. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, noSandbox } from "./support/bed.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

const IN_SANDBOX = { kind: "running", sandbox: "sandbox-runtime" };

describe.skipIf(noSandbox !== null)("a runner's spare", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
  });
  afterAll(() => bed.close());

  /** The process and all that it has started are gone, and so is its folder. */
  async function isGone(folder: string): Promise<void> {
    await until("nothing is left", () => processesWith(basename(folder)).length === 0 && !existsSync(folder), 10_000);
  }

  it("is there when the runner says that it is ready, takes one run, and is replaced", async () => {
    const spare = await bed.spare();
    expect(bed.executors()).toEqual([{ folder: spare.folder, runId: null }]);
    // What enters the sandbox is inside, and waits for the run's first commands.
    await until("launchers wait", () => processesWith(basename(spare.folder)).filter(isLauncher).length === 2);

    const [first, second] = [bed.run([bash("pwd"), "Done."], ["app"]), bed.run([bash("pwd"), "Done."])];
    expect((await first.event("tool.result")).text).toBe(`${spare.folder}/workspace/app`);
    expect((await second.event("tool.result")).text).not.toContain(basename(spare.folder));
    for (const run of [first, second]) {
      expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
      expect(run.stored.map(({ body }) => body)).toContainEqual(IN_SANDBOX);
    }
    await isGone(spare.folder);
    const next = await bed.spare(spare.folder);
    await until("both runs' folders are gone", () => bed.executors().length === 1);
    expect(bed.executors()).toEqual([{ folder: next.folder, runId: null }]);
  });

  it("that dies is replaced, and its folder removed", async () => {
    const spare = await bed.spare();
    process.kill(spare.pid, "SIGKILL");
    const next = await bed.spare(spare.folder);
    await isGone(spare.folder);
    expect(next.pid).not.toBe(spare.pid);
    expect(bed.runner.output()).toContain(`"spare_lost","executor":"${basename(spare.folder)}","outcome":"SIGKILL"`);
  });

  it("that dies unseen does not take a run with it", async () => {
    const spare = await bed.spare();
    process.kill(spare.pid, "SIGKILL");
    const run = bed.run(["Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(bed.instance.links.get(run.order.run_id)).toBe(1);
    await isGone(spare.folder);
  });

  it("that is stuck does not keep a run for long", async () => {
    const spare = await bed.spare();
    process.kill(spare.pid, "SIGSTOP");
    const run = bed.run(["Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    await isGone(spare.folder);
  });

  it("that is stuck is ended at once when its run is stopped", async () => {
    const spare = await bed.spare();
    process.kill(spare.pid, "SIGSTOP");
    const run = bed.run(["Done."]);
    bed.instance.stop(run.lease);
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease), 5_000);
    await isGone(spare.folder);
  });

  it.each([
    ["bridge", "socat UNIX-LISTEN"],
    ["waiting launchers", "bwrap"],
  ])("whose sandbox has lost its %s still runs in one", async (_what, command) => {
    const { folder } = await bed.spare();
    const lost = await until("they are there", () => {
      const found = processesWith(basename(folder)).filter((line) =>
        line.split(" ").slice(1).join(" ").startsWith(command),
      );
      return found.length > 0 && found;
    });
    for (const line of lost) endAtOnce(Number(line.split(" ")[0]));
    const run = bed.run([bash("pwd"), "Done."], ["app"]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ body }) => body)).toContainEqual(IN_SANDBOX);
    await isGone(folder);
  });

  it("goes with a runner that is killed, and its successor has its own", async () => {
    const spare = await bed.spare();
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    await isGone(spare.folder);
    await bed.restartRunner();
    expect((await bed.spare()).folder).not.toBe(spare.folder);
  });

  it("goes with a runner that is stopped while it is being prepared", async () => {
    const spare = await bed.spare();
    process.kill(spare.pid, "SIGKILL");
    const next = await until("the next is being prepared", () =>
      bed.executors().find(({ folder }) => folder !== spare.folder),
    );
    await bed.runner.stop();
    expect([spare.folder, next.folder].flatMap((folder) => processesWith(basename(folder)))).toEqual([]);
    expect(bed.executors()).toEqual([]);
    expect(await bed.runner.exit).toBe(0);
    await bed.restartRunner();
  });
});

describe.skipIf(noSandbox !== null)("a runner without spares", () => {
  it("prepares when a run comes", async () => {
    const bed = await Bed.make({ REVEILLE_SPARES: "0" });
    expect(bed.executors()).toEqual([]);
    const run = bed.run(["Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ body }) => body)).toContainEqual(IN_SANDBOX);
    await until("the folder is gone", () => bed.executors().length === 0);
    await bed.close();
  });
});

/** The shell inside that reads which command to run; seen from outside by its command line. */
function isLauncher(line: string): boolean {
  return /^\d+ \/bin\/sh .*\/launcher\.sh/.test(line);
}

/** One that ends with another of them is gone already. */
function endAtOnce(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
