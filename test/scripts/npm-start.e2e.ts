/**
 * `npm start` as a whole: real worker, real runner, real agent on the offline demo model, real git. Linux only, since it
 * looks into /proc. Run it by `node --test test/scripts/npm-start.e2e.ts`.
 */
import assert from "node:assert/strict";
import { readFileSync, statSync, truncateSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fireAnswerSchema } from "#protocol/api.ts";
import { runSchema } from "#protocol/run.ts";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { assertNoSecrets } from "./support/no-secrets.ts";
import {
  cleanUp,
  collectEvents,
  emptyStateFolder,
  printedCurl,
  processesOf,
  type StartedInstance,
  startProcess,
} from "./support/started-instance.ts";
import { until } from "./support/until.ts";

const RUN_DEADLINE_MS = 90_000;

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

async function start(options: Parameters<typeof startProcess>[0] = {}): Promise<StartedInstance> {
  const instance = await startProcess(options);
  folders.push(instance.state);
  return instance;
}

async function stop(instance: StartedInstance): Promise<void> {
  instance.child.kill("SIGINT");
  assert.equal(await instance.exited, 0, instance.output());
  assert.deepEqual(processesOf(instance.state), []);
  assertNoSecrets(instance.state, instance.output());
}

/** What was not told to stop, an executor for instance, sees by its input that its starter is gone. */
async function awaitNoProcess({ state, output }: StartedInstance, ending: string): Promise<void> {
  await until("the end of all processes", 15_000, () => processesOf(state).length === 0).catch((error) => {
    assert.fail(`${ending}: ${error.message}: ${JSON.stringify(processesOf(state), null, 1)}\n${output()}`);
  });
}

function ownerToken({ state }: StartedInstance): string {
  return JSON.parse(readFileSync(path.join(state, "local.json"), "utf8")).owner_token;
}

function find(instance: StartedInstance, part: string): number {
  const found = processesOf(instance.state).find(({ command }) => command.includes(part));
  assert.ok(found, `no process with ${part}`);
  return found.pid;
}

/** Fires by the printed line and follows the run; `at` is called once, when the agent calls its first tool. */
async function fireAndFollow(instance: StartedInstance, at: () => void) {
  const curl = await printedCurl(instance);
  const response = await fetch(curl.url, {
    method: "POST",
    headers: { authorization: `Bearer ${curl.token}`, "content-type": "application/json" },
    body: curl.body,
  });
  assert.equal(response.status, 200);
  const fired = fireAnswerSchema.parse(await response.json());
  const origin = `http://127.0.0.1:${instance.port}`;
  let isReached = false;
  const onEvent = ({ type }: TranscriptEvent) => {
    if (type !== "tool.call" || isReached) return;
    isReached = true;
    at();
  };
  const owner = ownerToken(instance);
  const events = await collectEvents(origin, owner, fired.claude_code_session_id, onEvent, RUN_DEADLINE_MS);
  const read = await fetch(`${origin}/api/v1/runs/${fired.run_id}`, { headers: { authorization: `Bearer ${owner}` } });
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_event, index) => index + 1),
    "every event once, without a gap",
  );
  return { events, run: runSchema.parse(await read.json()), isReached };
}

/** @returns after how many milliseconds the worker answered again. */
async function untilHealthy({ port }: StartedInstance): Promise<number> {
  const startedAt = performance.now();
  await until("the worker to be back", 60_000, async () => {
    const signal = AbortSignal.timeout(1_000);
    return (await fetch(`http://127.0.0.1:${port}/healthz`, { signal }).catch(() => null))?.status === 200;
  });
  return performance.now() - startedAt;
}

describe("while a run streams", () => {
  let instance: StartedInstance;
  before(async () => {
    instance = await start();
    await printedCurl(instance);
  });
  after(() => stop(instance));

  for (const [what, part] of [
    ["the worker's host", "worker-host.ts"],
    ["workerd", "workerd"],
  ] as const) {
    test(`${what} is killed: the worker is back, and the run ends as if nothing had been`, async (t) => {
      let back = Promise.resolve(0);
      const { run, isReached } = await fireAndFollow(instance, () => {
        process.kill(find(instance, part), "SIGKILL");
        back = untilHealthy(instance);
      });
      assert.ok(isReached);
      const backMs = await back;
      t.diagnostic(`healthy again after ${Math.round(backMs)} ms`);
      assert.equal(run.status, "succeeded", JSON.stringify(run.error));
      assert.equal(run.result, "done");
      assert.equal(run.evidence.branches_pushed.length, 1);
    });
  }

  test("the runner is killed: the run ends with an honest error, and the next one succeeds", async (t) => {
    const startedAt = performance.now();
    const { run } = await fireAndFollow(instance, () =>
      process.kill(find(instance, "sandbox-runner/main.ts"), "SIGKILL"),
    );
    t.diagnostic(`the run ended as ${run.status} after ${Math.round(performance.now() - startedAt)} ms`);
    assert.equal(run.status, "failed");
    assert.equal(run.error?.code, "runner_lost");
    const next = await fireAndFollow(instance, () => undefined);
    assert.equal(next.run.status, "succeeded", JSON.stringify(next.run.error));
  });
});

