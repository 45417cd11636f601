/** The commit that a run is about is what its agent finds; of a fork's, its code alone. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Checkout } from "#protocol/occurrence.ts";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { Bed, bash, noSandbox } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { commitTo, type Files, git, seedUpstream } from "./support/upstream.ts";

const APP = "https://code.example.com/app";

/** Settings with a hook that leaves a file in the agent's home when the session starts. */
const settings = (mark: string) =>
  JSON.stringify({
    enableAllProjectMcpServers: true,
    hooks: { SessionStart: [{ hooks: [{ type: "command", command: `touch "$HOME/${mark}"` }] }] },
  });
const servers = JSON.stringify({
  mcpServers: {
    evil: { command: "/bin/sh", args: ["-c", 'touch "$HOME/fork-server"'] },
    tracker: { type: "http", url: "https://mcp.linear.app/mcp/" },
    other: { type: "sse", url: "https://other.test/sse?key=1" },
  },
});
const skill = (name: string) => `---\nname: ${name}\ndescription: A skill named ${name}\n---\nDo it.\n`;

const BASE: Files = {
  "README.md": "# App\n",
  "CLAUDE.md": { link: "docs/instructions.md" },
  "docs/instructions.md": "base-instructions\n",
  "pkg/code.txt": "code\n",
  "pkg/CLAUDE.md": "base-nested-instructions\n",
  ".claude/settings.json": settings("base-hook"),
  ".claude/skills": { link: "../skills" },
  "skills/base-skill/SKILL.md": skill("base-skill"),
};

/** What is hostile wherever the settings lie. */
const HOSTILE: Files = {
  "README.md": "# App of a stranger\n",
  "CLAUDE.local.md": "fork-local-instructions\n",
  "AGENTS.md": "fork-agents-instructions\n",
  ".mcp.json": servers,
  "docs/instructions.md": "fork-instructions-behind-a-link\n",
  "skills/base-skill/SKILL.md": skill("fork-skill-behind-a-link"),
};

const IN_PLACE: Files = {
  ...HOSTILE,
  "CLAUDE.md": "fork-instructions\n",
  ".claude/skills": null,
  ".claude/settings.json": settings("fork-hook"),
  ".claude/settings.local.json": settings("fork-hook"),
  ".claude/CLAUDE.md": "fork-inner-instructions\n",
  ".claude/rules/rule.md": "fork-rule\n",
  ".claude/skills/fork-skill/SKILL.md": skill("fork-skill"),
  "pkg/CLAUDE.md": "fork-nested-instructions\n",
  "pkg/.claude/settings.json": settings("fork-hook"),
  "pkg/.claude/skills/fork-nested-skill/SKILL.md": skill("fork-nested-skill"),
};

const BEHIND_LINKS: Files = {
  ...HOSTILE,
  "CLAUDE.md": { link: "evil/words.md" },
  "evil/words.md": "fork-instructions\n",
  ".claude": { link: "evil" },
  "evil/settings.json": settings("fork-hook"),
  "evil/rules/rule.md": "fork-rule\n",
  "evil/skills/fork-skill/SKILL.md": skill("fork-skill"),
  pkg: { link: "evil-pkg" },
  "evil-pkg/code.txt": "code\n",
  "evil-pkg/CLAUDE.md": "fork-nested-instructions\n",
  "evil-pkg/.claude/skills": { link: "../../evil/skills" },
};

const read = (path: string): ReplyPlan => ({
  kind: "message",
  toolCalls: [{ name: "Read", input: { file_path: path } }],
});

