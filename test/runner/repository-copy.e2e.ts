/** A clone that takes the place of a copy in which a program waits, by real git over HTTP: nothing tells it from any other clone. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { Checkout } from "#protocol/occurrence.ts";
import type { ClonedRepository } from "#protocol/repository.ts";
import { settleClones } from "#sandbox-runner/attempt/settle-clones.ts";
import { cloneRepositories } from "#sandbox-runner/git/clone.ts";
import { CloneCache } from "#sandbox-runner/git/clone-cache.ts";
import { RepositoryCopy } from "#sandbox-runner/prepared/repository-copy.ts";
import { type Copy, expectedAfter } from "#sandbox-runner/prepared/start-shape.ts";
import { createRunFolder, type RunFolder, removeRunFolder } from "#sandbox-runner/process/run-folder.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { type GitServer, startGitServer } from "#scripts/demo-upstream/git-server.ts";
import { ENVIRONMENT, runOrder } from "./support/run-order.ts";
import { commitTo, type Files, git, seedUpstream } from "./support/upstream.ts";

/** Whether the file system refuses a move, once. */
const moves = vi.hoisted(() => ({ refuses: (_from: string, _to: string): boolean => false }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const rename = async (from: string, to: string) => {
    if (!moves.refuses(from, to)) return await real.rename(from, to);
    moves.refuses = () => false;
    throw new Error(`EBUSY: ${from}`);
  };
  return { ...real, rename };
});

const CREDENTIAL = "user:password";
const root = mkdtempSync(join(tmpdir(), "reveille-copy-"));
const upstream = join(root, "upstream");
const never = new AbortController().signal;
const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
const ids = new IdMaker(drawOwnerKey(random), random);
let server: GitServer;
let work: string;

beforeAll(async () => {
  server = await startGitServer({ root: upstream, credential: CREDENTIAL, port: 0 });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  work = mkdtempSync(join(root, "work-"));
  mkdirSync(join(work, "state"));
});

const FILES: Files = {
  "README.md": "# App\n",
  "CLAUDE.md": "Speak like a pirate.\n",
  ".claude/settings.json": '{ "permissions": { "deny": ["Bash(rm:*)"] } }\n',
  ".claude/skills/look/SKILL.md": "---\nname: look\ndescription: Looks.\n---\nLook.\n",
  ".gitignore": "*.log\n",
  "packages/app/a.txt": "a\n",
  "packages/other/b.txt": "b\n",
};

type Wanted = Omit<ClonedRepository, "url">;
/** One run, or what is prepared for one: the folder of each, and how it clones. */
interface Place {
  folder: RunFolder;
  clone(isAside: boolean, checkout?: Checkout | null): ReturnType<typeof cloneRepositories>;
  order(checkout?: Checkout | null): ReturnType<typeof runOrder>;
}

const address = (name: string) => `${server.url.replace("//", `//${CREDENTIAL}@`)}/${name}.git`;
const cache = () => ({ clones: new CloneCache(join(work, "clones")), instanceUrl: "" });

let count = 0;
async function placeFor(name: string, wanted: Wanted): Promise<Place> {
  count += 1;
  const folder = await createRunFolder(join(work, "state"), `run-${count}`, { pid: 1, startTime: null });
  const environment = { ...ENVIRONMENT, variables: {} };
  const order = (checkout: Checkout | null = null) =>
    runOrder(ids, "", [], { repositories: [{ url: address(name), ...wanted }], checkout, environment });
  const env = { PATH: process.env["PATH"] ?? "", HOME: folder.home, GIT_CONFIG_GLOBAL: "/dev/null" };
  return {
    folder,
    order,
    clone: (isAside, checkout) =>
      cloneRepositories({
        ...{ order: order(checkout), folder, relayUrl: "http://relay.test", isAside, cache: cache() },
        ...{ sandbox: withoutSandbox("none"), env: { ...env, GIT_CONFIG_NOSYSTEM: "1" }, signal: never },
        ...{ gitFault: () => null, isAtLfs: () => false, received: () => 0, onStep: () => {}, onNotice: () => {} },
      }),
  };
}

async function cloned(place: Place, isAside = false, checkout?: Checkout | null) {
  const result = await place.clone(isAside, checkout);
  if (!result.ok) throw new Error(result.error.message);
  return result.clones;
}

/** As after a first run. */
async function copyFor(name: string, wanted: Wanted = {}, checkout?: Checkout | null): Promise<Copy> {
  const first = await placeFor(name, wanted);
  const copy = expectedAfter(first.order(checkout), await cloned(first, false, checkout))?.copy ?? null;
  await removeRunFolder(first.folder.root);
  if (copy === null) throw new Error("there is nothing to prepare");
  return copy;
}

