/** A lease that comes while a copy is made for an agent: it is not kept waiting, and finds nothing of that in its workspace. */
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { PreparedAgent } from "#sandbox-runner/prepared/prepared-agent.ts";
import { type Copy, wantedOf } from "#sandbox-runner/prepared/start-shape.ts";
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { type Command, type PipedProcess, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";
import { until } from "./support/until.ts";

/** In place of git: begins with a folder, and never ends. */
const PROGRAM = `require("node:fs").mkdirSync("app"); setInterval(() => {}, 1_000);`;

class Programs extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly started: PipedProcess[] = [];

  start(_command: Command, { cwd }: Place) {
    const child = startProcess([process.execPath, "-e", PROGRAM], { cwd, env: {} });
    this.started.push(child);
    return child;
  }
}

const RUN = { id: "run_1", token: "token", variables: {}, task: null };

it("ends it", async () => {
  const state = mkdtempSync(join(tmpdir(), "reveille-copying-"));
  const folder = await createRunFolder(state, "executor-1", { pid: process.pid, startTime: null });
  const sandbox = new Programs();
  const onUnfit = vi.fn();
  const agent = new PreparedAgent({
    ...{ mark: "executor-1", sandbox, folder, relayUrl: "http://localhost:1", log: vi.fn(), onReady: vi.fn(), onUnfit },
    cache: { clones: { take: async () => "taken" }, instanceUrl: "" },
  });
  onTestFinished(async () => {
    await agent.close();
    rmSync(folder.sockets, { recursive: true });
    rmSync(state, { recursive: true });
  });
  const ids = new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes));
  const wanted = wantedOf(runOrder(ids, "none", ["app"], { environment: { ...ENVIRONMENT, variables: {} } }));
  if (wanted === null || wanted.repository === null) throw new Error("no agent can be prepared for it");
  const { shape, repository } = wanted;
  const copy: Copy = { repository, commit: "a".repeat(40), branch: "main", default_branch: null, is_shallow: false };
  agent.expect({ shape, copy });
  await until("a copy is being made", () => existsSync(join(folder.workspace, "app")));
  const [git] = sandbox.started;
  const ended = git === undefined ? null : once(git, "exit");
  expect(await agent.takeFor(wanted, RUN)).toBeNull();
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(readdirSync(folder.workspace)).toEqual([]);
  expect(sandbox.started).toHaveLength(1);
  expect(onUnfit).not.toHaveBeenCalled();
});
