/** The session's trailer, by real git: at the end, a paragraph of its own, once, in whatever message git makes or takes. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { gitEnvironment, gitSettings } from "#sandbox-runner/git/git-settings.ts";

const URL = "https://reveille.test/sessions/one";
const TRAILER = `Session: ${URL}`;
const SCISSORS = `${"-".repeat(24)} >8 ${"-".repeat(24)}`;
const folder = mkdtempSync(join(tmpdir(), "reveille-trailer-"));
let tree: string;

beforeAll(() => {
  const settings = gitSettings({
    commit: COMMIT_IDENTITY,
    folder: join(folder, "git"),
    hasLfs: false,
    relayUrl: "http://127.0.0.1:9",
    runId: "r",
    repositories: [],
    proxyToken: "t",
    sessionUrl: URL,
  });
  mkdirSync(join(folder, "git", "hooks"), { recursive: true });
  writeFileSync(join(folder, "git", "config"), settings.config);
  for (const [name, text] of Object.entries(settings.hooks)) {
    writeFileSync(join(folder, "git", "hooks", name), text);
    chmodSync(join(folder, "git", "hooks", name), 0o755);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  tree = mkdtempSync(join(folder, "tree-"));
  sh("git init -q -b main && git commit -q --allow-empty -m Begin");
});

const environment = () => ({
  PATH: process.env["PATH"] ?? "",
  HOME: folder,
  LANG: "C.UTF-8",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_EDITOR: "true",
  ...gitEnvironment(join(folder, "git")),
});

function sh(script: string): string {
  return execFileSync("/bin/bash", ["-ec", script], {
    cwd: tree,
    env: environment(),
    encoding: "latin1",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** @returns the newest commit's message, byte by byte, without the line ends behind it. */
const message = () => sh("git cat-file commit HEAD | sed '1,/^$/d'").replace(/\n+$/, "");
/** A shell command that prints a text with its escapes. */
const printed = (text: string) =>
  `printf '%b' '${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("'", "\\0047")}'`;
const commit = "git commit -q --allow-empty";
/** An editor that puts a text before what git shows. */
const writing = (text: string) =>
  `GIT_EDITOR='f() { { ${printed(text).replaceAll("'", `'"'"'`)}; cat "$1"; } > "$1.e"; mv "$1.e" "$1"; }; f'`;

describe("a message that git takes", () => {
  it.each<[string, string]>([
    ["a subject", "Add notes"],
    ["a subject with a colon", "Title: with colon"],
    ["a rule in the body", "Add\n\nWhy.\n\n---\n\nMore after the rule."],
    ["a diff in the body", "Add\n\ndiff --git a b\n--- a\n+++ b\n@@ -1 +1 @@"],
    ["a rule and a diff's beginning", "Add\n\n--- a"],
    ["other trailers", "Add\n\nSigned-off-by: A <a@x>\nReviewed-by: B <b@x>"],
    ["a breaking change", "fix: y\n\nBREAKING CHANGE: z"],
    ["another session's trailer", "Add\n\nSession: https://elsewhere.test/two"],
    ["a heading", "# heading"],
    ["scissors of its own", `Add\n\n# ${SCISSORS}\n\nBelow`],
    ["quotes and dollars", 'Don\'t $HOME `ls` "x"'],
    ["a line that begins like the trailer", `Add\n\n${TRAILER}/more`],
  ])("has it at the end: %s", (_what, text) => {
    writeFileSync(join(tree, "m"), text, "latin1");
    for (const how of [
      `${commit} -F m`,
      `${commit} --amend -F m`,
      `${commit} -n --amend -F m`,
      `${commit} --amend --no-edit`,
    ]) {
      sh(how);
      expect(message()).toBe(`${text}\n\n${TRAILER}`);
    }
  });

  it("has it at the end in another encoding", () => {
    writeFileSync(join(tree, "m"), "caf\xe9\n\n\xff\xfe", "latin1");
    sh(`git config i18n.commitEncoding ISO-8859-1; ${commit} -F m && ${commit} --amend --no-edit`);
    expect(message()).toBe(`caf\xe9\n\n\xff\xfe\n\n${TRAILER}`);
  });

  it.each<[string, string, string]>([
    ["CRLF", "Add\r\n\r\nBody\r\n", "Add\n\nBody"],
    ["blanks at the end", "Add\n\n \n\t\n", "Add"],
    ["the trailer already", `Add\n\n${TRAILER}\n`, "Add"],
    ["the trailer in its middle", `Add\n\n${TRAILER}\n\nBody\n`, "Add\n\nBody"],
    ["the trailer among others", `Add\n\nA-by: b\n${TRAILER}\nC-by: d`, "Add\n\nA-by: b\nC-by: d"],
    ["the trailer behind its subject", `Add\n${TRAILER}`, "Add"],
    ["the trailer with CRLF, twice", `Add\r\n\r\n${TRAILER}\r\n${TRAILER}\r\n`, "Add"],
  ])("has it once: %s", (_what, text, rest) => {
    writeFileSync(join(tree, "m"), text);
    sh(`${commit} -F m && ${commit} --amend --no-edit`);
    expect(message()).toBe(`${rest}\n\n${TRAILER}`);
  });

  it.each<[string, string, string]>([
    ["verbatim", "Add\r\n\r\n# x", "Add\r\n\r\n# x"],
    ["whitespace", "Add\n\n\n# x", "Add\n\n# x"],
    ["strip", "Add\n\n# x", "Add"],
    ["scissors", "Add\n\n# x", "Add\n\n# x"],
    ["default", "Add\n\n# x", "Add\n\n# x"],
  ])("has it in the clean-up mode %s", (mode, text, rest) => {
    writeFileSync(join(tree, "m"), text);
    sh(`git config commit.cleanup ${mode} && ${commit} -F m`);
    expect(message()).toBe(`${rest}\n\n${TRAILER}`);
    sh(`git config --unset commit.cleanup; ${commit} --amend --cleanup=${mode} -F m`);
    expect(message()).toBe(`${rest}\n\n${TRAILER}`);
  });
});

