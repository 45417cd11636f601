/** What a run's work has changed, by real git on real clones. */
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { DIFF_FILES, PATCH_LIMIT_BYTES, PATCHES_LENGTH, sentDiffSchema } from "#protocol/diff.ts";
import { sessionDiff } from "#sandbox-runner/attempt/session-diff.ts";
import { withoutSandbox } from "#sandbox-runner/sandbox/sandbox.ts";

const ALL = mkdtempSync(join(tmpdir(), "reveille-diff-"));
const ENVIRONMENT = {
  PATH: process.env["PATH"] ?? "",
  HOME: ALL,
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@acme.test",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@acme.test",
};
afterAll(() => rmSync(ALL, { recursive: true, force: true }));

let folder = "";
let began: string | null = null;
function sh(script: string): string {
  const { stdout, status, stderr } = spawnSync("bash", ["-ec", script], {
    cwd: folder,
    env: ENVIRONMENT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

beforeEach(() => {
  folder = mkdtempSync(join(ALL, "clone-"));
  sh("git init -q -b main && echo one >a && printf 'x\\ny\\nz\\n' >b && git add . && git commit -qm Begin");
  began = sh("git rev-parse HEAD");
});

async function diff(secret = "no-secret-at-all") {
  const clones = [{ url: "https://code.example.com/app", folder, commit: began, base: began }];
  const where = {
    clones,
    workspace: folder,
    sandbox: withoutSandbox("none"),
    env: ENVIRONMENT,
    signal: new AbortController().signal,
  };
  const { repositories } = sentDiffSchema.parse(
    await sessionDiff(where, (text) => text.replaceAll(secret, "[secret]")),
  );
  return repositories[0]?.changes ?? [];
}
const only = async (secret?: string) => {
  const changes = await diff(secret);
  expect(changes).toHaveLength(1);
  const [change] = changes;
  if (change === undefined) throw new Error("nothing has changed");
  return change;
};

describe("what has changed", () => {
  it("is nothing in a clone that is as it was, and where there is no clone", async () => {
    expect(await diff()).toEqual([]);
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect(await diff()).toEqual([]);
  });

  it("is what is not committed: changed, staged, removed and new, but not what is ignored", async () => {
    sh(
      "echo two >>a && git add a && echo three >>a && git rm -q b && echo n >new && echo i >skip && echo skip >.gitignore",
    );
    const change = await only();
    expect(change).toMatchObject({
      kind: "uncommitted",
      branch: null,
      base: began,
      head: null,
      files_changed: 4,
      truncated: false,
    });
    expect(change.files).toEqual([
      { path: ".gitignore", additions: 1, deletions: 0 },
      { path: "a", additions: 2, deletions: 0 },
      { path: "b", additions: 0, deletions: 3 },
      { path: "new", additions: 1, deletions: 0 },
    ]);
    expect([change.additions, change.deletions]).toEqual([4, 3]);
    expect(change.patch).toContain("--- a/a\n+++ b/a\n@@ -1 +1,3 @@\n one\n+two\n+three\n");
    // Nothing of the agent's own index has changed.
    expect(sh("git status --porcelain new")).toBe("?? new");
  });

  it("is each branch by itself, also one that is not checked out, and commits on none", async () => {
    sh("git checkout -qb claude/one && echo two >>a && git commit -qam One && git checkout -q main && git branch same");
    sh("git checkout -q --detach && git mv b c && git commit -qm Moved && echo w >>a");
    const changes = await diff();
    expect(changes.map(({ kind, branch, files_changed }) => [kind, branch, files_changed])).toEqual([
      ["branch", null, 1],
      ["branch", "claude/one", 1],
      ["uncommitted", null, 1],
    ]);
    expect(changes[0]).toMatchObject({ base: began, head: sh("git rev-parse HEAD") });
    expect(changes[0]?.files).toEqual([{ path: "c", previous_path: "b", additions: 0, deletions: 0 }]);
  });

  it("is told without a filter of the repository that fails", async () => {
    sh(
      "git config filter.odd.clean false && git config filter.odd.required true && echo 'b filter=odd' >.gitattributes",
    );
    sh("touch b && echo two >>a");
    const change = await only();
    expect(change.files.map(({ path }) => path)).toEqual([".gitattributes", "a"]);
  });

  it("has no base in a repository that had no commit", async () => {
    sh("rm -rf .git && git init -q -b main && rm b");
    began = null;
    expect(await only()).toMatchObject({ kind: "uncommitted", base: null, files_changed: 1 });
    sh("git add . && git commit -qm First");
    expect(await only()).toMatchObject({ kind: "branch", branch: "main", base: null, files_changed: 1 });
  });

  it("tells binary files without lines, submodules by their commits, and odd names and bytes as they can be told", async () => {
    writeFileSync(join(folder, "image.png"), Buffer.from([0, 1, 2, 255]));
    writeFileSync(join(folder, "latin"), Buffer.from([0x63, 0x61, 0x66, 0xe9, 10]));
    writeFileSync(join(folder, "tab\tand\nline é"), "odd\n");
    sh("git init -q sub && git -C sub commit -qm Sub --allow-empty && git add sub 2>/dev/null");
    const change = await only();
    expect(change.files).toEqual([
      { path: "image.png", additions: null, deletions: null },
      { path: "latin", additions: 1, deletions: 0 },
      { path: "sub", additions: 1, deletions: 0 },
      { path: "tab\tand\nline é", additions: 1, deletions: 0 },
    ]);
    expect(change.patch).toContain("Binary files /dev/null and b/image.png differ");
    expect(change.patch).toContain("+caf\ufffd");
    expect(change.patch).toContain("+Subproject commit ");
  });

  it("is bounded, and says so", async () => {
    sh(`for i in $(seq ${DIFF_FILES + 20}); do echo $i >file-$i; done`);
    const many = await only();
    expect(many.files).toHaveLength(DIFF_FILES);
    expect(many).toMatchObject({ files_changed: DIFF_FILES + 20, truncated: true });
    sh("git add . && git commit -qm Many && git checkout -qb long");
    appendFileSync(join(folder, "a"), "é line\n".repeat(100_000));
    const long = (await diff()).find(({ kind }) => kind === "uncommitted");
    expect(long).toMatchObject({ additions: 100_000, truncated: true });
    expect(long?.patch.endsWith("+é line\n")).toBe(true);
    expect(Buffer.byteLength(long?.patch ?? "")).toBeLessThanOrEqual(PATCH_LIMIT_BYTES);
    sh("for n in 1 2 3 4 5 6 7; do git checkout -qB long-$n; git commit -qam L; echo more >>a; done");
    const all = await diff();
    expect(all.reduce((sum, { patch }) => sum + patch.length, 0)).toBeLessThanOrEqual(PATCHES_LENGTH);
  });

  it("runs no program that the repository's settings name, and takes secrets out", async () => {
    sh("git config diff.external 'touch ran; false' && git config core.fsmonitor 'touch ran; false'");
    sh("echo '*.txt diff=x' >.gitattributes && git config diff.x.textconv 'touch ran; cat'");
    writeFileSync(join(folder, "canary-name.txt"), "The token is canary-name.\n");
    const change = await only("canary-name");
    expect(JSON.stringify(change)).not.toContain("canary-name");
    expect(change.patch).toContain("+The token is [secret].");
    expect(sh("ls")).not.toContain("ran");
  });
});
