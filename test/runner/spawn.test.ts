/** When a process ends for us: not with what it has left behind, and not while it takes what it is given. */
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { expect, it, vi } from "vitest";
import { awaitProcess, startProcess } from "#sandbox-runner/process/spawn.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";

it("does not wait for a child in another group that holds the output of a killed process", async () => {
  const name = `holder-${crypto.randomUUID()}`;
  const stop = new AbortController();
  // The child leaves the group, as what a sandbox starts does.
  const script = `setsid bash -c 'exec -a "$0" sleep 60' ${name} & wait`;
  const child = startProcess(["/bin/bash", "-c", script], { cwd: "/", env: { PATH: "/usr/bin:/bin" } });
  const ended = awaitProcess(child, { deadlineMs: 30_000, outputCapBytes: 1_000, signal: stop.signal });
  await until("the child runs", () => processesWith(name).some((line) => line.split(" ")[1] === name), 10_000);
  stop.abort();
  expect(await ended).toMatchObject({ how: "aborted", code: null });
  for (const line of processesWith(name)) process.kill(Number(line.split(" ")[0]), "SIGKILL");
});

it("has its deadline from the last piece that it was given", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const input = new PassThrough();
    const child = startProcess(["/bin/cat"], { cwd: "/", env: {} });
    const { signal } = new AbortController();
    const ended = awaitProcess(child, { deadlineMs: 1_000, outputCapBytes: 1_000, signal, input });
    for (const piece of ["a", "b", "c", "d"]) {
      const said = once(child.stdout, "data");
      input.write(piece);
      await said;
      await vi.advanceTimersByTimeAsync(900);
    }
    await vi.advanceTimersByTimeAsync(100);
    expect(await ended).toMatchObject({ how: "timed_out", stdout: "abcd" });
  } finally {
    vi.useRealTimers();
  }
});
