/** What comes before every command on a fresh clone: with a real npm, on a project whose packages are all local. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runCommand } from "#scripts/child-process.ts";

const SCRIPT = path.resolve(import.meta.dirname, "../../scripts/ensure-installed.mjs");
let project: string;

beforeEach(() => {
  project = mkdtempSync(path.join(tmpdir(), "rvl-install-"));
  mkdirSync(path.join(project, "scripts"));
  copyFileSync(SCRIPT, path.join(project, "scripts", "ensure-installed.mjs"));
  addPackage("node", "1.0.0");
  writeManifest(["node"]);
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function addPackage(name: string, version: string): void {
  const folder = path.join(project, "packages", name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "bin.js"), "#!/bin/sh\nexit 0\n");
  chmodSync(path.join(folder, "bin.js"), 0o755);
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, version, bin: { [name]: "bin.js" } }));
}

function writeManifest(names: string[]): void {
  const devDependencies = Object.fromEntries(names.map((name) => [name, `file:packages/${name}`]));
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ name: "project", version: "1.0.0", devDependencies }),
  );
}

function run(env: Record<string, string> = {}) {
  const PATH = process.env["PATH"] ?? "";
  const all = {
    PATH,
    HOME: project,
    npm_config_offline: "true",
    npm_config_cache: path.join(project, "cache"),
    ...env,
  };
  return runCommand(process.execPath, [path.join(project, "scripts", "ensure-installed.mjs")], {
    cwd: project,
    env: all,
    deadlineMs: 25_000,
  });
}

const INSTALLS = { ok: true, stdout: "Installing what is missing; this takes about a minute.\n" };
const DOES_NOTHING = { ok: true, stdout: "" };

test("installs once, and again only when the lock file or package.json asks for something else", async () => {
  expect(await run()).toEqual(INSTALLS);
  expect(existsSync(path.join(project, "node_modules", ".bin", "node"))).toBe(true);
  expect(await run()).toEqual(DOES_NOTHING);

  addPackage("extra", "1.0.0");
  writeManifest(["node", "extra"]);
  expect(await run()).toEqual(INSTALLS);
  expect(readFileSync(path.join(project, "package-lock.json"), "utf8")).toContain("packages/extra");
  expect(await run()).toEqual(DOES_NOTHING);

  rmSync(path.join(project, "node_modules", ".bin", "node"));
  expect(await run()).toEqual(INSTALLS);
  expect(await run()).toEqual(DOES_NOTHING);

  rmSync(path.join(project, "node_modules"), { recursive: true });
  expect(await run({ NODE_ENV: "production" })).toEqual(INSTALLS);
  expect(await run()).toEqual(DOES_NOTHING);
});

test("an installation that fails says why and what to do, in one line", async () => {
  writeFileSync(
    path.join(project, "package.json"),
    JSON.stringify({ name: "project", devDependencies: { "not-there": "file:packages/not-there/x.tgz" } }),
  );
  const { ok, ...rest } = await run();
  expect(ok).toBe(false);
  expect("message" in rest ? rest.message : "").toMatch(
    /\(exit code 1\): Installing failed: .*not-there.* Check the network and free disk space, and try again\.$/,
  );
});

test("without git it says so and installs nothing", async () => {
  const folder = path.join(project, "empty-path");
  mkdirSync(folder);
  const outcome = await run({ PATH: folder });
  expect(outcome).toEqual({
    ok: false,
    message: expect.stringMatching(/exit code 1\): Reveille needs git, .+install it.+$/),
  });
  expect(existsSync(path.join(project, "node_modules"))).toBe(false);
});
