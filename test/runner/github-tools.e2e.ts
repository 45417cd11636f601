/** The real agent, in the real sandbox, works at GitHub: by the server `github` and by gh, through the relay and the worker's own proxies. */
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GITHUB_SERVER } from "#protocol/github-deed.ts";
import { call } from "./support/agent-steps.ts";
import { Bed, bash, GIT_CREDENTIAL, noSandbox, report } from "./support/bed.ts";
import { ghAnswers } from "./support/gh-answers.ts";
import { seedUpstream } from "./support/upstream.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";
import { GITHUB_URL, startGithub, type WorkerGithub } from "./support/worker-github.ts";

const hasGh = spawnSync("gh", ["--version"]).error === undefined;
const BRANCH = "claude/fix-7";

describe.skipIf(noSandbox !== null)("an agent at GitHub", () => {
  let bed: Bed;
  let behind: WorkerGithub;
  let worker: WorkerGit | undefined;

  beforeAll(async () => {
    behind = await startGithub();
    const { repository } = behind.github;
    repository.branches.add(BRANCH);
    repository.openIssue("It is broken", "See the log.");
    repository.graph = ghAnswers(behind, BRANCH);
    bed = await Bed.make(
      {},
      {
        workerGit: async (gitUrl) => {
          worker = await startWorkerGit({
            credential: GIT_CREDENTIAL,
            addressOf: () => `${gitUrl}/app.git`,
            github: behind,
          });
          return worker;
        },
      },
    );
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
  });
  afterAll(async () => {
    await bed.close();
    await behind.close();
  });

  it("pushes, opens a pull request, reviews it and asks gh about it, and no token of GitHub's is inside", async () => {
    const tool = (name: string, input: object) => call(`mcp__${GITHUB_SERVER}__${name}`, { ...input });
    const inside = hasGh
      ? [
          bash("gh pr view 2 --json title,url"),
          bash("gh pr comment 2 --body 'By gh.'"),
          bash("gh pr merge 2 --squash"),
          bash("gh api user; gh api https://api.github.com/user; curl -sS -m 5 https://api.github.com/user"),
        ]
      : [];
    const run = bed.run(
      [
        bash(
          `git checkout -qb ${BRANCH} && echo Hello. >> README.md && git commit -qam 'Say hello' && git push -q origin ${BRANCH}`,
        ),
        tool("read_issue", { number: 1 }),
        tool("open_pull_request", { branch: BRANCH, title: "Mend it", body: "What was wrong." }),
        tool("review", { number: 2, body: "One thing.", comments: [{ path: "README.md", line: 1, body: "Here." }] }),
        tool("read_issue", { number: 1, repository: "acme/other" }),
        ...inside,
        bash("env; cat /proc/self/environ ~/.config/gh/* 2>/dev/null | tr '\\0' '\\n'"),
        report("done", "Opened."),
        "Bye.",
      ],
      [],
      { mcp_servers: [GITHUB_SERVER], repositories: [{ url: GITHUB_URL }] },
    );
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const results = run.events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
    expect(results[1]).toContain("It is broken");
    expect(results[2]).toContain(`Opened: pull request #2 into main, ${GITHUB_URL}/pull/2`);
    expect(results[3]).toMatch(/^Written: .+#pullrequestreview-/);
    expect(results[4]).toContain("acme/other is not attached");
    if (hasGh) {
      expect(results[5]).toContain(`"title":"Mend it"`);
      expect(results[6]).toContain("#issuecomment-");
      expect(results[7]).toContain("Merging is left to people");
      expect(results[8]).toContain("not served GET user");
    }
    const kinds = behind.done.map(({ is, seen }) => (is === "comment" ? seen.kind : is));
    expect(kinds).toEqual(["pull_request", "review", ...(hasGh ? ["comment"] : [])]);
    const [first] = bed.conversations.get(run.order.task) ?? [];
    expect(first?.tools).toEqual(expect.arrayContaining([`mcp__${GITHUB_SERVER}__comment`]));
    const seen = JSON.stringify([bed.conversations.get(run.order.task), run.events]);
    expect(seen).not.toMatch(/ghs_|PRIVATE KEY|canary-clone/);
    const notices = worker?.seenOf(run.order.run_id).notices ?? [];
    expect(notices.map(({ code }) => code)).toContain("proxy_refused");
  });
});