describe("a message that is written in an editor", () => {
  it.each([
    ["as git shows it", ""],
    ["with what is about to be committed", "-c commit.verbose=true"],
    ["with scissors", "-c commit.cleanup=scissors"],
    ["with another sign for comments", "-c core.commentChar=';'"],
    ["with a sign that git chooses", "-c core.commentChar=auto"],
    ["without its status", "-c commit.status=false"],
  ])("has it at the end: %s", (_what, settings) => {
    const git = `git ${settings} commit -q`;
    sh(`echo a > f; git add f; ${writing("Add f\n\nBody\n")} ${git}`);
    expect(message()).toBe(`Add f\n\nBody\n\n${TRAILER}`);
    sh(`echo b > f; git add f; ${git} --amend`);
    expect(message()).toBe(`Add f\n\nBody\n\n${TRAILER}`);
    sh(`echo c > f; git add f; ${writing("Add more\n\n")} ${git} --amend -v`);
    expect(message()).toBe(`Add more\n\nAdd f\n\nBody\n\n${TRAILER}`);
  });

  it.each([
    ["nothing is written", commit],
    ["only a sign-off is there", `${commit} -s`],
    ["the template is left as it is", `printf 'Fill in\\n' > ../t; ${commit} -t ../t`],
    ["the message is empty", `${commit} -m ''`],
    ["only comments are written", `${writing("# only\n")} ${commit}`],
  ])("is still refused by git when %s", (_what, command) => {
    const end = spawnSync("/bin/bash", ["-c", command], { cwd: tree, env: environment(), encoding: "utf8" });
    expect(end.status).not.toBe(0);
    expect(sh("git log --format=%s")).toBe("Begin\n");
  });

  it("has it when a template was filled in, and none where an empty one is wanted", () => {
    sh(`printf 'Fill in\\n' > ../t; ${writing("Done\n\n")} ${commit} -t ../t`);
    expect(message()).toBe(`Done\n\nFill in\n\n${TRAILER}`);
    sh(`${commit} --allow-empty-message -m ''`);
    expect(message()).toBe("");
  });
});

describe("a message that git makes", () => {
  beforeEach(() => {
    const step = (name: string) =>
      `echo ${name} > ${name}; git add ${name}; git commit -qm 'Add ${name}' -m '${name} body'`;
    sh(`git checkout -q -b side; ${step("one")}; ${step("two")}; git checkout -q main; ${step("three")}`);
  });
  const body = (name: string) => `Add ${name}\n\n${name} body`;

  it.each<[string, string, string]>([
    ["merge", "git merge -q --no-ff --no-edit side", "Merge branch 'side'"],
    ["merge with a message", "git merge -q --no-ff -m 'Merge it' side", "Merge it"],
    ["merge without verification", "git merge -q --no-verify --no-ff --no-edit side", "Merge branch 'side'"],
    ["cherry-pick", "git cherry-pick side", body("two")],
    [
      "cherry-pick with a note and a sign-off",
      "git cherry-pick -x -s side~1",
      `${body("one")}\n\n(cherry picked from commit `,
    ],
    ["revert", "git revert --no-edit HEAD", 'Revert "Add three"\n\nThis reverts commit '],
    ["rebase", "git rebase -q --force-rebase main side", body("two")],
    ["rebase by patches", "git rebase -q --apply main side", body("two")],
    ["am", "git format-patch -q -1 --stdout side | git am -q", body("two")],
    ["am with a sign-off", "git format-patch -q -1 --stdout side | git am -q -s", `${body("two")}\n\nSigned-off-by: `],
    ["fixup", "git commit -q --allow-empty --fixup=HEAD", "fixup! Add three"],
    [
      "autosquash of a fixup",
      "echo x > three; git commit -qa --fixup=HEAD; git rebase -q -i --autosquash HEAD~2",
      body("three"),
    ],
    [
      "autosquash of a squash",
      "echo x > three; git commit -qa --squash=HEAD -m More; git rebase -q -i --autosquash HEAD~2",
      `${body("three")}\n\nMore`,
    ],
    [
      "amend in another worktree",
      "git worktree add -q ../wt-$$ side; cd ../wt-$$; git commit -q --amend --no-edit; git -C - rev-parse 2>/dev/null || true",
      body("three"),
    ],
  ])("%s has it once, at the end", (_what, command, begin) => {
    sh(command);
    const text = message();
    expect(text.slice(0, begin.length)).toBe(begin);
    expect(text.endsWith(`\n\n${TRAILER}`)).toBe(true);
    expect(text.split(TRAILER)).toHaveLength(2);
    expect(sh("git log -1 --format=%s").trim()).toBe(begin.split("\n")[0]);
  });

  it("notes and tags stay as they are given", () => {
    sh("git notes add -m Noted; git tag -a v1 -m Tagged");
    expect(sh("git notes show")).toBe("Noted\n");
    expect(sh("git tag -l --format='%(contents)' v1").trim()).toBe("Tagged");
  });

  it("comes after what the repository's own hooks add", () => {
    sh(
      `printf '#!/bin/sh\\nprintf "\\\\nChange-Id: I1\\\\n" >> "$1"\\n' > .git/hooks/commit-msg; chmod +x .git/hooks/commit-msg; ${commit} -m X`,
    );
    expect(message()).toBe(`X\n\nChange-Id: I1\n\n${TRAILER}`);
  });
});
