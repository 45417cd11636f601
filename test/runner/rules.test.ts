/** The runner's other rules: names of clones, git's words, counts, and how a stopped attempt ends. */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { networkLevels } from "#protocol/environment.ts";
import { runError } from "#protocol/run-errors.ts";
import { NO_TOOL_POLICY } from "#protocol/tools.ts";
import { toolsWithoutUse } from "#sandbox-runner/agent/agent-tools.ts";
import { faultOf, outcomeOf } from "#sandbox-runner/agent/outcome.ts";
import { CLONE_SETTINGS, cloneCommand, planClones, readSeen } from "#sandbox-runner/git/clone-plan.ts";
import { readableGitError } from "#sandbox-runner/git/git-error.ts";
import { gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { planSubmodules, readSubmodules } from "#sandbox-runner/git/submodule-plan.ts";
import { lastWords } from "#sandbox-runner/process/last-words.ts";
import { launcherScript, launchScript } from "#sandbox-runner/sandbox/sandbox-config.ts";
import { isRoot, USER } from "./support/ways.ts";

describe("a clone's folder", () => {
  it.each([
    ["https://github.com/acme/app", "app"],
    ["https://github.com/acme/app.git", "app"],
    ["https://github.com/acme/app/", "app"],
    ["https://host/a%20b/..%2Fc%20d.git", "-c-d"],
    ["https://host/.git", "repository"],
    ["https://host/", "repository"],
    ["https://host/--upload-pack=x", "upload-pack-x"],
    ["https://host/%E0%A4%A", "E0-A4-A"],
  ])("of %s is %s", (url, name) => {
    expect(planClones([{ url }], null).map((plan) => plan.name)).toEqual([name.replace(/^-/, "")]);
  });

  it("is its own, also where case does not count", () => {
    const urls = ["https://a/app", "https://b/app.git", "https://c/App", "https://d/app-2"];
    expect(
      planClones(
        urls.map((url) => ({ url })),
        null,
      ).map(({ name }) => name),
    ).toEqual(["app", "app-2", "App-3", "app-2-2"]);
  });
});

describe("cloning", () => {
  it("keeps the address and the branch out of git's options", () => {
    const [plan] = planClones([{ url: "https://h/app", branch: "next", depth: 0, paths: ["a/b/", "-x"] }], null);
    if (plan === undefined) throw new Error("no plan");
    const command = cloneCommand(plan, { template: "/template", reference: null });
    expect(command.slice(3)).toEqual(["clone", "app", "https://h/app", "next", "/template", "0", "", "a/b", "-x"]);
    expect(Object.values(CLONE_SETTINGS)).toContain("core.hooksPath");
  });

  it.each([
    ["commit a\n", { head: null }],
    [`commit ${"a".repeat(40)}\nbranch a b\n`, { head: { commit: "a".repeat(40), branch: "a b" } }],
    [`commit ${"a".repeat(64)}\nbranch \n`, { head: { commit: "a".repeat(64), branch: null } }],
    ["HEAD\nHEAD\n", { head: null, defaultBranch: null, isShallow: false, pointers: 0, hasSubmodules: false }],
    [
      "default main\nshallow true\npointers   3\nsubmodules yes\n",
      { defaultBranch: "main", isShallow: true, pointers: 3 },
    ],
    ["default \nshallow \npointers x\n", { defaultBranch: null, isShallow: false, pointers: 0 }],
  ])("reads what the scripts tell from %j", (output, seen) => {
    expect(readSeen(output)).toMatchObject(seen);
  });

  it("shows git's last words with the repository's own address", () => {
    const stderr =
      "Cloning into 'app'...\nwarning: x\nremote: nothing here\nfatal: repository 'http://127.0.0.1:1/proxy/r/git/0/' not found\n";
    expect(readableGitError(stderr, "http://127.0.0.1:1/proxy/r/git/0", "https://h/app")).toBe(
      "Cloning into 'app'... remote: nothing here fatal: repository 'https://h/app/' not found",
    );
  });
});

describe("submodules", () => {
  const entry = (name: string, path: string, url: string) =>
    `submodule.${name}.path\n${path}\0submodule.${name}.url\n${url}\0`;
  it.each<[string, string, string, "cloned" | "left" | "neither"]>([
    ["beside its repository", "lib", "../lib.git", "cloned"],
    ["of another team beside it", "lib", "../../other/lib", "left"],
    ["by its whole address", "lib", "https://H/acme/lib/", "cloned"],
    ["in itself", "self", "./", "cloned"],
    ["by SSH", "lib", "git@h:acme/lib.git", "left"],
    ["of another host", "lib", "https://elsewhere/acme/lib", "left"],
    ["by a program", "lib", "ext::sh -c id", "left"],
    ["with a password", "lib", "https://u:p@h/acme/lib", "left"],
    ["at a path like an option", "--upload-pack=x", "../lib", "neither"],
    ["of which no address is known", "lib", "", "left"],
  ])("%s is cloned or not", (_what, path, url, expected) => {
    const all = readSubmodules(entry("a.b", path, url), "https://h/acme/app.git");
    const { cloned, left } = planSubmodules(all, ["https://h/acme/app", "https://h/acme/lib.git"]);
    expect([cloned.length, left.length]).toEqual({ cloned: [1, 0], left: [0, 1], neither: [0, 0] }[expected]);
  });

  it("are no other than those that have a name within their own folder", () => {
    expect(readSubmodules(entry("../../x", "x", "../lib"), "https://h/acme/app")).toEqual([]);
    expect(readSubmodules("submodule.a.path\nx\0", "https://h/acme/app")).toEqual([]);
  });
});

describe("git's settings", () => {
  const settings = gitSettings({
    commit: COMMIT_IDENTITY,
    folder: "/git",
    hasLfs: false,
    relayUrl: "http://127.0.0.1:9",
    runId: "run_1",
    repositories: [{ url: "https://h/app" }, { url: "https://h/docs.git" }],
    proxyToken: "token",
    sessionUrl: "https://reveille/sessions/it's",
  });

  it("send each repository's addresses to the relay", () => {
    expect(settings.config).toContain(
      '[url "http://127.0.0.1:9/proxy/run_1/git/1"]\n\tinsteadOf = "https://h/docs.git"\n\tinsteadOf = "https://h/docs"\n',
    );
    expect(settings.config).toContain('[http "http://127.0.0.1:9/"]\n\textraHeader = "Authorization: Bearer token"\n');
  });

  it("quote what goes into a script", () => {
    expect(settings.hooks["session-trailer"]).toContain("'Session: https://reveille/sessions/it%27s'");
    expect(launchScript(["echo", "it's", "$HOME"], { cwd: "/a b", env: { ONE: "$(x)", TWO: "'\n" } })).toBe(
      "export ONE='$(x)'\nexport TWO=''\\''\n'\ncd '/a b' || exit 97\nexec 'echo' 'it'\\''s' '$HOME'\n",
    );
  });
});

describe("the agent's tools", () => {
  it("ask any host where the run may reach every one", () => {
    const having = (tool: string) =>
      networkLevels.filter((level) => !toolsWithoutUse(level, NO_TOOL_POLICY).includes(tool));
    expect([having("WebFetch"), having("WebSearch"), having("CronCreate")]).toEqual([["full"], ["full"], []]);
    expect(toolsWithoutUse(undefined, NO_TOOL_POLICY)).toEqual(expect.arrayContaining(["WebFetch", "WebSearch"]));
  });
});

describe("the launcher", () => {
  it("says nothing where its runner may have fewer processes than a run", () => {
    // Root may raise its own limits.
    const user = isRoot ? { uid: USER, gid: USER } : {};
    const fewer = 'ulimit -u 5000 2>/dev/null; exec /bin/sh -c "$1"';
    // What starts with a socket for its input and from no other shell is taken for a login by ssh, and would read a file of root's.
    const shell = ["--norc", "-c", fewer, "fewer", launcherScript(1_000_000)];
    const { status, stderr } = spawnSync("/bin/bash", shell, { encoding: "utf8", ...user });
    expect([status, stderr]).toEqual([0, ""]);
  });
});

describe("how an attempt ends", () => {
  it.each([
    ["a short text", 20, "a short text"],
    ["said: the-secret-of-a-run is wrong", 20, "is wrong"],
    ["said:\nthe-secret-of-a-run\nis wrong", 12, "is wrong"],
    ["the-secret-of-a-run", 8, ""],
  ])("with the last words of %j within %i characters", (text, limit, words) => {
    expect(lastWords(text, limit)).toBe(words);
  });

  const failure = runError("clone_failed", "clone");
  it.each([
    [null, null, { status: "succeeded" }],
    [null, failure, { status: "failed", error: failure }],
    ["canceled", failure, { status: "canceled" }],
    ["timed_out", null, { status: "timed_out", error: { code: "timed_out", phase: "agent" } }],
    ["runner_stopped", null, { status: "failed", error: { code: "runner_lost", phase: "agent" } }],
    ["exceeded", failure, { status: "failed", error: failure }],
    ["ended", null, { status: "failed", error: { code: "runner_lost" } }],
  ] as const)("stopped: %s", (stopped, error, outcome) => {
    expect(outcomeOf(stopped, "agent", error, null)).toMatchObject(outcome);
  });

  it.each([
    ["clone", "runner_failed"],
    ["setup", "runner_failed"],
    ["agent", "agent_failed"],
    ["finish", "finish_failed"],
  ] as const)("an unforeseen fault in %s is %s", (phase, code) => {
    expect(faultOf(phase, new Error("disk full"))).toMatchObject({
      code,
      phase,
      message: expect.stringContaining("disk full"),
    });
  });
});