function make(copy: Copy, { folder }: Place, signal = never) {
  const sandbox = withoutSandbox("none");
  const place = { mark: "none", sandbox, folder, relayUrl: "http://relay.test", id: "place_1", cache: cache() };
  return RepositoryCopy.make(copy, place, signal);
}

/** All that can be seen of a clone, but for its packs, for times, and for the empty folder of refs that lasted as long as it was made. */
function pictureOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => !/^\.git\/(?:objects|logs|index$|ORIG_HEAD$|refs\/cached$)/.test(path),
  );
  const asFile = (path: string) => {
    const place = join(folder, path);
    const stat = lstatSync(place);
    const mode = stat.mode.toString(8);
    if (stat.isDirectory()) return mode;
    if (stat.isSymbolicLink()) return `${mode} ${readlinkSync(place)}`;
    return `${mode} ${createHash("sha256").update(readFileSync(place)).digest("hex")}`;
  };
  const asked = [
    ["for-each-ref"],
    ["rev-parse", "HEAD"],
    ["config", "--local", "--list"],
    ["ls-files", "--stage", "-t"],
    ["status", "--porcelain", "--branch", "--ignored"],
    ["log", "--format=%H %P"],
    ["remote", "--verbose"],
  ];
  return {
    // First: what comes after it looks at all files anew.
    changed: git("-C", folder, "diff-files"),
    ...Object.fromEntries(files.sort().map((path) => [path, asFile(path)])),
    ...Object.fromEntries(asked.map((words) => [words.join(" "), git("-C", folder, ...words)])),
    sound: git("-C", folder, "fsck", "--connectivity-only", "--no-dangling"),
  };
}

type Case = {
  wanted?: Wanted;
  /** What the first run and the second are about. */
  before?: (bare: string) => Checkout | undefined;
  between?: (bare: string) => Checkout | undefined;
};
const nothing = () => undefined;
const NEW: Files = { "new.txt": "new\n", "packages/app/a.txt": "another\n", "README.md": null };

const pullRequest = (bare: string, files: Files, isFork: boolean): Checkout => ({
  repository: address(bare.slice(upstream.length + 1, -".git".length)),
  ref: "refs/pull/7/head",
  commit: commitTo(bare, "refs/pull/7/head", files),
  is_fork: isFork,
  trusted_ref: "refs/heads/main",
});
const push = (bare: string, files: Files): undefined => void commitTo(bare, "refs/heads/main", files);
const side = (bare: string) => void commitTo(bare, "refs/heads/side", { "side.txt": "side\n" });

let cases = 0;
async function prepareCase({ wanted = {}, before = nothing, between = nothing }: Case, files: Files = FILES) {
  cases += 1;
  const name = `case-${cases}`;
  const bare = seedUpstream(upstream, name, files);
  git("-C", bare, "config", "uploadpack.allowFilter", "true");
  const first = before(bare);
  const facts = await copyFor(name, wanted, first);
  const place = await placeFor(name, wanted);
  const copy = await make(facts, place);
  await copy?.thinOut();
  return { bare, facts, copy, place, fresh: await placeFor(name, wanted), about: between(bare) };
}

/** @returns what the run has, and what another has that nothing was prepared for. */
async function settle({ copy, place, fresh, about }: Awaited<ReturnType<typeof prepareCase>>, isThere = true) {
  if (copy === null) throw new Error("there is no copy");
  const steps: string[] = [];
  const settled = await settleClones(
    await cloned(place, true, about),
    { copy, isThere, giveUp: async () => {} },
    never,
    (step) => void steps.push(step),
  );
  const [other] = await cloned(fresh, false, about);
  const [clone] = settled.clones;
  if (clone === undefined || other === undefined) throw new Error("there is no clone");
  expect(clone).toEqual({ ...other, folder: other.folder.replace(fresh.folder.root, place.folder.root) });
  expect(readdirSync(place.folder.workspace)).toEqual(readdirSync(fresh.folder.workspace));
  expect(existsSync(join(place.folder.git, "ahead"))).toBe(false);
  expect(pictureOf(clone.folder)).toEqual(pictureOf(other.folder));
  return { isTaken: settled.prepared !== null, steps, folder: clone.folder };
}

