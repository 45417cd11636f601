/** A runner that dies, in whatever way, leaves no process and no folder behind. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, endless, noSandbox } from "./support/bed.ts";
import { FakeInstance, RUNNER_TOKEN } from "./support/fake-instance.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { spawnRunner } from "./support/runner-process.ts";
import { until } from "./support/until.ts";

describe.skipIf(noSandbox !== null)("a runner", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  /** A run in the middle of a command that does not end. */
  async function busyRun(): Promise<{ run: FakeRun; name: string }> {
    const name = `busy-${crypto.randomUUID()}`;
    const run = bed.run([bash(endless(name))]);
    await until("the command runs", () => {
      if (run.ending !== null) throw new Error(`ended instead: ${JSON.stringify(run.ending)}`);
      return processesWith(name).some((line) => line.split(" ")[1] === name);
    });
    return { run, name };
  }

  it("says that a lease has ended when its executor was killed", async () => {
    const { run, name } = await busyRun();
    const folder = bed.folderOf(run);
    process.kill(bed.recordOf(run).pid, "SIGKILL");
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease), 5_000);
    expect([...processesWith(name), ...processesWith(basename(folder))]).toEqual([]);
    await until("its folder is gone", () => !existsSync(folder), 5_000);
  });

  it("that is killed takes its runs with it, and its successor cleans up", async () => {
    const { run, name } = await busyRun();
    const before = bed.executors().map(({ folder }) => folder);
    expect(before).toContain(bed.folderOf(run));
    const traces = [name, ...before.map((folder) => basename(folder))];
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    await until("everything is gone", () => traces.every((trace) => processesWith(trace).length === 0), 5_000);
    await bed.restartRunner();
    expect(before.filter((folder) => existsSync(folder))).toEqual([]);
    expect((await bed.run(["Hello."]).finished()).outcome).toEqual({ status: "succeeded" });
  });

  it("that is killed together with its executor leaves nothing that its successor does not end", async () => {
    const { run, name } = await busyRun();
    const spare = await bed.spare();
    const folders = [bed.folderOf(run), spare.folder];
    const traces = [name, ...folders.map((folder) => basename(folder))];
    for (const { pid } of [bed.recordOf(run), spare]) process.kill(pid, "SIGSTOP");
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    for (const trace of traces) expect(processesWith(trace)).not.toEqual([]);
    await bed.restartRunner();
    expect(traces.flatMap((trace) => processesWith(trace))).toEqual([]);
    expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
  });

  it("keeps another runner out of its state folder", async () => {
    const second = spawnRunner({ REVEILLE_URL: bed.instance.url, RUNNER_TOKEN, REVEILLE_STATE: bed.state });
    expect(await second.closed).toBe(1);
    expect(second.output()).toMatch(/^REVEILLE_STATE: .* is in use by another runner \(process \d+\)/);
  });

  it("that is told to stop says how its runs ended, and ends", async () => {
    const { run, name } = await busyRun();
    const spare = await bed.spare();
    bed.runner.signal("SIGTERM");
    expect(await bed.runner.exit).toBe(0);
    expect(processesWith(basename(spare.folder))).toEqual([]);
    expect(bed.executors()).toEqual([]);
    expect(run.ending?.outcome).toMatchObject({ status: "failed", error: { code: "runner_lost", phase: "agent" } });
    expect([...processesWith(name), ...processesWith(run.order.run_id)]).toEqual([]);
    expect(bed.instance.hasEnded(run.lease)).toBe(true);
    expect(bed.runner.output()).not.toContain(run.proxyToken);
  });
});

describe("a runner that can't start", () => {
  it("names every fault in one line each", async () => {
    const runner = spawnRunner({ REVEILLE_URL: "nowhere" });
    expect(await runner.closed).toBe(1);
    expect(
      runner
        .output()
        .trim()
        .split("\n")
        .map((line) => line.split(":")[0]),
    ).toEqual(["REVEILLE_URL", "RUNNER_TOKEN", "REVEILLE_STATE"]);
  });

  it("says that its token is refused, and goes on asking", async () => {
    const nowhere = { modelUrl: "http://none.invalid", gitUrl: "http://none.invalid", gitCredential: "" };
    const instance = await FakeInstance.start(nowhere);
    const state = mkdtempSync(join(tmpdir(), "reveille-bed-"));
    const token = "another-token-of-no-instance-0000000";
    const runner = spawnRunner({ REVEILLE_URL: instance.url, RUNNER_TOKEN: token, REVEILLE_STATE: state });
    await until("the runner says so", () => /"what":"pool_link_refused".*"cause":"token"/.test(runner.output()));
    expect(runner.output()).not.toContain(token);
    await runner.stop();
    await instance.vanish();
    rmSync(state, { recursive: true });
  });

  it("says what is wrong with its state folder", async () => {
    const runner = spawnRunner({ REVEILLE_URL: "http://127.0.0.1:9", RUNNER_TOKEN, REVEILLE_STATE: "/dev/null/x" });
    expect(await runner.closed).toBe(1);
    expect(runner.output()).toMatch(/^REVEILLE_STATE: \/dev\/null\/x can't be used: /);
  });
});
