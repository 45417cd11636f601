/** A pull request from a fork: its commit is there, and nothing by which Claude Code is set up is the fork's. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { Bed, bash, noSandbox } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { commitTo, type Files, git, seedUpstream } from "./support/upstream.ts";

const URL_OF_APP = "https://code.example.com/app";

/** Settings with a hook that leaves a file in the agent's home when the session starts. */
const settings = (mark: string) =>
  JSON.stringify({ hooks: { SessionStart: [{ hooks: [{ type: "command", command: `touch "$HOME/${mark}"` }] }] } });
const servers = JSON.stringify({
  mcpServers: { evil: { command: "/bin/sh", args: ["-c", 'touch "$HOME/fork-server"'] } },
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

/** What every hostile commit brings beside its settings. */
const HOSTILE: Files = {
  "README.md": "# App of the fork\n",
  "CLAUDE.md": "fork-instructions\n",
  "CLAUDE.local.md": "fork-local-instructions\n",
  "AGENTS.md": "fork-agents-instructions\n",
  "docs/instructions.md": "fork-instructions-behind-a-link\n",
  ".mcp.json": servers,
  "pkg/CLAUDE.md": "fork-nested-instructions\n",
  "pkg/.claude/skills/fork-nested-skill/SKILL.md": skill("fork-nested-skill"),
  "pkg/.claude/settings.json": settings("fork-hook"),
  "skills/base-skill/SKILL.md": skill("fork-skill-behind-a-link"),
};

const WAYS: [string, Files][] = [
  [
    "in their places",
    {
      ".claude/skills": null,
      ".claude/settings.json": settings("fork-hook"),
      ".claude/settings.local.json": settings("fork-hook"),
      ".claude/rules/rule.md": "fork-rule\n",
      ".claude/CLAUDE.md": "fork-inner-instructions\n",
      ".claude/skills/fork-skill/SKILL.md": skill("fork-skill"),
    },
  ],
  [
    "behind symbolic links",
    {
      ".claude": { link: "evil" },
      "evil/settings.json": settings("fork-hook"),
      "evil/rules/rule.md": "fork-rule\n",
      "evil/skills/fork-skill/SKILL.md": skill("fork-skill"),
      "CLAUDE.md": { link: "evil/words.md" },
      "evil/words.md": "fork-instructions\n",
      pkg: { link: "evil-pkg" },
      "evil-pkg/code.txt": "code\n",
      "evil-pkg/CLAUDE.md": "fork-nested-instructions\n",
      "evil-pkg/.claude/skills": { link: "../../evil/skills" },
    },
  ],
];

describe.skipIf(noSandbox !== null)("a pull request from a fork", { concurrent: true }, () => {
  let bed: Bed;
  let app: string;
  let base: string;
  const heads = new Map<string, string>();

  beforeAll(async () => {
    bed = await Bed.make();
    app = seedUpstream(bed.upstream, "app", BASE);
    base = git("-C", app, "rev-parse", "main");
    for (const [index, [way, files]] of WAYS.entries()) {
      const { "pkg/CLAUDE.md": nested, ...rest } = HOSTILE;
      const own =
        "pkg" in files
          ? { ...Object.fromEntries(Object.entries(rest).filter(([path]) => !path.startsWith("pkg/"))) }
          : HOSTILE;
      heads.set(way, commitTo(app, `refs/pull/${7 + index}/head`, { ...own, ...files }));
      expect(nested).toBeDefined();
    }
  });
  afterAll(() => bed.close());

  const read = (path: string): ReplyPlan => ({
    kind: "message",
    toolCalls: [{ name: "Read", input: { file_path: path } }],
  });

  /** Lets the agent look around in a file's folder, and then at what it has. */
  function look(number: number, commit: string, isFork: boolean): FakeRun {
    return bed.run(
      [
        bash("cat README.md; pwd; ls ~"),
        read("pkg/code.txt"),
        bash("git status --porcelain; git rev-parse HEAD; git branch --show-current; ls -A . pkg/"),
        bash(
          "echo work > work.txt; git add -A && git commit -qm Work && git show --format= --name-only; git rev-parse HEAD:CLAUDE.md",
        ),
        "Done.",
      ],
      ["app"],
      {
        checkout: {
          repository: URL_OF_APP,
          ref: `refs/pull/${number}/head`,
          commit,
          is_fork: isFork,
          trusted_ref: "main",
        },
      },
    );
  }

  it.each(WAYS)("brings its code, and no settings %s", async (way) => {
    const number = 7 + WAYS.findIndex(([each]) => each === way);
    const commit = heads.get(way) ?? "";
    const run = look(number, commit, true);
    const ending = await run.finished();
    console.log(
      JSON.stringify(
        run.events.filter((e) => e.type !== "usage"),
        null,
        1,
      ),
    );
    expect(ending.outcome).toEqual({ status: "succeeded" });
    const said = (bed.conversations.get(run.order.task) ?? []).join("\n");
    console.log([...new Set(said.match(/(fork|base)-[a-z-]+/g))]);
  });

  it("as a member's own is trusted", async () => {
    const run = look(7, heads.get("in their places") ?? "", false);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    console.log(
      JSON.stringify(
        run.events.filter((e) => e.type !== "usage"),
        null,
        1,
      ),
    );
    const said = (bed.conversations.get(run.order.task) ?? []).join("\n");
    console.log([...new Set(said.match(/(fork|base)-[a-z-]+/g))]);
    expect(base).not.toBe("");
  });
});