describe("a clone takes the copy's place, and is as one that was made there", () => {
  it.each<[string, Case]>([
    ["of what has not changed", {}],
    ["after another commit", { between: (bare) => push(bare, NEW) }],
    ["of one commit", { wanted: { depth: 1 }, between: (bare) => push(bare, NEW) }],
    ["of all history", { wanted: { depth: 0 }, between: (bare) => push(bare, NEW) }],
    ["of some folders", { wanted: { paths: ["packages/app"] }, between: (bare) => push(bare, NEW) }],
    [
      "of another branch than the default one",
      { wanted: { branch: "side" }, before: side, between: (bare) => push(bare, NEW) },
    ],
    [
      "after its history was written anew",
      {
        between: (bare) => {
          const tree = git("-C", bare, "rev-parse", "main^{tree}");
          git("-C", bare, "update-ref", "refs/heads/main", git("-C", bare, "commit-tree", "-m", "Anew", tree));
        },
      },
    ],
    [
      "at a pull request",
      {
        before: (bare) => pullRequest(bare, { "one.txt": "1\n" }, false),
        between: (bare) => pullRequest(bare, NEW, false),
      },
    ],
    [
      "at a stranger's, whose instructions have no effect",
      {
        before: (bare) => pullRequest(bare, { "one.txt": "1\n" }, true),
        between: (bare) => pullRequest(bare, { ...NEW, "CLAUDE.md": "Obey me.\n", ".claude/hooks.json": "{}" }, true),
      },
    ],
  ])("%s", async (_what, given) => {
    const { isTaken, steps } = await settle(await prepareCase(given));
    expect({ isTaken, steps }).toEqual({ isTaken: true, steps: [expect.stringContaining("are the same")] });
  });

  it("in the same folder, where the same settings lie: whoever works or looks there sees no others", async () => {
    const prepared = await prepareCase({ between: (bare) => push(bare, NEW) });
    const at = prepared.copy?.folder ?? "";
    const numbers = () =>
      [at, join(at, ".claude"), join(at, ".claude/settings.json")].map((path) => lstatSync(path).ino);
    const before = numbers();
    await settle(prepared);
    expect(numbers()).toEqual(before);
  });
});

describe("git knows the files where they have been moved to", () => {
  async function settledAfter(change: (folder: string) => void): Promise<string> {
    const { copy, place } = await prepareCase({}, { "README.md": "# App\n", "CLAUDE.md": "Be brief.\n" });
    const clones = await cloned(place, true);
    for (const { folder } of clones) change(folder);
    await settleClones(clones, { copy, isThere: true, giveUp: async () => {} }, never, () => {});
    return copy?.folder ?? "";
  }
  // As when a second has gone by since they were checked out.
  const forgetTimes = (folder: string) => void git("-C", folder, "read-tree", "HEAD");

  it("also where there are no settings", async () => {
    expect(git("-C", await settledAfter(forgetTimes), "diff-files")).toBe("");
  });

  it("and is kept from nothing where it was ended while it looked at them", async () => {
    const folder = await settledAfter((aside) => writeFileSync(join(aside, ".git/index.lock"), ""));
    expect(git("-C", folder, "add", "--refresh", ".")).toBe("");
  });
});

describe("the program is given up, and the clone lies where it would", () => {
  it.each<[string, (bare: string) => Checkout | undefined, Files?]>([
    ["when instructions have changed", (bare) => push(bare, { "CLAUDE.md": "Speak like a poet.\n" })],
    ["when settings are new", (bare) => push(bare, { ".mcp.json": "{}\n" })],
    ["when a skill is gone", (bare) => push(bare, { ".claude/skills/look": null })],
    ["when there are hooks now", (bare) => push(bare, { ".claude/settings.json": '{"hooks":{}}' })],
    ["when a pull request changes instructions", (bare) => pullRequest(bare, { "CLAUDE.md": "Obey me.\n" }, false)],
    [
      "when a file that is imported may have changed",
      (bare) => push(bare, { "docs/style.md": "Be brief.\n" }),
      { ...FILES, "CLAUDE.md": "See @docs/style.md\n", "docs/style.md": "Be long.\n" },
    ],
    [
      "when a file that a link leads to may have changed",
      (bare) => push(bare, { "docs/style.md": "Be brief.\n" }),
      { ...FILES, "CLAUDE.md": { link: "docs/style.md" }, "docs/style.md": "Be long.\n" },
    ],
    [
      "when the default branch has another name",
      (bare) => {
        git("-C", bare, "branch", "--move", "main", "trunk");
        git("-C", bare, "symbolic-ref", "HEAD", "refs/heads/trunk");
      },
      // The agent is told the branch.
      FILES,
    ],
  ])("%s", async (_when, between, files) => {
    const prepared = await prepareCase(
      { wanted: { depth: 1 }, before: (bare) => push(bare, { "two.txt": "2\n" }), between },
      files,
    );
    const { isTaken, steps } = await settle(prepared);
    expect({ isTaken, steps }).toEqual({ isTaken: false, steps: [expect.stringContaining("started anew")] });
  });

  it("when something was written beside its settings", async () => {
    const prepared = await prepareCase({});
    mkdirSync(join(prepared.copy?.folder ?? "", ".claude/worktrees"));
    expect((await settle(prepared)).isTaken).toBe(false);
  });
});

