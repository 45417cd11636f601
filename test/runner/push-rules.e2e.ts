/** What may be pushed, by the real git client, through the worker's own proxy, to a real `git http-backend`. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type GitProxyServer, startGitProxy } from "./support/git-proxy-server.ts";
import { commitTo, git, seedUpstream } from "./support/upstream.ts";

let folder: string;
let bare: string;
let proxy: GitProxyServer;
let clone: string;
/** The upstream's refs as the tests find them. */
let start: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reveille-push-"));
  bare = seedUpstream(folder, "app", { "a.txt": "a" });
  git("-C", bare, "config", "receive.advertisePushOptions", "true");
  proxy = await startGitProxy(folder, "app");
  clone = join(folder, "clone");
  commitTo(bare, "refs/heads/claude/there", { "t.txt": "1" });
  commitTo(bare, "refs/tags/there", { "t.txt": "1" });
  start = refs();
  await agent("clone", "--quiet", "--template=", proxy.url, clone);
  git("-C", clone, "tag", "start");
});
afterAll(async () => {
  await proxy.close();
  rmSync(folder, { recursive: true });
});

/** A session of its own begins where the upstream's main is, and finds nothing of the tests before. */
beforeEach(async () => {
  if (refs() !== start) putBack();
  clone = join(folder, "clone");
  proxy.rule = { push: "prefix", push_prefix: "claude/" };
  proxy.newSession();
  proxy.notices.length = 0;
  git("-C", clone, "checkout", "--quiet", "--force", "-B", "work", "start");
});

function putBack(): void {
  for (const line of refs().split("\n")) git("-C", bare, "update-ref", "-d", line.slice(line.indexOf(" ") + 1));
  for (const line of start.split("\n")) {
    const [commit = "", ref = ""] = line.split(" ");
    git("-C", bare, "update-ref", ref, commit);
  }
}

/** Git, as the agent runs it: it speaks to the proxy, which is in this process. */
async function agent(...args: string[]): Promise<{ code: number | null; said: string }> {
  const settings = [
    "-c",
    `http.extraHeader=Authorization: Bearer ${proxy.token}`,
    "-c",
    "user.name=Ada",
    "-c",
    "user.email=a@b.c",
  ];
  const env = {
    PATH: process.env["PATH"] ?? "",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
  };
  const child = spawn("git", [...settings, ...args], { cwd: args[0] === "clone" ? folder : clone, env });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const code = await new Promise<number | null>((ended) => child.once("close", ended));
  return { code, said };
}

/** Commits of one second would be the same commit in several tests, and the upstream keeps what it was once sent. */
let commits = 0;

async function commit(message: string, file = "b.txt"): Promise<void> {
  commits += 1;
  writeFileSync(join(clone, file), `${message} ${commits}`);
  await agent("add", "--all");
  expect((await agent("commit", "--quiet", "--message", message)).code).toBe(0);
}

const refs = () => git("-C", bare, "for-each-ref", "--format=%(objectname) %(refname)");
const tip = (ref: string) => git("-C", bare, "rev-parse", ref);
const head = () => git("-C", clone, "rev-parse", "HEAD");

async function pushes(...args: string[]): Promise<void> {
  const end = await agent("push", "--quiet", "origin", ...args);
  expect(end).toEqual({ code: 0, said: "" });
}

/** The upstream is as it was and has been sent nothing; git says why; the transcript has one notice. */
async function isRefused(args: string[], ...reasons: string[]): Promise<void> {
  const [before, sent] = [refs(), proxy.sent];
  const end = await agent("push", "origin", ...args);
  expect(end.code).not.toBe(0);
  for (const reason of reasons) expect(end.said).toContain(reason);
  expect([refs(), proxy.sent]).toEqual([before, sent]);
  expect(proxy.notices).toHaveLength(1);
  proxy.notices.length = 0;
}

const PREFIX = "only branches whose names begin with claude/ may be pushed";

