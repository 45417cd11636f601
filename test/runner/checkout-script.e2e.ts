/** The script that checks a commit out, run by real git against a repository on disk, and the rules for its words. */
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkoutCommand, localBranch, wholeRef } from "#sandbox-runner/git/checkout-plan.ts";
import { planClones, readSeen } from "#sandbox-runner/git/clone-plan.ts";
import { awaitProcess, type CommandEnd, startProcess } from "#sandbox-runner/process/spawn.ts";
import { commitTo, type Files, git, seedUpstream } from "./support/upstream.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reveille-checkout-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clone = () => join(folder, "app");
const content = (path: string) => (existsSync(join(clone(), path)) ? readFileSync(join(clone(), path), "utf8") : null);

/** Clones `main` as the runner does, and runs the script in the clone. */
function checkOut(bare: string, ref: string, commit: string, isFork: boolean): Promise<CommandEnd> {
  git("clone", "--quiet", "--template=", "--depth=50", `file://${bare}`, clone());
  git("-C", clone(), "remote", "set-branches", "origin", "*");
  const checkout = { repository: "https://h/app", ref, commit, is_fork: isFork, trusted_ref: "main" };
  const env = {
    PATH: process.env["PATH"] ?? "",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    TMPDIR: folder,
  };
  return awaitProcess(startProcess(checkoutCommand("app", ref, checkout, 50), { cwd: folder, env }), {
    deadlineMs: 20_000,
    outputCapBytes: 10_000,
    signal: new AbortController().signal,
  });
}

/** Checks out a fork's commit on top of a base. @returns the upstream. */
async function checkOutFork(base: Files, fork: Files): Promise<string> {
  const bare = seedUpstream(folder, "up", base);
  const commit = commitTo(bare, "refs/pull/7/head", fork);
  expect(await checkOut(bare, "refs/pull/7/head", commit, true)).toMatchObject({ code: 0, stderr: "" });
  expect(git("-C", clone(), "rev-parse", "HEAD")).toBe(commit);
  expect(git("-C", clone(), "status", "--porcelain")).toBe("");
  return bare;
}

