/** How setup scripts end, as a table: real scripts on the machine itself, without a sandbox. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { createRunFolder, type RunFolder, STEADY_HOME } from "#sandbox-runner/process/run-folder.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { FolderStore } from "#sandbox-runner/setup/folder-store.ts";
import { setUp } from "#sandbox-runner/setup/set-up.ts";
import type { SetupStore } from "#sandbox-runner/setup/setup-store.ts";
import { endless } from "./support/bed.ts";
import { processesWith } from "./support/processes.ts";
import { environmentWith } from "./support/run-order.ts";

const mark = `setup-${crypto.randomUUID()}`;
let state: string;
let folder: RunFolder;
beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), "reveille-setup-"));
  folder = await createRunFolder(state, mark, { pid: process.pid, startTime: null });
});
afterAll(() => {
  rmSync(state, { recursive: true, force: true });
  rmSync(folder.sockets, { recursive: true, force: true });
});

function run(script: string, deadlineMs = 30_000) {
  const { signal } = new AbortController();
  const environment = environmentWith(script);
  const store = new FolderStore({ stateFolder: state });
  return setUp({
    environment,
    folder,
    sandbox: withoutSandbox(mark),
    mark,
    deadlineMs,
    keepDeadlineMs: 30_000,
    store,
    signal,
    onEvent: () => {},
  });
}

describe("a setup script", () => {
  it.each([
    ["a failed command at its end", "echo one; ls /nowhere-at-all", /exit code 2: one ls: .*nowhere-at-all/],
    ["what it exits with, under set -e", "set -e\nfalse\necho never", /exit code 1\.$/],
    ["a program that is not there", "#!/no/such/program\n", /exit code 12[67]/],
    ["a signal", "kill -9 $$", /A signal ended it\.$|exit code 137\.$/],
    [
      "a program that its first line names",
      "#!/usr/bin/env node\nconsole.log('from node'); process.exit(4)",
      /exit code 4: from node$/,
    ],
    ["no input", "cat; exit 7", /exit code 7\.$/],
    ["bytes that are no text", "printf 'a\\377b\\n'; exit 5", /exit code 5: a\uFFFDb$/],
    ["what is in quotes of another shell", "echo 'it'\"'\"'s'; exit 6", /exit code 6: it's$/],
  ])("that ends with %s has failed", async (_what, script, words) => {
    const error = await run(script);
    expect(error).toMatchObject({ code: "setup_failed", phase: "setup" });
    expect(error?.message).toMatch(words);
  });

  it.each([
    ["goes on after a failed command", "false\ntrue"],
    ["has the line ends of another system", "true\r\ntrue\r\n"],
    ["has left a program behind that holds its output", `setsid --fork bash -c '${endless(mark)}'`],
    ["has left a program behind that does not listen", `(trap '' HUP TERM INT; ${endless(mark)}) & disown`],
    [
      "has made what nobody may remove",
      "mkdir -p ../workspace/a/b ../tmp/c && chmod 0 ../workspace/a/b ../workspace/a",
    ],
  ])("that %s is done, and leaves nothing that runs", async (_what, script) => {
    expect(await run(script)).toBeNull();
    expect(processesWith(mark)).toEqual([]);
  });

  it("that does not end is stopped with all that it has started", async () => {
    const error = await run(`setsid --fork bash -c '${endless(mark)}'\n${endless(mark)}`, 1_000);
    expect(error).toMatchObject({ code: "setup_timed_out" });
    expect(processesWith(mark)).toEqual([]);
  });
});

it("holds the run up no longer than it may where its result goes out slowly, and says that it is not kept", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const sandbox = withoutSandbox(mark);
  const start = sandbox.start.bind(sandbox);
  // On this machine nothing is at the place where a sandbox has its home.
  vi.spyOn(sandbox, "start").mockImplementation((command, place) => start(command, { ...place, cwd: folder.home }));
  const asked = Promise.withResolvers<AbortSignal>();
  const store: SetupStore = {
    find: async () => null,
    keep: (_key, _archive, signal) => {
      asked.resolve(signal);
      return new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    },
  };
  const onEvent = vi.fn();
  const set = setUp({
    environment: { ...environmentWith("true"), secret_values: [] },
    folder: { ...folder, home: STEADY_HOME },
    sandbox,
    mark,
    deadlineMs: 600_000,
    keepDeadlineMs: 90_000,
    store,
    signal: new AbortController().signal,
    onEvent,
  });
  const signal = await asked.promise;
  vi.advanceTimersByTime(89_999);
  expect(signal.aborted).toBe(false);
  vi.advanceTimersByTime(1);
  expect(signal.aborted).toBe(true);
  expect(await set).toBeNull();
  expect(onEvent).toHaveBeenLastCalledWith(expect.objectContaining({ type: "notice", code: "setup_not_kept" }));
});
