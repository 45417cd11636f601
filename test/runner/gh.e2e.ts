/** The real gh, as programs in a sandbox find it: through its front, the relay and the worker's proxies, to a stand-in of GitHub. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";
import { GITHUB_URL, startGithub, type WorkerGithub } from "./support/worker-github.ts";

/** `GH` names one of another version. */
const gh = process.env["GH"] ?? "gh";
const hasGh = spawnSync(gh, ["--version"]).error === undefined;
const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const BRANCH = "claude/fix-7";

describe.skipIf(!hasGh)("gh", () => {
  let folder: string;
  let behind: WorkerGithub;
  let worker: WorkerGit;
  let relay: Relay;
  const refusals: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reveille-gh-"));
    behind = await startGithub();
    const { repository } = behind.github;
    repository.branches.add(BRANCH);
    repository.openIssue("It is broken", "See the log.");
    repository.graph = answered;
    worker = await startWorkerGit({ credential: "a:b", addressOf: () => null, github: behind });
    relay = await startRelay({ instanceUrl: worker.url });
    relay.serve({ runId: RUN_ID, repositories: 1 }, ({ message }) => void refusals.push(message));
    const { config, tools } = gitSettings({
      folder,
      hasLfs: false,
      hasGh: true,
      relayUrl: relay.url,
      runId: RUN_ID,
      repositories: [{ url: GITHUB_URL }],
      proxyToken: await worker.tokenOf(RUN_ID),
      sessionUrl: "https://reveille.test/sessions/session_1",
      commit: COMMIT_IDENTITY,
    });
    writeFileSync(join(folder, "config"), config);
    for (const made of ["tools", "real", "home"]) mkdirSync(join(folder, made));
    for (const [name, text] of Object.entries(tools)) writeFileSync(join(folder, "tools", name), text, { mode: 0o755 });
    execFileSync("ln", ["-s", execFileSync("which", [gh], { encoding: "utf8" }).trim(), join(folder, "real", "gh")]);
    const tree = join(folder, "tree");
    const git = (...args: string[]) => execFileSync("git", ["-C", tree, ...args], { stdio: "pipe" });
    execFileSync("git", ["init", "--quiet", "--template=", `--initial-branch=${BRANCH}`, tree]);
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "Begin");
    git("remote", "add", "origin", `${GITHUB_URL}.git`);
    git("config", `branch.${BRANCH}.remote`, "origin");
    git("config", `branch.${BRANCH}.merge`, `refs/heads/${BRANCH}`);
    git("update-ref", `refs/remotes/origin/${BRANCH}`, "HEAD");
  });
  afterAll(async () => {
    await Promise.all([relay.close(), worker.close(), behind.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  /** GitHub's answers to gh's documents, as far as gh needs them. */
  function answered(operation: string, { id, number, pr_number }: Record<string, unknown>): unknown {
    const { pulls, issues } = behind.github.repository;
    const at = "2026-11-20T10:00:00Z";
    const nothing = { nodes: [], totalCount: 0, pageInfo: {} };
    const of = (one: { number: number; title: string; body: string }, type: string) => ({
      ...one,
      ...{ __typename: type, id: `${type}_${one.number}`, state: "OPEN", createdAt: at, updatedAt: at },
      ...{ comments: nothing, labels: nothing, assignees: nothing, reviews: nothing, author: { login: "ada" } },
      ...{ headRefName: BRANCH, baseRefName: "main", isDraft: false, headRepositoryOwner: { login: "acme" } },
      url: `${GITHUB_URL}/${type === "Issue" ? "issues" : "pull"}/${one.number}`,
      commits: { totalCount: 1, nodes: [] },
    });
    const shown = pulls.map(({ head: _head, base: _base, labels: _labels, ...pull }) => of(pull, "PullRequest"));
    const app = {
      id: "R_app",
      name: "app",
      nameWithOwner: "acme/app",
      owner: { login: "acme" },
      hasIssuesEnabled: true,
    };
    const repository = { ...app, viewerPermission: "WRITE", defaultBranchRef: { name: "main" }, description: "An app" };
    switch (operation) {
      case "":
        if (id === "R_app") return { node: { nameWithOwner: "acme/app" } };
        return { node: { number: Number(String(id).split("_")[1]), repository: { nameWithOwner: "acme/app" } } };
      case "PullRequestList":
        return { repository: { pullRequests: { ...nothing, totalCount: shown.length, nodes: shown } } };
      case "PullRequestByNumber":
        return { repository: { pullRequest: shown.find((pull) => pull.number === pr_number) ?? null } };
      case "PullRequestForBranch":
        return { repository: { pullRequests: { nodes: shown }, defaultBranchRef: { name: "main" } } };
      case "IssueByNumber": {
        const found = issues.find((issue) => issue.number === number);
        return { repository: { hasIssuesEnabled: true, issue: found === undefined ? null : of(found, "Issue") } };
      }
      case "IssueList":
        return {
          repository: {
            hasIssuesEnabled: true,
            issues: { ...nothing, nodes: issues.map((issue) => of(issue, "Issue")) },
          },
        };
      case "RepositoryReleaseList": {
        const release = { name: "First", tagName: "v1.0.0", isLatest: true, publishedAt: at, createdAt: at };
        return { repository: { releases: { nodes: [release], pageInfo: {} } } };
      }
      case "PullRequest_fields":
      case "PullRequest_fields2":
        return {};
      default:
        return { repository };
    }
  }

  /** Not synchronous: the relay is in this process. */
  function run(...args: string[]): Promise<{ code: number; said: string }> {
    const path = ["tools", "real"].map((name) => join(folder, name));
    const env = {
      PATH: [...path, "/usr/bin", "/bin"].join(delimiter),
      HOME: join(folder, "home"),
      GIT_CONFIG_SYSTEM: join(folder, "config"),
      NO_PROXY: "localhost,127.0.0.1,::1",
    };
    return new Promise((resolve) => {
      execFile("gh", args, { cwd: join(folder, "tree"), env }, (error, out, words) => {
        const said = out + words;
        expect(said).not.toMatch(/ghs_/);
        resolve({ code: error === null ? 0 : 1, said });
      });
    });
  }

  it("opens a pull request from the branch that is checked out, and finds it", async () => {
    const created = await run("pr", "create", "--title", "Mend it", "--body", `${GITHUB_URL}/issues/1 was this.`);
    expect(created).toEqual({ code: 0, said: expect.stringContaining(`${GITHUB_URL}/pull/2`) });
    const [pull] = behind.github.pulls;
    expect(pull?.body).toMatch(/^https:\/\/github\.com\/acme\/app\/issues\/1 was this\.[\s\S]+deed=[0-9a-f]{32} -->$/);
    expect(behind.done).toMatchObject([{ is: "pull_request", seen: { number: 2, branch: BRANCH } }]);
    expect((await run("pr", "list")).said).toContain("Mend it");
    expect((await run("pr", "view")).said).toContain("Mend it");
    expect((await run("pr", "view", `${GITHUB_URL}/pull/2`)).said).toContain("Mend it");
    expect((await run("pr", "view", "2", "--json", "title,headRefName")).said).toContain(`"headRefName":"${BRANCH}"`);
    expect((await run("pr", "diff", "2")).said).toContain("+Hello.");
  });

  it("comments, reviews and opens issues as the tools do", async () => {
    expect(await run("pr", "comment", "2", "--body", "On it.")).toEqual({
      code: 0,
      said: expect.stringContaining("#issuecomment-"),
    });
    expect((await run("pr", "review", "2", "--comment", "--body", "One thing.")).code).toBe(0);
    expect((await run("issue", "comment", "1", "--body", "Why?")).code).toBe(0);
    expect((await run("issue", "create", "--title", "Later", "--body", "To do.")).said).toContain("/issues/3");
    const kinds = behind.done.flatMap(({ is, seen }) => (is === "comment" ? [seen.kind] : []));
    expect(kinds).toEqual(["comment", "review", "comment", "issue"]);
    expect(await run("pr", "review", "2", "--approve")).toEqual({
      code: 1,
      said: expect.stringContaining("Review with COMMENT"),
    });
  });

  it.each<[string[], RegExp]>([
    [["issue", "list"], /It is broken/],
    [["issue", "view", "1"], /See the log/],
    [["release", "list"], /v1\.0\.0/],
    [["repo", "view", "--json", "description"], /An app/],
    [["api", "repos/{owner}/{repo}/issues/1", "--jq", ".title"], /^It is broken\n$/],
  ])("answers %s", async (args, words) => {
    expect(await run(...args)).toEqual({ code: 0, said: expect.stringMatching(words) });
  });

  it.each<[string[], RegExp]>([
    [["api", "user"], /not served GET user here/],
    [["api", "repos/acme/other"], /acme\/other is not attached/],
    [["api", "repos/acme/app/issues/1/comments", "-f", "body=x"], /not served POST/],
    [["api", "-X", "DELETE", "repos/acme/app"], /HTTP 403/],
    [["api", "graphql", "-f", "query={viewer{login}}"], /not served this document/],
    [["pr", "close", "2"], /not served .+mcp__github__/],
    [["pr", "view", "2", "-R", "acme/other"], /acme\/other is not attached/],
    [["pr", "list", "--search", "org:secret"], /one of the attached repositories/],
  ])("is told what to use instead of %s", async (args, words) => {
    expect(await run(...args)).toEqual({ code: 1, said: expect.stringMatching(words) });
  });

  it("asks GitHub alone, whatever stands in a query", async () => {
    const answer = await run(
      "api",
      "repos/acme/app/issues?baseUrl=http%3A%2F%2F127.0.0.1%3A1&url=/user&headers=x&state=all",
      "--jq",
      "length",
    );
    expect(answer).toEqual({ code: 0, said: "2\n" });
  });
});