describe("under the prefix", () => {
  it("a session makes branches, adds to them and rewrites them", async () => {
    await commit("one");
    await pushes("HEAD:refs/heads/claude/own");
    await commit("two");
    await pushes("HEAD:refs/heads/claude/own");
    await agent("commit", "--quiet", "--amend", "--message", "other");
    await pushes("--force", "HEAD:refs/heads/claude/own");
    await agent("reset", "--quiet", "--hard", "start");
    await commit("anew");
    await pushes("--force", "HEAD:refs/heads/claude/own");
    expect(tip("refs/heads/claude/own")).toBe(head());
    expect(proxy.notices).toEqual([]);
  });

  it("it adds to somebody else's branch, rewrites its own part of it, and nothing below", async () => {
    const theirs = commitTo(bare, "refs/heads/claude/theirs", { "t.txt": "1" });
    await agent("fetch", "--quiet", "origin");
    await agent("checkout", "--quiet", "-B", "claude/theirs", "origin/claude/theirs");
    await commit("mine");
    await commit("more");
    await pushes("HEAD");
    await agent("commit", "--quiet", "--amend", "--message", "better");
    await pushes("--force", "HEAD");
    await agent("reset", "--quiet", "--hard", theirs);
    await commit("all anew");
    await pushes("--force", "HEAD");
    await agent("reset", "--quiet", "--hard", `${theirs}^`);
    await commit("without theirs");
    await isRefused(["--force", "HEAD"], "it would rewrite a branch", "[remote rejected]");
    await isRefused(["--force", `${theirs}^:refs/heads/claude/theirs`], "it would rewrite a branch");
  });

  it("what somebody else has put on a session's branch is theirs", async () => {
    await commit("one");
    await pushes("HEAD:refs/heads/claude/shared");
    commitTo(bare, "refs/heads/claude/shared", { "t.txt": "theirs" }, "refs/heads/claude/shared");
    await agent("commit", "--quiet", "--amend", "--message", "other");
    await isRefused(["--force", "HEAD:refs/heads/claude/shared"], "it would rewrite a branch");
    await agent("fetch", "--quiet", "origin");
    await agent("merge", "--quiet", "--no-edit", "--strategy-option=ours", "origin/claude/shared");
    await pushes("HEAD:refs/heads/claude/shared");
  });

  it("a shallow clone adds to a branch, and makes one", async () => {
    commitTo(bare, "refs/heads/claude/long", { "t.txt": "1" });
    commitTo(bare, "refs/heads/claude/long", { "t.txt": "2" }, "refs/heads/claude/long");
    clone = mkdtempSync(join(folder, "shallow-"));
    await agent("clone", "--quiet", "--depth=1", "--branch=claude/long", proxy.url, clone);
    await commit("on top");
    await pushes("HEAD:refs/heads/claude/long", "HEAD:refs/heads/claude/of-shallow");
    expect(tip("refs/heads/claude/long")).toBe(head());
  });

  it.each(["claude/夜間\u3000", "claude/a\u00a0b", "claude/-x", "claude/x\u2028y", "claude/🚀", "claude/@"])(
    "a branch may be called %j, and is recorded under that name",
    async (name) => {
      await commit(`for ${name}`);
      await pushes(`HEAD:refs/heads/${name}`);
      expect(tip(`refs/heads/${name}`)).toBe(head());
      expect(proxy.pushed.at(-1)).toMatchObject({ branch: name, commit: head(), previous: null });
    },
  );

  it("harmless push options go through", async () => {
    await commit("options");
    await pushes("--push-option=ci.skip", "HEAD:refs/heads/claude/options");
    await isRefused(
      ["--push-option=merge_request.auto_merge", "HEAD:refs/heads/claude/options-2"],
      'the push option "merge_request.auto_merge" does more than push',
    );
  });

  it("a large pack goes through, or is refused in words", async () => {
    spawnSync("bash", ["-c", "head -c 8000000 /dev/urandom > noise"], { cwd: clone });
    await commit("large");
    await isRefused(["HEAD:refs/heads/main"], PREFIX);
    await pushes("HEAD:refs/heads/claude/large");
    expect(tip("refs/heads/claude/large")).toBe(head());
  });
});

