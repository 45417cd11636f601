/**
 * What an instance builds for itself at its first start, built once for all instances of the tests: each start would take
 * a core for many seconds. A copy counts as built by the instance's own check, which looks at every byte of it and at what
 * it is made of; otherwise the instance builds anew.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildExecutor } from "#scripts/instance/build-executor.ts";
import { buildWeb } from "#scripts/instance/build-web.ts";
import { buildWorker } from "#scripts/instance/build-worker.ts";
import { lockStateFolder } from "#scripts/instance/lock.ts";
import { prepareStateFolder } from "#scripts/instance/state-folder.ts";
import { until } from "./until.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
/** Builds, of another suite's process too, on a machine that may have much else to do. */
const BUILD_DEADLINE_MS = 240_000;
/** In a state folder, each with its mark beside it. */
const PARTS = { worker: buildWorker, executor: buildExecutor, "web-app": buildWeb };

let built: Promise<string> | null = null;

/** Puts into a new folder for an instance's state, which lies where temporary folders do, all that it would build. */
export async function copyBuilt(state: string): Promise<void> {
  built ??= build();
  const from = await built;
  for (const name of Object.keys(PARTS).flatMap((part) => [part, `${part}.made-of`])) {
    await cp(path.join(from, name), path.join(state, name), { recursive: true, verbatimSymlinks: true });
  }
}

/** Suites that go beside each other share a folder, which is kept for those that come later. */
async function build(): Promise<string> {
  // As far from the project as the folders that get copies: the worker's source map counts on that.
  const folder = path.join(tmpdir(), `reveille-built-${createHash("sha256").update(ROOT).digest("hex").slice(0, 12)}`);
  const prepared = await prepareStateFolder(folder);
  assert.ok(prepared.ok, prepared.ok ? "" : prepared.message);
  const unlock = await until("the turn to build", BUILD_DEADLINE_MS, async () => {
    const lock = await lockStateFolder(folder);
    return lock.ok && lock.value;
  });
  try {
    const { signal } = new AbortController();
    for (const [name, buildPart] of Object.entries(PARTS)) {
      const made = await buildPart(ROOT, path.join(folder, name), signal);
      assert.ok(made.ok, made.ok ? "" : made.message);
    }
  } finally {
    unlock();
  }
  return folder;
}
