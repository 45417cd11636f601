/** An agent that waits for a run and dies again and again is given up, however far it had come each time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { CloneCache } from "#sandbox-runner/git/clone-cache.ts";
import { PreparedAgent } from "#sandbox-runner/prepared/prepared-agent.ts";
import { shapeOf } from "#sandbox-runner/prepared/start-shape.ts";
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { type Command, type PipedProcess, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { practised } from "./support/practised.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";
import { until } from "./support/until.ts";

/** Answers whatever it is asked, as the agent's program does. */
const PROGRAM = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const say = (said) => console.log(JSON.stringify(said));
  ${practised()}
  say({ type: "control_response", response: { subtype: "success", request_id: message.request_id } });
});`;

class Programs extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly started: PipedProcess[] = [];

  start(_command: Command, _place: Place) {
    const child = startProcess([process.execPath, "-e", PROGRAM], { cwd: "/", env: {} });
    this.started.push(child);
    return child;
  }
}

it("is started after longer and longer pauses", async () => {
  const state = mkdtempSync(join(tmpdir(), "reveille-lost-"));
  const folder = await createRunFolder(state, "executor-1", { pid: process.pid, startTime: null });
  const sandbox = new Programs();
  const onReady = vi.fn();
  const pauses = vi.spyOn(globalThis, "setTimeout");
  /** Which of the calls for a time made the pause after each loss. */
  const after: number[] = [];
  const log = (what: string) => {
    if (what === "prepared_agent_lost") after.push(pauses.mock.calls.length);
  };
  const agent = new PreparedAgent({
    mark: "executor-1",
    sandbox,
    folder,
    relayUrl: "http://localhost:1",
    cache: { clones: new CloneCache(join(state, "clones")), instanceUrl: "http://localhost:1" },
    log,
    onReady,
    onUnfit: () => {},
  });
  onTestFinished(async () => {
    await agent.close();
    rmSync(folder.sockets, { recursive: true });
    rmSync(state, { recursive: true });
  });
  const ids = new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes));
  const order = runOrder(ids, "none", [], { environment: { ...ENVIRONMENT, variables: {} } });
  const shape = shapeOf(order);
  if (shape === null) throw new Error("no agent can be prepared for it");
  agent.expect({ shape, copy: null });
  for (const time of [1, 2, 3]) {
    await until("it waits", () => onReady.mock.calls.length >= time);
    sandbox.started.at(-1)?.kill("SIGKILL");
    await until("it is lost", () => after.length >= time);
  }
  expect(after.map((call) => pauses.mock.calls[call]?.[1])).toEqual([1_000, 2_000, 4_000]);
});