describe.skipIf(noSandbox !== null)("a run about a commit", { concurrent: true }, () => {
  let bed: Bed;
  let app: string;
  let base: string;
  let inPlace: string;
  let behindLinks: string;

  beforeAll(async () => {
    bed = await Bed.make();
    app = seedUpstream(bed.upstream, "app", BASE);
    inPlace = commitTo(app, "refs/pull/7/head", IN_PLACE);
    behindLinks = commitTo(app, "refs/pull/8/head", BEHIND_LINKS);
    // The base goes on after the pull requests were made.
    base = commitTo(app, "refs/heads/main", { "later.txt": "later\n" });
    seedUpstream(bed.upstream, "docs", { "index.md": "# Docs\n" });
  });
  afterAll(() => bed.close());

  const about = (ref: string, commit: string, is_fork: boolean): Checkout => {
    return { repository: APP, ref, commit, is_fork, trusted_ref: "main" };
  };
  const steps = (run: FakeRun) => run.events.flatMap((event) => (event.type === "run.step" ? [event.message] : []));
  const results = (run: FakeRun) => run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
  /** Whose words, of a fork or of the base, the model was told. */
  const told = (run: FakeRun) => {
    const said = (bed.conversations.get(run.order.task) ?? []).map(({ messages }) => messages).join("\n");
    return [...new Set(said.match(/(fork|base)-[a-z-]+/g))].sort();
  };

  /** Whether the agent was told that a stranger wrote the commit. */
  const isWarned = (run: FakeRun) =>
    (bed.conversations.get(run.order.task) ?? []).some(({ system }) => system.includes("a stranger wrote it"));

  /** Another each time: what a try before has pushed stays. */
  const newBranch = () => `claude/work-${crypto.randomUUID()}`;
  /** The agent looks around and works. */
  const work = (branch: string) => [
    bash(
      "cat README.md; git rev-parse HEAD; git branch --show-current; git status --porcelain; ls ~ | rev; ls -A | grep mcp",
    ),
    read("pkg/code.txt"),
    bash("echo work > work.txt; git add -A && git commit -qm Work && git show --format= --name-only"),
    bash(`git push -q origin HEAD:${branch} && git show HEAD:.mcp.json | wc -l`),
    "Done.",
  ];

  it.each([
    ["in their places", 7, () => inPlace, ["base-instructions", "base-nested-instructions", "base-skill"]],
    ["behind symbolic links", 8, () => behindLinks, ["base-instructions", "base-skill"]],
  ])("of a fork has its code, and none of its settings %s", async (_way, number, head, words) => {
    const branch = newBranch();
    const run = bed.run(work(branch), ["app"], { checkout: about(`refs/pull/${number}/head`, head(), true) });
    const ending = await run.finished();
    expect(ending.outcome).toEqual({ status: "succeeded" });
    expect(steps(run).slice(1, 3)).toEqual([
      `Cloned ${APP} at ${base} (main)`,
      `Checked out ${head()} of refs/pull/${number}/head, on branch pr-${number}`,
    ]);
    expect(await run.event("notice")).toMatchObject({
      code: "settings_from_base",
      message: expect.stringContaining(`are those of main at ${base}`),
    });
    // The home has what the base's hook left there, and nothing of the fork's hooks and servers.
    expect(results(run)[0]).toBe(`# App of a stranger\n${head()}\npr-${number}\nkooh-esab`);
    expect(told(run)).toEqual(words);
    expect(isWarned(run)).toBe(true);
    // What is committed keeps the pull request's own settings as they are there.
    expect(results(run).slice(2)).toEqual(["work.txt", "0"]);
    expect(git("-C", app, "show", `${branch}:.mcp.json`)).toBe(servers);
    expect(ending.seen).toMatchObject({ files_changed: 1 });
  });

  it("of a fork has none of its settings beside another repository either", async () => {
    const script = [
      bash("git -C docs log --format=%s; git -C app rev-parse HEAD; ls ~"),
      read("app/pkg/code.txt"),
      "Done.",
    ];
    const checkout = about("refs/pull/7/head", inPlace, true);
    const run = bed.run(script, ["docs", "app"], { checkout });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(results(run)[0]).toBe(`Begin\n${inPlace}`);
    expect(told(run)).toEqual(["base-instructions", "base-nested-instructions", "base-skill"]);
  });

  it("of the repository's own brings its settings along", async () => {
    const run = bed.run(work(newBranch()), ["app"], {
      checkout: about("refs/pull/7/head", inPlace, false),
      mcp_addresses: { linear: "https://mcp.linear.app/mcp" },
    });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    // The home has what its hook left there, and nothing of its servers.
    expect(results(run)[0]).toBe(`# App of a stranger\n${inPlace}\npr-7\nkooh-krof\n.mcp.json`);
    expect(run.events.filter((event) => event.type === "notice" && event.code === "mcp_json")).toMatchObject([
      {
        message: `No MCP server is started from the .mcp.json of ${APP}. There as connectors: "tracker" (linear). Not started: "evil" (a command), "other" ("other.test"). What is reached over HTTP can be made a connector, and named in the routine.`,
      },
    ]);
    expect(told(run)).toEqual([
      "fork-inner-instructions",
      "fork-instructions",
      "fork-nested-instructions",
      "fork-nested-skill",
      "fork-rule",
      "fork-skill",
    ]);
    // Its hook is seen, and nothing is said of settings that are somebody else's.
    expect(run.events.flatMap((event) => (event.type === "notice" ? [event.code] : []))).toEqual(["mcp_json", "hook"]);
    expect(isWarned(run)).toBe(false);
  });

  it("that was pushed is on its branch, and can be pushed to", async () => {
    const commit = commitTo(app, "refs/heads/claude/feature", { "feature.txt": "1\n" });
    const script = [
      bash(
        "git status -sb; cat feature.txt; echo 2 > feature.txt; git commit -qam Two && git push -q; git log -2 --format=%s",
      ),
      "Done.",
    ];
    const run = bed.run(script, ["app"], { checkout: about("refs/heads/claude/feature", commit, false) });
    const ending = await run.finished();
    expect(steps(run)[2]).toBe(`Checked out ${commit} of refs/heads/claude/feature, on branch claude/feature`);
    expect(results(run)).toEqual([
      "## claude/feature...origin/claude/feature\n1\nTwo\nChange refs/heads/claude/feature",
    ]);
    expect(git("-C", app, "show", "claude/feature:feature.txt")).toBe("2");
    expect(ending.seen).toMatchObject({ files_changed: 1 });
  });

  it("that was rewritten meanwhile, and is gone, fails with words that tell so", async () => {
    const name = `gone-${crypto.randomUUID()}`;
    const gone = seedUpstream(bed.upstream, name, { "a.txt": "a\n" });
    const commit = commitTo(gone, "refs/heads/feature", { "a.txt": "1\n" });
    commitTo(gone, "refs/heads/feature", { "a.txt": "2\n" });
    git("-C", gone, "reflog", "expire", "--expire=now", "--all");
    git("-C", gone, "gc", "--quiet", "--prune=now");
    const repository = `https://code.example.com/${name}`;
    const checkout = { ...about("refs/heads/feature", commit, false), repository };
    const run = bed.run([], [name], { checkout });
    expect((await run.finished()).outcome).toMatchObject({
      status: "failed",
      error: {
        code: "checkout_failed",
        phase: "clone",
        message: expect.stringMatching(`${repository}, ${commit} of refs/heads/feature: .*not our ref ${commit}`),
        hint: expect.stringContaining("rewritten or deleted"),
      },
    });
    expect(JSON.stringify(run.stored)).not.toContain("127.0.0.1");
  });

  it("under a name that is no ref fails before anything is fetched", async () => {
    const run = bed.run([], ["app"], { checkout: about("refs/heads/main:refs/heads/other", base, false) });
    expect((await run.finished()).outcome).toMatchObject({ error: { code: "checkout_failed", phase: "clone" } });
  });
});
