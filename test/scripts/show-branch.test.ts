/** What the demo shows of the branch that an agent pushed: its commits and changes, and nothing that steers the terminal. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runCommand } from "#scripts/child-process.ts";
import { showBranch } from "#scripts/demo/show-branch.ts";
import { gitEnvironment } from "#scripts/demo-upstream/git-environment.ts";
import { say } from "#scripts/terminal.ts";

const BRANCH = "claude/changelog";
let repository: string;

beforeAll(async () => {
  repository = mkdtempSync(path.join(tmpdir(), "rvl-branch-"));
  await git(["init", "--quiet", "--initial-branch=main"]);
  await commit("first");
  await git(["switch", "--quiet", "--create", BRANCH]);
});

afterAll(() => {
  rmSync(repository, { recursive: true });
});

async function git(args: string[], author = "t"): Promise<string> {
  const identity = {
    GIT_AUTHOR_NAME: author,
    GIT_AUTHOR_EMAIL: "t@t",
    GIT_COMMITTER_NAME: "t",
    GIT_COMMITTER_EMAIL: "t@t",
  };
  const env = { ...gitEnvironment(), ...identity };
  const done = await runCommand("git", ["-C", repository, ...args], { env, deadlineMs: 20_000 });
  return done.ok ? done.stdout.trim() : expect.unreachable(done.message);
}

/** @returns the commit. */
async function commit(message: string, { author = "t", file = "a.txt" } = {}): Promise<string> {
  writeFileSync(path.join(repository, file), `${message}\n`);
  await git(["add", "--all"]);
  await git(["commit", "--quiet", "--message", message], author);
  return git(["rev-parse", "HEAD"]);
}

/** Each line of it as the demo prints it. */
async function printed(tip: string): Promise<string[]> {
  const shown = await showBranch(repository, { branch: BRANCH, commit: tip });
  const log = vi.spyOn(console, "log").mockReturnValue();
  say(shown.ok ? shown.value : expect.unreachable(shown.message));
  const [[text] = []] = log.mock.calls;
  log.mockRestore();
  return String(text).split("\n");
}

describe("a commit of an agent's", () => {
  test.each([
    ["a colour", "\u001b[31mred", "\\u001b[31mred"],
    ["a title", "\u001b]0;title\u0007end", "\\u001b]0;title\\u0007end"],
    ["C1", "\u009b2Jclear\u009d0;x\u009c", "\\u009b2Jclear\\u009d0;x\\u009c"],
    ["a line that is written over", "wrong\rright", "wrong\\u000dright"],
    ["another direction", "a\u202etxt.exe", "a\\u202etxt.exe"],
    ["another end of a line", "a\u2028b", "a\\u2028b"],
  ])("shows %s in its subject and in its author's name as text", async (_what, text, shown) => {
    const tip = await commit(text, { author: `A ${text} Z` });
    const [first] = await printed(tip);
    expect(first).toBe(`${tip.slice(0, 7)} A ${shown} Z: ${shown}`);
  });

  test("shows the name of a file that steers as text, and all on lines of its own", async () => {
    const tip = await commit("a file", { file: "\u001b[2J\u202ename.txt" });
    const lines = await printed(tip);
    for (const line of lines) expect(line).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u);
    expect(lines.join("\n")).toMatch(/\\033\[2J/);
  });
});

test("a branch that is not there, elsewhere or without a commit of its own is told of", async () => {
  const tip = await git(["rev-parse", "HEAD"]);
  const main = await git(["rev-parse", "main"]);
  const fault = async (branch: string, at: string) => showBranch(repository, { branch, commit: at });
  expect(await fault("claude/none", tip)).toMatchObject({ ok: false, message: expect.stringMatching(/is not in/) });
  expect(await fault(BRANCH, main)).toMatchObject({ ok: false, message: expect.stringMatching(/is not at/) });
  expect(await fault("main", main)).toMatchObject({
    ok: false,
    message: expect.stringMatching(/no commit of its own/),
  });
});