describe("nothing else leaves", () => {
  it.each<[what: string, args: string[], reasons: string[]]>([
    ["the default branch", ["HEAD:refs/heads/main"], ["main (only branches", PREFIX]],
    ["the default branch, rewritten", ["--force", "HEAD:refs/heads/main"], [PREFIX]],
    ["a new branch of another name", ["HEAD:refs/heads/fix"], [PREFIX]],
    ["another case", ["HEAD:refs/heads/Claude/x"], [PREFIX]],
    ["a slash that looks like one", ["HEAD:refs/heads/claude／x"], [PREFIX]],
    ["a deletion", ["--delete", "claude/there"], ["branches may not be deleted"]],
    ["a deletion of main", [":refs/heads/main"], ["branches may not be deleted"]],
    ["a tag", ["HEAD:refs/tags/v1"], ["tags may not be pushed"]],
    ["a deletion of a tag", [":refs/tags/there"], ["tags may not be pushed"]],
    ["notes", ["HEAD:refs/notes/commits"], ["only branches may be pushed"]],
    ["another kind of ref", ["HEAD:refs/for/main"], ["only branches may be pushed"]],
    [
      "several, one of which may not",
      ["HEAD:refs/heads/claude/good", "HEAD:refs/heads/main"],
      ["not pushed, because another ref of the same push is refused", PREFIX],
    ],
    ["the same, all or nothing", ["--atomic", "HEAD:refs/heads/claude/good", "HEAD:refs/heads/main"], [PREFIX]],
    ["everything that there is", ["--mirror"], [PREFIX]],
  ])("%s", async (_what, args, reasons) => {
    await commit("one");
    await isRefused(args, ...reasons);
  });

  it("a repository that is not attached is not reached", async () => {
    const end = await agent("push", proxy.url.replace(/0$/, "1"), "HEAD:refs/heads/claude/x");
    expect(end.code).not.toBe(0);
    expect(end.said).toContain("the repository is not attached");
  });

  it("nothing at all where the rule is none", async () => {
    proxy.rule = { push: "none", push_prefix: "claude/" };
    await commit("one");
    await isRefused(["HEAD:refs/heads/claude/none"], "nothing may be pushed to this repository (push: none)");
  });
});

describe("where any branch may be pushed", () => {
  it("main is pushed and rewritten as the upstream has it, but no deletion, no tag and no other ref", async () => {
    proxy.rule = { push: "any", push_prefix: "claude/" };
    await commit("one");
    await pushes("HEAD:refs/heads/main");
    await agent("commit", "--quiet", "--amend", "--message", "other");
    await pushes("--force", "HEAD:refs/heads/main");
    expect(tip("refs/heads/main")).toBe(head());
    await isRefused(["HEAD:refs/tags/v1"], "tags may not be pushed");
    await isRefused([":refs/heads/main"], "branches may not be deleted");
    await isRefused(["HEAD:refs/notes/commits"], "only branches may be pushed");
  });
});

describe("commits that a push brings and that the upstream had not", () => {
  /** Pushes it all, each in turn. @returns how many commits were counted for each. */
  async function counts(...pushed: string[][]): Promise<number[]> {
    const found: number[] = [];
    for (const args of pushed) {
      proxy.pushed.length = 0;
      await pushes(...args);
      found.push(proxy.pushed.reduce((sum, { commits = 0 }) => sum + commits, 0));
    }
    return found;
  }

  it("count once, on whichever branches they are", async () => {
    await commit("one");
    await commit("two");
    const both = ["HEAD:refs/heads/claude/a", "HEAD~1:refs/heads/claude/b"];
    expect(await counts(both, ["HEAD:refs/heads/claude/b"], ["HEAD:refs/heads/claude/c"])).toEqual([2, 0, 0]);
    expect(await counts(["start:refs/heads/claude/old"])).toEqual([0]);
    await agent("commit", "--quiet", "--amend", "--message", "other");
    expect(await counts(["--force", "HEAD:refs/heads/claude/a"])).toEqual([1]);
  });

  it("are not a colleague's, also where git sends those again because their branch has moved on", async () => {
    commitTo(bare, "refs/heads/theirs", { "t.txt": "1" });
    commitTo(bare, "refs/heads/theirs", { "t.txt": "2" }, "theirs");
    await agent("fetch", "--quiet", "origin", "theirs");
    await agent("merge", "--quiet", "--no-ff", "--no-edit", "FETCH_HEAD");
    for (const ref of ["theirs", "main"]) commitTo(bare, `refs/heads/${ref}`, { "later.txt": ref }, ref);
    for (const ref of ["refs/heads/claude/there", "refs/tags/there"]) git("-C", bare, "update-ref", "-d", ref);
    await commit("mine");
    expect(await counts(["HEAD:refs/heads/claude/merged"])).toEqual([2]);
  });

  it("are all that there are in the first push to a repository, and where any branch may be pushed", async () => {
    proxy.rule = { push: "any", push_prefix: "claude/" };
    await commit("one");
    expect(await counts(["HEAD:refs/heads/main"])).toEqual([1]);
  });
});
