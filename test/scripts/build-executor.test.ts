/** The executor is bundled into one file, which works wherever a state folder lies. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildExecutor } from "#scripts/instance/build-executor.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
/** Builds and starts, on a machine that may have much else to do. */
const DEADLINE_MS = 120_000;

let folder = "";
/** By the one build that both tests look at. */
let program = "";

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "reveille-executor-"));
  program = await build();
}, DEADLINE_MS);
afterAll(() => rm(folder, { recursive: true }));

async function build(): Promise<string> {
  const built = await buildExecutor(ROOT, path.join(folder, "executor"), new AbortController().signal);
  if (!built.ok) throw new Error(built.message);
  return built.value;
}

/** Runs it with an input that ends. */
function run(input: string) {
  return spawnSync(process.execPath, [program], { cwd: folder, env: {}, input, encoding: "utf8" });
}

it(
  "is one file that finds its packages, and names functions in traces",
  async () => {
    expect(await readdir(path.dirname(program))).toEqual([path.basename(program)]);
    // Nobody has work for it.
    expect(run("")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const failed = run("this is no brief\n");
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/at async nextBrief|at nextBrief \(file:.*execute-run\.js:\d+/);
  },
  DEADLINE_MS,
);

it(
  "is made once, and again when the link to its packages leads nowhere",
  async () => {
    const made = await stat(program);
    expect((await stat(await build())).ino).toBe(made.ino);
    const link = path.join(folder, "executor", "node_modules");
    await rm(link);
    await symlink(path.join(folder, "gone"), link);
    expect(await build()).toBe(program);
    expect(run("")).toMatchObject({ status: 0, stderr: "" });
  },
  DEADLINE_MS,
);
