/** What comes before every command on a fresh clone: with a real npm, on a project whose packages are all local. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
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

/** Packed, as a registry has it: of a folder npm would make a link, and keep another list. */
function addPackage(name: string, version: string): void {
  const folder = path.join(project, "packages", name, "package");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "bin.js"), "#!/bin/sh\nexit 0\n");
  chmodSync(path.join(folder, "bin.js"), 0o755);
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name, version, bin: { [name]: "bin.js" } }));
  execFileSync("tar", ["-czf", path.join(project, "packages", `${name}.tgz`), "-C", path.dirname(folder), "package"]);
}

/** @param names what the project runs with. @param forTests what only its tests use. */
function writeManifest(names: string[], forTests: string[] = []): void {
  const from = (list: string[]) => Object.fromEntries(list.map((name) => [name, `file:packages/${name}.tgz`]));
  const lists = { dependencies: from(names), devDependencies: from(forTests) };
  writeFileSync(path.join(project, "package.json"), JSON.stringify({ name: "project", version: "1.0.0", ...lists }));
}

/** What is in node_modules, but for npm's own. */
function installed(): string[] {
  return readdirSync(path.join(project, "node_modules"))
    .filter((name) => !name.startsWith("."))
    .sort();
}

/** As `npm start` does. */
function runForStart(env: Record<string, string> = {}) {
  return run(env, ["to-run"]);
}

/** As `npm test` does. */
function run(env: Record<string, string> = {}, words: string[] = []) {
  const PATH = process.env["PATH"] ?? "";
  const all = {
    PATH,
    HOME: project,
    npm_config_offline: "true",
    npm_config_cache: path.join(project, "cache"),
    ...env,
  };
  return runCommand(process.execPath, [path.join(project, "scripts", "ensure-installed.mjs"), ...words], {
    cwd: project,
    env: all,
    deadlineMs: 25_000,
  });
}

const INSTALLS = {
  ok: true,
  stdout: "Installing what is missing (with what tests and checks use, 1.3 GB); this takes about a minute.\n",
};
const INSTALLS_TO_RUN = { ok: true, stdout: "Installing what is missing (1.1 GB); this takes about a minute.\n" };
const DOES_NOTHING = { ok: true, stdout: "" };

test("installs once, and again only when the lock file or package.json asks for something else", async () => {
  expect(await run()).toEqual(INSTALLS);
  expect(existsSync(path.join(project, "node_modules", ".bin", "node"))).toBe(true);
  expect(await run()).toEqual(DOES_NOTHING);

  addPackage("extra", "1.0.0");
  writeManifest(["node", "extra"]);
  expect(await run()).toEqual(INSTALLS);
  expect(readFileSync(path.join(project, "package-lock.json"), "utf8")).toContain("packages/extra.tgz");
  expect(await run()).toEqual(DOES_NOTHING);

  rmSync(path.join(project, "node_modules", ".bin", "node"));
  expect(await run()).toEqual(INSTALLS);
  expect(await run()).toEqual(DOES_NOTHING);

  rmSync(path.join(project, "node_modules"), { recursive: true });
  expect(await run({ NODE_ENV: "production" })).toEqual(INSTALLS);
  expect(await run()).toEqual(DOES_NOTHING);
});

test("a start installs what runs, a test the rest beside it, and neither takes anything away", async () => {
  addPackage("extra", "1.0.0");
  writeManifest(["node"], ["extra"]);
  expect(await runForStart()).toEqual(INSTALLS_TO_RUN);
  expect(installed()).toEqual(["node"]);
  const lock = readFileSync(path.join(project, "package-lock.json"), "utf8");
  expect(await runForStart()).toEqual(DOES_NOTHING);

  // An instance may be running on it meanwhile.
  const running = statSync(path.join(project, "node_modules", ".bin", "node")).ino;
  expect(await run()).toEqual(INSTALLS);
  expect(installed()).toEqual(["extra", "node"]);
  expect(statSync(path.join(project, "node_modules", ".bin", "node")).ino).toBe(running);
  expect(await run()).toEqual(DOES_NOTHING);
  expect(await runForStart()).toEqual(DOES_NOTHING);
  expect(installed()).toEqual(["extra", "node"]);

  // What a start has to install anew keeps what tests had.
  rmSync(path.join(project, "node_modules", ".bin", "node"));
  expect(await runForStart()).toEqual(INSTALLS_TO_RUN);
  expect(installed()).toEqual(["extra", "node"]);
  expect(readFileSync(path.join(project, "package-lock.json"), "utf8")).toBe(lock);
});

test("a start on a fresh clone installs what runs by its lock file, whatever npm is set to leave out", async () => {
  addPackage("extra", "1.0.0");
  writeManifest(["node"], ["extra"]);
  await runForStart();
  for (const env of [{ NODE_ENV: "production" }, { npm_config_omit: "optional" }, { npm_config_include: "dev" }]) {
    rmSync(path.join(project, "node_modules"), { recursive: true });
    expect(await runForStart(env)).toEqual(INSTALLS_TO_RUN);
    expect(await run(env)).toEqual(INSTALLS);
    expect(installed()).toEqual(["extra", "node"]);
  }
});

test("an installation that was cut off is done again, by a start and by a test", async () => {
  addPackage("extra", "1.0.0");
  writeManifest(["node"], ["extra"]);
  await run();
  for (const [again, message] of [
    [runForStart, INSTALLS_TO_RUN],
    [run, INSTALLS],
  ] as const) {
    // npm writes its own list last.
    rmSync(path.join(project, "node_modules", ".package-lock.json"));
    rmSync(path.join(project, "node_modules", "node"), { recursive: true });
    expect(await again()).toEqual(message);
    expect(await again()).toEqual(DOES_NOTHING);
  }
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
