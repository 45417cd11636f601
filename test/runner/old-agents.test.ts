/** An agent that waits and that nobody takes is replaced before it is too old, and when its day is over: it has told its model the date. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { IdMaker } from "#protocol/ids.ts";
import { CloneCache } from "#sandbox-runner/git/clone-cache.ts";
import { nextLookMs } from "#sandbox-runner/prepared/current-agent.ts";
import { PreparedAgent } from "#sandbox-runner/prepared/prepared-agent.ts";
import { type StartShape, shapeOf } from "#sandbox-runner/prepared/start-shape.ts";
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { type Command, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { practised } from "./support/practised.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";

/** Answers whatever it is asked, as the agent's program does. */
const PROGRAM = `require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  const say = (said) => console.log(JSON.stringify(said));
  ${practised()}
  say({ type: "control_response", response: { subtype: "success", request_id: message.request_id } });
});`;

class Programs extends Sandbox {
  readonly kind = "sandbox-runtime";
  /** When each was started, by the clock on the wall. */
  readonly startedAt: string[] = [];

  start(_command: Command, _place: Place) {
    this.startedAt.push(new Date().toTimeString().slice(0, 5));
    return startProcess([process.execPath, "-e", PROGRAM], { cwd: "/", env: {} });
  }
}

/** Local time, as the program tells it. */
const on = (day: number, hour: number, minute: number, second = 0) =>
  new Date(2031, 4, day, hour, minute, second).getTime();

async function preparedAgent() {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  const state = mkdtempSync(join(tmpdir(), "reveille-old-"));
  const folder = await createRunFolder(state, "executor-1", { pid: process.pid, startTime: null });
  const sandbox = new Programs();
  let ready = Promise.withResolvers<void>();
  const agent = new PreparedAgent({
    ...{ mark: "executor-1", sandbox, folder, relayUrl: "http://localhost:1", log: () => {}, onUnfit: () => {} },
    cache: { clones: new CloneCache(join(state, "clones")), instanceUrl: "http://localhost:1" },
    onReady: () => ready.resolve(),
  });
  onTestFinished(async () => {
    vi.useRealTimers();
    await agent.close();
    rmSync(folder.sockets, { recursive: true });
    rmSync(state, { recursive: true });
  });
  const ids = new IdMaker("0000000000", (bytes) => crypto.getRandomValues(bytes));
  const order = runOrder(ids, "none", [], { environment: { ...ENVIRONMENT, variables: {} } });
  const shape = shapeOf(order);
  if (shape === null) throw new Error("no agent can be prepared for it");
  /** Settles when the next one waits. */
  const waits = async () => {
    await ready.promise;
    ready = Promise.withResolvers();
  };
  return {
    agent,
    shape,
    startedAt: sandbox.startedAt,
    waits,
    expect: (one: StartShape) => agent.expect({ shape: one, copy: null }),
  };
}

it("is replaced after half an hour, and when its day is over", async () => {
  const { shape, startedAt, waits, expect: wants } = await preparedAgent();
  vi.setSystemTime(on(5, 22, 50));
  wants(shape);
  for (const minutes of [30, 30, 10, 30, 30]) {
    await waits();
    vi.advanceTimersByTime(minutes * 60_000 - 1);
    const before = startedAt.length;
    vi.advanceTimersByTime(1);
    await vi.waitUntil(() => startedAt.length > before);
  }
  await waits();
  expect(startedAt).toEqual(["22:50", "23:20", "23:50", "00:00", "00:30", "01:00"]);
});

it("is replaced as well where what was expected has changed meanwhile, and changed back", async () => {
  const { shape, startedAt, waits, expect: wants } = await preparedAgent();
  vi.setSystemTime(on(5, 12, 0));
  wants(shape);
  await waits();
  wants({ ...shape, model: "another" });
  wants(shape);
  // Whatever was begun for that has been done.
  await new Promise((go) => setImmediate(go));
  expect(startedAt).toEqual(["12:00"]);
  vi.advanceTimersByTime(30 * 60_000);
  await waits();
  expect(startedAt).toEqual(["12:00", "12:30"]);
});

it.each<[string, number, number, number]>([
  ["after half an hour", on(5, 12, 0), on(5, 12, 10), 20 * 60_000],
  ["at the end of its day", on(5, 23, 50), on(5, 23, 55), 5 * 60_000],
  ["soon where its day has ended while it was started", on(5, 23, 59, 59), on(6, 0, 0, 2), 1_000],
  ["soon where the timer was early, and not at once", on(5, 12, 0), on(5, 12, 30) - 1, 1_000],
  ["in half an hour at the latest where the clock was set back", on(5, 12, 0), on(5, 8, 0), 30 * 60_000],
])("is looked at %s", (_when, startedAtMs, nowMs, waitMs) => {
  vi.useFakeTimers({ toFake: ["Date"], now: nowMs });
  onTestFinished(() => void vi.useRealTimers());
  expect(nextLookMs({ startedAtMs })).toBe(waitMs);
});