test("what it writes is for its owner alone, and a second start on it gives another way in", async () => {
  const first = await start();
  const curl = await printedCurl(first);
  // Where the runner is root, runs' own group may go through, and nobody can look inside.
  assert.equal(statSync(first.state).mode & 0o777, process.geteuid?.() === 0 ? 0o710 : 0o700);
  for (const file of ["local.json", "secrets.json"]) {
    assert.equal(statSync(path.join(first.state, file)).mode & 0o777, 0o600);
  }
  const commandLines = processesOf(first.state).map(({ command }) => command);
  const secrets = Object.values<string>(JSON.parse(readFileSync(path.join(first.state, "secrets.json"), "utf8")));
  for (const secret of secrets) assert.ok(!commandLines.some((line) => line.includes(secret)));

  const second = await start({ state: first.state });
  assert.equal(await second.exited, 0);
  const [, code] =
    /^Starting Reveille …\n\nReveille is on already .+\n\n {2}\S+\/#code=(\S+)\n\nIt goes on with the settings that it was started with\.\n/.exec(
      second.output(),
    ) ?? [];
  const signedIn = await fetch(`http://127.0.0.1:${first.port}/api/v1/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
  });
  assert.equal(signedIn.status, 204);
  const busy = await start({ port: first.port });
  assert.equal(await busy.exited, 1);
  assert.match(busy.output(), /^Starting Reveille …\nPort \d+ is in use: .+\n$/);
  await stop(first);

  const again = await start({ state: first.state, port: first.port });
  assert.deepEqual(await printedCurl(again), curl);
  await stop(again);
});

test("of two starts at once one comes up, on a worker that is built anew where its bundle was cut off, and only then", async () => {
  const first = await start();
  const curl = await printedCurl(first);
  await stop(first);
  const bundle = path.join(first.state, "worker", "bundle", "index.js");
  const size = statSync(bundle).size;
  truncateSync(bundle, 1_000);

  const both = await Promise.all([1, 2].map(() => start({ state: first.state, port: first.port })));
  const up = await Promise.any(both.map((instance) => printedCurl(instance).then(() => instance)));
  assert.deepEqual(await printedCurl(up), curl);
  const [other] = both.filter((instance) => instance !== up);
  assert.ok(other);
  // Which of the two it meets is the machine's matter: one that is starting, or one that is on already.
  const refused = /\nAn instance is running on .+ already \(process \d+\): .+\n$/;
  assert.match(other.output(), (await other.exited) === 1 ? refused : /\n\nReveille is on already \(process \d+\)\./);
  assert.equal(statSync(bundle).size, size);
  const { mtimeMs } = statSync(bundle);
  const { run } = await fireAndFollow(up, () => undefined);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  await stop(up);

  const again = await start({ state: first.state, port: first.port });
  await printedCurl(again);
  assert.equal(statSync(bundle).mtimeMs, mtimeMs);
  await stop(again);
});

test("Ctrl-C ends everything, at any moment of the start, and also when it is pressed twice", async () => {
  for (const [afterMs, presses] of [
    [150, 1],
    [600, 1],
    [1_500, 2],
    [3_000, 1],
    [4_500, 2],
  ] as const) {
    const instance = await start({ state: emptyStateFolder() });
    // The moment itself is the case: there is no event to wait for.
    await delay(afterMs);
    for (let press = 0; press < presses; press += 1) {
      instance.child.kill("SIGINT");
      await delay(press + 1 < presses ? 800 : 0);
    }
    await instance.exited;
    await awaitNoProcess(instance, `pressed ${presses} times after ${afterMs} ms`);
  }
});

test("while a run is on: Ctrl-C, SIGKILL of the command itself and of npm leave nothing behind", async () => {
  const endings: ((instance: StartedInstance) => void)[] = [
    ({ child }) => child.kill("SIGINT"),
    (instance) => process.kill(find(instance, "scripts/start.ts"), "SIGKILL"),
    ({ child }) => child.kill("SIGKILL"),
  ];
  for (const [index, end] of endings.entries()) {
    const instance = await start(index === 2 ? { command: ["npm", "start"], state: emptyStateFolder() } : {});
    const curl = await printedCurl(instance);
    const headers = { authorization: `Bearer ${curl.token}`, "content-type": "application/json" };
    await fetch(curl.url, { method: "POST", headers, body: curl.body });
    await until("an agent", 30_000, () => processesOf(instance.state).some(({ command }) => /claude/.test(command)));
    end(instance);
    await instance.exited;
    await awaitNoProcess(instance, `ending ${index}`);
  }
});