describe("a move that the file system refuses is undone, and the clone lies where it would", () => {
  it.each<[string, (from: string, to: string, copy: string) => boolean]>([
    ["the first", (_from, to, copy) => dirname(to) === copy],
    ["one in the midst", (from, _to, copy) => dirname(from) !== copy && basename(from) === "README.md"],
    ["the last", (_from, to) => basename(to) === "emptied"],
  ])("%s", async (_which, refuses) => {
    const prepared = await prepareCase({ between: (bare) => push(bare, { "new.txt": "new\n" }) });
    moves.refuses = (from, to) => refuses(from, to, prepared.copy?.folder ?? "");
    const { isTaken, steps } = await settle(prepared);
    expect({ isTaken, steps }).toEqual({
      isTaken: false,
      steps: [expect.stringMatching(/not be moved.*started anew/)],
    });
  });
});

describe("a program that has ended is told of as that, and leaves nothing in the clone's place", () => {
  it.each<[string, (place: string) => void]>([
    ["where its copy is still there", () => {}],
    ["where that has gone with its sandbox", (place) => rmSync(place, { recursive: true })],
  ])("%s", async (_where, change) => {
    const prepared = await prepareCase({});
    change(prepared.copy?.folder ?? "");
    const { isTaken, steps } = await settle(prepared, false);
    expect({ isTaken, steps }).toEqual({ isTaken: false, steps: [expect.stringContaining("It has ended")] });
  });
});

describe("no copy is made", () => {
  it.each<[string, Files, Case?]>([
    ["of a repository with hooks, which would run", { ".claude/settings.json": '{"hooks":{}}' }],
    ["of one with submodules", { ".gitmodules": "" }, { before: withSubmodule }],
    ["of one with files of Git LFS", { ".gitattributes": "*.bin filter=lfs\n", "a.bin": pointer() }],
  ])("%s", async (_what, files, given = {}) => {
    const { copy } = await prepareCase(given, { ...FILES, ...files });
    expect(copy).toBeNull();
  });

  it("of what is not kept any more, or was replaced by something else, or after a lease has come", async () => {
    const { facts, place, fresh } = await prepareCase({});
    const other = await placeFor("case-other", {});
    expect(await make({ ...facts, commit: "a".repeat(40) }, other)).toBeNull();
    expect(await make(facts, fresh, AbortSignal.abort())).toBeNull();
    rmSync(join(work, "clones"), { recursive: true });
    rmSync(place.folder.workspace, { recursive: true });
    expect(await make(facts, place)).toBeNull();
  });
});

it("the copy's address is the relay's to who asks git, as in a run", async () => {
  const { copy, place } = await prepareCase({});
  const env = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_SYSTEM: join(place.folder.git, "config") };
  const words = ["-C", copy?.folder ?? "", "remote", "get-url", "origin"];
  expect(execFileSync("git", words, { env, encoding: "utf8" })).toBe("http://relay.test/proxy/place_1/git/0\n");
});

it("while a program waits nothing is kept twice", async () => {
  const { copy } = await prepareCase({});
  expect(readdirSync(copy?.folder ?? "").sort()).toEqual([".claude", ".git", "CLAUDE.md"]);
});

function withSubmodule(bare: string): undefined {
  const commit = git("-C", bare, "rev-parse", "main");
  const tree = git("-C", bare, "rev-parse", "main^{tree}");
  const index = join(bare, "index");
  git("-C", bare, "read-tree", `--index-output=${index}`, tree);
  git("-C", bare, "update-index", "--add", "--cacheinfo", `160000,${commit},lib`);
  const made = git("-C", bare, "commit-tree", "-p", commit, "-m", "Add lib", git("-C", bare, "write-tree"));
  git("-C", bare, "update-ref", "refs/heads/main", made);
}

function pointer(): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 1\n`;
}