describe("a fork's commit", () => {
  it("has its code, the base's settings, and nothing to commit", async () => {
    await checkOutFork(
      {
        "a.txt": "base",
        "CLAUDE.md": "base",
        ".claude/settings.json": "base",
        ".claude/old.md": "base",
        "x/CLAUDE.md": "base",
      },
      {
        "a.txt": "fork",
        "CLAUDE.md": "fork",
        ".claude/settings.json": "fork",
        ".claude/old.md": null,
        "x/AGENTS.md": "fork",
      },
    );
    expect(content("a.txt")).toBe("fork");
    expect(["CLAUDE.md", ".claude/settings.json", ".claude/old.md", "x/CLAUDE.md"].map(content)).toEqual(
      Array(4).fill("base"),
    );
    expect(content("x/AGENTS.md")).toBeNull();
    expect(git("-C", clone(), "show", "HEAD:CLAUDE.md")).toBe("fork");
    git("-C", clone(), "add", "--all");
    git("-C", clone(), "reset", "--quiet", "--hard");
    expect(content("CLAUDE.md")).toBe("base");
    expect(git("-C", clone(), "status", "--porcelain")).toBe("");
  });

  it.each<[string, Files]>([
    ["a link", { ".claude": { link: "evil" }, "evil/settings.json": "fork" }],
    ["a link out of the tree", { ".claude": { link: "/tmp" } }],
    ["a link within", { ".claude/settings.json": { link: "../evil.json" }, "evil.json": "fork" }],
    ["a file", { ".claude": "fork" }],
    ["a folder where a file was", { ".claude/settings.json": null, ".claude/settings.json/deep/x.json": "fork" }],
    ["gone", { ".claude": null }],
  ])("has the base's folder of settings where it made it %s", async (_way, fork) => {
    await checkOutFork({ ".claude/settings.json": "base", "other.txt": "x" }, { "other.txt": "y", ...fork });
    expect(content(".claude/settings.json")).toBe("base");
    expect(lstatSync(join(clone(), ".claude")).isDirectory()).toBe(true);
    expect(lstatSync(join(clone(), ".claude/settings.json")).isFile()).toBe(true);
  });

  it.each<[string, Files]>([
    ["a link to a folder", { docs: { link: "src" } }],
    ["a link out of the tree", { docs: { link: "../outside" } }],
    ["a link to git's own folder", { docs: { link: ".git" } }],
    ["a file", { docs: "fork" }],
  ])("gets nothing written through a folder that it made %s", async (_way, fork) => {
    await checkOutFork({ "docs/CLAUDE.md": "base", "docs/.claude/x.md": "base", "src/a.txt": "a" }, fork);
    expect(["src/CLAUDE.md", "src/.claude", ".git/CLAUDE.md", "../outside", "CLAUDE.md"].map(content)).toEqual(
      Array(5).fill(null),
    );
  });

  it("has what the base's links led to in the base", async () => {
    await checkOutFork(
      {
        "CLAUDE.md": { link: "docs/words.md" },
        "docs/words.md": "base",
        ".claude": { link: "config" },
        "config/settings.json": "base",
        "config/skills": { link: "../skills" },
        "skills/one/SKILL.md": "base",
        "AGENTS.md": { link: "nowhere.md" },
      },
      { "docs/words.md": "fork", "config/settings.json": "fork", "skills/one/SKILL.md": "fork", "nowhere.md": "fork" },
    );
    const paths = ["CLAUDE.md", ".claude/settings.json", ".claude/skills/one/SKILL.md", "AGENTS.md"];
    expect(paths.map(content)).toEqual(["base", "base", "base", null]);
    expect(content("config/settings.json")).toBe("fork");
  });

  it("has the base's settings under odd names, too", async () => {
    const odd = "-rf x\n*'\"";
    await checkOutFork(
      { [`.claude/${odd}`]: "base", [`${odd}/CLAUDE.md`]: "base", "a.txt": "a" },
      { [`.claude/${odd}`]: "fork", [`${odd}/.claude/settings.json`]: "fork", [`${odd}/a.txt`]: "fork" },
    );
    expect([`.claude/${odd}`, `${odd}/CLAUDE.md`, `${odd}/a.txt`].map(content)).toEqual(["base", "base", "fork"]);
    expect(content(`${odd}/.claude/settings.json`)).toBeNull();
  });

  it("brings no settings where the base has none, and none as a submodule", async () => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const tree = join(folder, "work");
    git("clone", "--quiet", bare, tree);
    git("-C", tree, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},.claude`);
    git("-C", tree, "commit", "--quiet", "--message", "Submodule");
    git("-C", tree, "push", "--quiet", "origin", "HEAD:refs/pull/7/head");
    const commit = git("-C", tree, "rev-parse", "HEAD");
    expect(await checkOut(bare, "refs/pull/7/head", commit, true)).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(clone(), ".claude"))).toBe(false);
    expect(git("-C", clone(), "status", "--porcelain")).toBe("");
  });

  it("leaves nothing of the base aside when it is done", async () => {
    await checkOutFork({ "CLAUDE.md": "base" }, { "CLAUDE.md": "fork" });
    expect(readdirSync(folder).sort()).toEqual(["app", "up.git"]);
    expect(git("-C", clone(), "ls-files", "--others")).toBe("");
  });
});

describe("a commit of the repository's own", () => {
  it("is on the branch that was pushed to, which follows the upstream's", async () => {
    const bare = seedUpstream(folder, "up", { "CLAUDE.md": "base" });
    const commit = commitTo(bare, "refs/heads/feature/one", { "CLAUDE.md": "new" });
    const end = await checkOut(bare, "refs/heads/feature/one", commit, false);
    expect(readSeen(end.stdout).head).toEqual({ commit, branch: "feature/one" });
    expect(git("-C", clone(), "rev-parse", "--abbrev-ref", "@{upstream}")).toBe("origin/feature/one");
    expect(content("CLAUDE.md")).toBe("new");
  });

  it("is on the cloned branch itself", async () => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const commit = git("-C", bare, "rev-parse", "main");
    const end = await checkOut(bare, "refs/heads/main", commit, false);
    expect(readSeen(end.stdout).head).toEqual({ commit, branch: "main" });
  });

  it("is on no branch when the branch has moved on", async () => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const commit = commitTo(bare, "refs/heads/feature", { "a.txt": "1" });
    commitTo(bare, "refs/heads/feature", { "a.txt": "2" }, "feature");
    const end = await checkOut(bare, "refs/heads/feature", commit, false);
    expect(readSeen(end.stdout).head).toEqual({ commit, branch: null });
    expect(content("a.txt")).toBe("1");
  });

  it("is fetched by itself when its branch was rewritten or deleted", async () => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const commit = commitTo(bare, "refs/heads/feature", { "a.txt": "1" });
    git("-C", bare, "branch", "--quiet", "--delete", "--force", "feature");
    expect(await checkOut(bare, "refs/heads/feature", commit, false)).toMatchObject({
      code: 0,
      stdout: `commit ${commit}\nbranch \n`,
    });
  });

  it.each(["claude/夜間\u3000", "a\u00a0b", "x\u2028y", "@", "it's-$(x)&a;b|c%20#1"])(
    "is on a branch of the name %j",
    async (name) => {
      const bare = seedUpstream(folder, "up", { "a.txt": "a" });
      const commit = commitTo(bare, `refs/heads/${name}`, { "a.txt": "b" });
      const end = await checkOut(bare, `refs/heads/${name}`, commit, false);
      expect(readSeen(end.stdout).head).toEqual({ commit, branch: name });
      expect(git("-C", clone(), "for-each-ref", "--format=%(upstream)", `refs/heads/${name}`)).toBe(
        `refs/remotes/origin/${name}`,
      );
    },
  );

  it.each(["-x", "HEAD"])("is on no branch where git's commands take none of the name %j", async (name) => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const commit = commitTo(bare, `refs/heads/${name}`, { "a.txt": "b" });
    const end = await checkOut(bare, `refs/heads/${name}`, commit, false);
    expect(readSeen(end.stdout).head).toEqual({ commit, branch: null });
  });

  it("that is gone is an error in the words of git", async () => {
    const bare = seedUpstream(folder, "up", { "a.txt": "a" });
    const end = await checkOut(bare, "refs/pull/7/head", "1".repeat(40), false);
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain("couldn't find remote ref refs/pull/7/head");
    expect(end.stderr).toContain(`not our ref ${"1".repeat(40)}`);
  });
});

describe("a ref", () => {
  it.each([
    ["refs/heads/main", { name: "main", isUpstream: true }],
    ["refs/heads/a/b", { name: "a/b", isUpstream: true }],
    ["refs/pull/7/head", { name: "pr-7", isUpstream: false }],
    ["refs/merge-requests/12/head", { name: "mr-12", isUpstream: false }],
    ["refs/pull/7/merge", null],
    ["refs/tags/v1", null],
  ])("%s has the local branch %j", (ref, branch) => {
    expect(localBranch(ref)).toEqual(branch);
  });

  it.each([
    ["main", "refs/heads/main"],
    ["refs/pull/7/head", "refs/pull/7/head"],
    ["--upload-pack=x", "refs/heads/--upload-pack=x"],
    ["a:b", null],
    ["refs/heads/*", null],
    ["refs/heads/a b", null],
    ["refs/heads/a\nb", null],
    ["refs/heads/../x", null],
    ["refs/", null],
    ["", null],
  ])("%j is %j as a whole", (ref, whole) => {
    expect(wholeRef(ref)).toBe(whole);
  });
});

describe("the clone that a checkout is for", () => {
  const checkout = { ref: "refs/pull/7/head", commit: "1".repeat(40), is_fork: true };
  const repositories = [
    { url: "https://h/docs" },
    { url: "https://h/app.git", branch: "next" },
    { url: "https://h/app" },
  ];

  it.each([
    ["https://h/app", "main", ["docs:-", "app:main", "app-2:-"]],
    ["https://H/app/", null, ["docs:-", "app:next", "app-2:-"]],
    ["https://h/docs.git", "refs/heads/main", ["docs:main", "app:-", "app-2:-"]],
    ["https://h/other", "main", ["docs:-", "app:-", "app-2:-"]],
  ])("of %s into %s", (repository, trusted, plans) => {
    const planned = planClones(repositories, { ...checkout, repository, trusted_ref: trusted });
    expect(planned.map((plan) => `${plan.name}:${plan.checkout === null ? "-" : plan.repository.branch}`)).toEqual(
      plans,
    );
  });
});
