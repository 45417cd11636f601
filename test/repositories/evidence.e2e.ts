/** Which files a run changed, by what it and its colleagues do to a repository: real git, without an agent. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countChangedFiles, readCount } from "#sandbox-runner/attempt/evidence.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";
import { leftTree } from "#sandbox-runner/session/left-tree.ts";
import { commitTo, type Files, seedUpstream } from "../runner/support/upstream.ts";

const folder = mkdtempSync(join(tmpdir(), "reveille-evidence-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ENVIRONMENT = {
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "A",
  GIT_COMMITTER_EMAIL: "a@example.com",
  GIT_CONFIG_PARAMETERS: "'fetch.unpackLimit'='1' 'gc.auto'='0'",
};

const BEGIN: Files = { "a.txt": "a\n", "b.txt": "b\n", "sub/c.txt": "c\n", ".gitignore": "out/\n", "old.txt": "old\n" };
let upstream: string;
beforeAll(() => {
  upstream = seedUpstream(folder, "app", BEGIN);
  let onto = "main";
  for (const number of [1, 2, 3, 4, 5]) {
    const shared: Files = number === 1 ? { "shared.txt": "theirs\n" } : {};
    commitTo(upstream, "refs/heads/theirs", { [`theirs-${number}.txt`]: "1\n", ...shared }, onto);
    onto = "theirs";
  }
  commitTo(upstream, "refs/pull/7/head", { "pull.txt": "1\n" });
});

/** A clone, in which `colleague` lets main move on before the commands run. @returns what the runner counts. */
async function count(commands: string, more: { colleague?: Files; from?: string; begin?: string; left?: string } = {}) {
  const work = mkdtempSync(join(folder, "work-"));
  const bare = join(work, "upstream.git");
  execFileSync("cp", ["-a", more.from ?? upstream, bare]);
  const place = join(work, "clone");
  const shell = (script: string, cwd: string) =>
    execFileSync("/bin/bash", ["-euc", script], { cwd, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  shell(`git clone -q --template= --depth=50 --no-single-branch 'file://${bare}' clone`, work);
  if (more.begin !== undefined) shell(more.begin, place);
  const begun = execFileSync("git", ["-C", place, "rev-parse", "-q", "--verify", "HEAD"], { env: ENVIRONMENT });
  if (more.left !== undefined) shell(more.left, place);
  const { signal } = new AbortController();
  const sandbox = withoutSandbox("none");
  const session = {
    sandbox,
    folder: { workspace: work, home: work, temporary: work },
    clones: [],
    foreign: [],
    env: ENVIRONMENT,
  };
  const left = more.left === undefined ? null : await leftTree(session, { folder: place }, signal);
  if (more.colleague !== undefined) commitTo(bare, "refs/heads/main", more.colleague);
  shell(commands, place);
  const clones = [{ folder: place, commit: begun.toString().trim(), left }];
  mkdirSync(join(work, "launch"));
  return countChangedFiles(clones, { workspace: work }, sandbox, ENVIRONMENT, signal);
}

describe("files that a run changed", { concurrent: true }, () => {
  const commit = (file: string) => `echo ${file} >> ${file}; git add -A; git commit -qm ${file}`;
  it.each<[what: string, files: number, commands: string]>([
    ["nothing", 0, "true"],
    ["a file in the tree", 1, "echo 1 >> a.txt"],
    ["a file that is staged", 1, "echo 1 >> a.txt; git add a.txt"],
    ["a new file, and a folder of new ones", 3, "echo 1 > new.txt; mkdir d; touch d/1 d/2"],
    ["what is ignored", 0, "mkdir out; touch out/1 out/2"],
    ["a file that is gone", 1, "rm a.txt"],
    ["a file that was renamed", 1, "git mv a.txt z.txt; git commit -qm Move"],
    ["a file whose mode changed", 1, "chmod +x a.txt"],
    ["names with blanks, line breaks and quotes", 3, `touch 'a b' $'c\\nd' 'e"f'`],
    [
      "one file, in commits, in the index and in the tree",
      1,
      `${commit("a.txt")}; ${commit("a.txt")}; echo 2 >> a.txt; git add a.txt; echo 3 >> a.txt`,
    ],
    ["a change that was taken back in the tree", 0, "echo 1 >> a.txt; git checkout -q a.txt"],
    ["a change that was taken back by a commit", 0, `${commit("a.txt")}; git revert --no-edit HEAD >/dev/null`],
    [
      "a commit on another branch, and then back",
      1,
      `git checkout -q -b other; ${commit("n.txt")}; git checkout -q main`,
    ],
    ["a commit on no branch", 1, `git checkout -q --detach; ${commit("n.txt")}`],
    ["the same commit on two branches", 1, `git checkout -q -b one; ${commit("n.txt")}; git branch two`],
    ["a commit that was amended", 1, `${commit("n.txt")}; mv n.txt m.txt; git add -A; git commit -q --amend --no-edit`],
    [
      "a commit that was pushed from no branch, and left",
      1,
      `git checkout -q --detach; ${commit("n.txt")}; git push -q origin HEAD:refs/heads/claude/n; git checkout -q main`,
    ],
    ["a commit of which HEAD went back, its files kept", 1, `${commit("n.txt")}; git reset -q --soft HEAD~1`],
    ["a colleague's branch that is checked out", 0, "git checkout -q theirs"],
    ["a colleague's branch that is fetched anew", 0, "git fetch -q origin pull/7/head; git checkout -q FETCH_HEAD"],
    ["a pull request under a branch's name", 0, "git fetch -q origin pull/7/head:pr-7; git checkout -q pr-7"],
    ["a colleague's branch that is merged", 0, "git merge -q --no-ff -m Merge origin/theirs"],
    [
      "a merge whose conflict was resolved",
      1,
      `echo mine > shared.txt; git add -A; git commit -qm Mine; git merge -q origin/theirs || (echo both > shared.txt; git add -A; git commit -qm Merge)`,
    ],
    ["a commit on a colleague's branch", 1, `git checkout -q theirs; ${commit("theirs-1.txt")}`],
    ["a colleague's commit that was picked", 2, "git cherry-pick origin/theirs~4 >/dev/null"],
    [
      "a pick that was taken back, and a merge",
      0,
      "git cherry-pick origin/theirs~1 >/dev/null; git revert --no-edit HEAD >/dev/null; git merge -q -m Merge origin/theirs~3",
    ],
    ["what was stashed", 0, "echo 1 >> a.txt; git stash -q"],
    ["an older commit that is looked at", 0, "git checkout -q theirs; git checkout -q theirs~3"],
    ["a repository in the repository", 1, "git init -q inner; touch inner/1 inner/2"],
  ])("%s", async (_what, files, commands) => {
    expect(await count(commands)).toBe(files);
  });

  it.each<[what: string, files: number, commands: string]>([
    ["pulled", 0, "git pull -q --ff-only"],
    ["merged with own ones", 1, `${commit("n.txt")}; git pull -q --no-rebase --no-edit`],
    ["under own ones, by a rebase", 1, `${commit("n.txt")}; git pull -q --rebase`],
    [
      "fetched under no branch's name",
      0,
      'git -c fetch.prune=true fetch -q "$(git remote get-url origin)" main; git merge -q --ff-only FETCH_HEAD',
    ],
    ["pulled, and one of them changed", 1, "git pull -q --ff-only; echo 1 >> pulled-1.txt"],
  ])("files of colleagues are not counted: %s", async (_what, files, commands) => {
    const colleague = { "pulled-1.txt": "1\n", "pulled-2.txt": "2\n", "b.txt": "theirs\n" };
    expect(await count(commands, { colleague })).toBe(files);
  });

  /** Files were committed with their carriage returns before there was a .gitattributes. */
  const crlf = () => {
    const root = mkdtempSync(join(folder, "crlf-"));
    const bare = seedUpstream(root, "crlf", { "a.txt": "one\r\ntwo\r\n", "b.bat": "x\r\ny\n", "c.txt": "c\n" });
    const attributes = `
      git read-tree main
      blob=$(printf '*.txt text\\n*.bat text eol=crlf\\n' | git hash-object -w --stdin)
      git update-index --add --cacheinfo "100644,$blob,.gitattributes"
      git update-ref refs/heads/main "$(git commit-tree -p main -m Attributes "$(git write-tree)")"`;
    execFileSync("/bin/bash", ["-euc", attributes], { cwd: bare, env: { ...ENVIRONMENT, GIT_INDEX_FILE: "../index" } });
    return bare;
  };
  it.each<[what: string, files: number, commands: string]>([
    ["nothing is done", 0, "git status >/dev/null"],
    ["all are touched", 0, "touch *"],
    ["one is changed", 1, "printf 'three\\r\\n' >> a.txt"],
    ["one gets other line ends", 1, "sed -i 's/\\r//' a.txt"],
  ])("files whose line ends don't fit .gitattributes: %s", async (_what, files, commands) => {
    expect(await count(commands, { from: crlf() })).toBe(files);
  });

  const filter = (clean: string) =>
    `git config filter.odd.clean '${clean}'; git config filter.odd.required true; mkdir -p .git/info; echo '*.txt filter=odd' > .git/info/attributes`;
  it.each<[what: string, commands: string]>([
    ["fails", `${commit("n.txt")}; ${filter("false")}; echo A > a.txt; touch b.txt`],
    ["hangs", `${commit("n.txt")}; ${filter("sleep 600")}; echo A > a.txt; touch b.txt`],
    [
      "fails as a process",
      `${commit("n.txt")}; ${filter("false")}; git config filter.odd.process false; echo A > a.txt`,
    ],
  ])("a filter of the repository that %s", async (_what, commands) => {
    expect(await count(commands)).toBe(2);
  });

  const LEFT =
    "echo left >> a.txt; git add a.txt; echo left >> b.txt; rm old.txt; mkdir d; echo left > d/new.txt; mkdir out; touch out/1";
  it.each<[what: string, files: number, commands: string]>([
    ["nothing is done", 0, "touch *.txt d/*; git status >/dev/null"],
    ["one of them is changed further", 1, "echo more >> b.txt"],
    ["a new one is changed further", 1, "echo more >> d/new.txt"],
    ["one of them is taken back", 1, "git checkout -q b.txt"],
    ["another is changed, and one is new", 2, "echo 1 >> sub/c.txt; echo 1 > n.txt"],
    ["all of them are committed", 0, "git add -A; git commit -qm Left"],
    ["all of them are committed, and another", 1, "echo 1 > n.txt; git add -A; git commit -qm Left"],
    ["another alone is committed", 1, "echo 1 > n.txt; git add n.txt; git commit -qm n n.txt"],
    ["a colleague's branch is checked out", 0, "git checkout -q theirs"],
    ["a colleague's branch is merged", 0, "git reset -q; git merge -q --no-ff -m Merge origin/theirs"],
    [
      "a colleague's branch is checked out, and one of them is changed further",
      1,
      "git checkout -q theirs; echo more >> b.txt",
    ],
  ])("files that an earlier run has left are not counted again: %s", async (_what, files, commands) => {
    expect(await count(commands, { left: LEFT })).toBe(files);
  });

  it("thousands of files that were changed and are in no commit", async () => {
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, number) => [`${number}.txt`, `${number}\n`]));
    const from = seedUpstream(mkdtempSync(join(folder, "many-")), "many", many);
    expect(await count("for file in *.txt; do echo more >> $file; done; echo 7 > 7.txt", { from })).toBe(4_999);
  });

  it.each([
    ["3\n", 3],
    ["  3\n", 3],
    ["", 0],
    ["-4\n", 0],
    ["99999999999\n", 0],
    ["3\n4\n", 0],
  ])("the script's %j", (output, files) => {
    expect(readCount(output)).toBe(files);
  });
});
