/** A clone that takes the place of a copy: git looks at its files anew only where they have been moved one by one. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DEFAULT_DEPTH } from "#protocol/repository.ts";
import { settleClones } from "#sandbox-runner/attempt/settle-clones.ts";
import type { Clone } from "#sandbox-runner/git/clone-plan.ts";
import { RepositoryCopy } from "#sandbox-runner/prepared/repository-copy.ts";
import { createRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { type Command, type Place, startProcess } from "#sandbox-runner/process/spawn.ts";
import { Sandbox } from "#sandbox-runner/sandbox/sandbox.ts";

const COMMIT = "a".repeat(40);
const URL = "https://code.example.com/app";

/** In place of git, which is said to have made the copy. */
class Programs extends Sandbox {
  readonly kind = "sandbox-runtime";
  readonly refreshed: string[] = [];

  start(command: Command, { cwd }: Place) {
    if (command[1] === "update-index") this.refreshed.push(cwd);
    return startProcess([process.execPath, "-e", `console.log("commit ${COMMIT}")`], { cwd, env: {} });
  }
}

async function prepared() {
  const state = mkdtempSync(join(tmpdir(), "reveille-yielded-"));
  const folder = await createRunFolder(state, "executor-1", { pid: process.pid, startTime: null });
  onTestFinished(() => {
    rmSync(folder.sockets, { recursive: true });
    rmSync(state, { recursive: true });
  });
  const sandbox = new Programs();
  mkdirSync(join(folder.workspace, "app"));
  const copy = await RepositoryCopy.make(
    { repository: { url: URL }, commit: COMMIT, branch: "main", default_branch: "main", is_shallow: false },
    {
      ...{ mark: "executor-1", sandbox, folder, relayUrl: "http://relay.test", id: "run_1" },
      cache: { clones: { take: async () => "taken" }, instanceUrl: "" },
    },
    new AbortController().signal,
  );
  const aside = join(folder.root, "aside");
  mkdirSync(aside);
  writeFileSync(join(aside, "README.md"), "# App\n");
  const clone: Clone = {
    ...{ url: URL, folder: aside, commit: COMMIT, base: COMMIT, branch: "main", defaultBranch: "main" },
    ...{ isShallow: false, depth: DEFAULT_DEPTH, paths: null },
  };
  const settle = async (isThere: boolean) => {
    const steps: string[] = [];
    const waiting = { copy, isThere, giveUp: async () => {} };
    const { clones } = await settleClones([clone], waiting, new AbortController().signal, (step) => steps.push(step));
    const [placed] = clones;
    expect([placed?.folder, readdirSync(placed?.folder ?? "")]).toEqual([copy?.folder, ["README.md"]]);
    return steps;
  };
  return { sandbox, folder, clone, settle };
}

it("which it does not where the program has ended", async () => {
  const { sandbox, settle } = await prepared();
  expect(await settle(false)).toEqual([expect.stringContaining("It has ended")]);
  expect(sandbox.refreshed).toEqual([]);
});

it("which it does not where the program is given up", async () => {
  const { sandbox, clone, settle } = await prepared();
  writeFileSync(join(clone.folder, "README.md"), "# App\n");
  clone.branch = "other";
  expect(await settle(true)).toEqual([expect.stringContaining("is not what was cloned now")]);
  expect(sandbox.refreshed).toEqual([]);
});

it("which it does where a move was refused, and those before it were undone", async () => {
  const { sandbox, folder, settle } = await prepared();
  mkdirSync(join(folder.root, "emptied/in-the-way"), { recursive: true });
  expect(await settle(true)).toEqual([expect.stringContaining("could not be moved")]);
  expect(sandbox.refreshed).toEqual([join(folder.workspace, "app")]);
});
