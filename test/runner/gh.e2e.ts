/** The real gh, as programs in a sandbox find it: through its front, the relay and the worker's proxies, to a stand-in of GitHub. */
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMMIT_IDENTITY } from "#protocol/commit.ts";
import { gitSettings } from "#sandbox-runner/git/git-settings.ts";
import { type Relay, startRelay } from "#sandbox-runner/sandbox/relay.ts";
import { ghAnswers, zipOf } from "./support/gh-answers.ts";
import { startWorkerGit, type WorkerGit } from "./support/worker-git.ts";
import { GITHUB_URL, startGithub, type WorkerGithub } from "./support/worker-github.ts";

/** `GH` names one of another version. */
const gh = process.env["GH"] ?? "gh";
const hasGh = spawnSync(gh, ["--version"]).error === undefined;
const RUN_ID = "run_0ABCDEFGHJKMNPQRSTVWXYZ012";
const BRANCH = "claude/fix-7";
const LOGS = "https://logs.test/";

/** Where GitHub's answers send for logs: no token comes along. */
function logs(url: string, init: RequestInit): Response {
  if (new Headers(init.headers).has("authorization")) return new Response("a token", { status: 400 });
  const lines = (words: string) => `2026-11-20T10:00:00.0000000Z ${words}\n`;
  if (!url.includes(".zip")) return new Response(lines("The job has failed."));
  return new Response(
    zipOf({ "build/1_Set up job.txt": lines("Ready."), "build/2_Test.txt": lines("It has failed.") }),
  );
}

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
    repository.graph = ghAnswers(behind, BRANCH);
    worker = await startWorkerGit({ credential: "a:b", addressOf: () => null, github: behind });
    const asked = globalThis.fetch;
    Object.assign(globalThis, {
      fetch: (url: string, init: RequestInit) => (url.startsWith(LOGS) ? logs(url, init) : asked(url, init)),
    });
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
    [["issue", "list", "--search", "bug"], /^$/],
    [["issue", "view", "1"], /See the log/],
    [["issue", "view", "1", "--comments"], /The second page/],
    [["pr", "list", "--search", "bug"], /^$/],
    [["pr", "view", "2", "--comments"], /The first page[\s\S]+The second page[\s\S]+The review/],
    [["pr", "status"], /Current branch\n +#2 +Mend it \[claude\/fix-7\]/],
    [["release", "list"], /v1\.0\.0/],
    [["run", "list"], /failure\tMend it\tCI\tmain\tpush\t5/],
    [["run", "view", "5"], /X build in 0s \(ID 9\)/],
    [["run", "view", "5", "--verbose"], /X Test/],
    [["run", "view", "5", "--log"], /build\tSet up job\t.+Ready\.[\s\S]+build\tTest\t.+It has failed\./],
    [["run", "view", "5", "--log-failed"], /^build\tTest\t.+It has failed\.\n$/],
    [["run", "view", "--job", "9", "--log"], /It has failed\./],
    [["run", "view", "5", "--json", "jobs", "--jq", ".jobs[0].conclusion"], /^failure\n$/],
    [["repo", "view", "--json", "description"], /An app/],
    [["api", "repos/{owner}/{repo}/issues/1", "--jq", ".title"], /^It is broken\n$/],
    [["api", "repos/acme/app/actions/jobs/9/logs"], /The job has failed\./],
  ])("answers %s", async (args, words) => {
    expect(await run(...args)).toEqual({ code: 0, said: expect.stringMatching(words) });
  });

  it("tells by its exit that checks have failed, as gh does", async () => {
    for (const args of [[], ["2"], ["2", "--required"]]) {
      expect(await run("pr", "checks", ...args)).toEqual({ code: 1, said: expect.stringMatching(/build\tfail\t/) });
    }
  });

  it.each<[string[], RegExp]>([
    [["api", "user"], /not served GET user here/],
    [["api", "repos/acme/other"], /acme\/other is not attached/],
    [["api", "repos/acme/app/issues/1/comments", "-f", "body=x"], /not served POST/],
    [["api", "-X", "DELETE", "repos/acme/app"], /HTTP 403/],
    [["api", "graphql", "-f", "query={viewer{login}}"], /not served this document/],
    [["pr", "close", "2"], /not served .+mcp__github__update_pull_request/],
    [["pr", "merge", "2", "--squash"], /Merging is left to people/],
    [["pr", "ready", "2", "--undo"], /not served .+mcp__github__/],
    [["issue", "close", "1"], /gh issue comment/],
    [["issue", "create", "--title", "a", "--body", "b", "--label", "bug"], /mcp__github__open_issue/],
    [["issue", "status"], /nobody's account/],
    [["release", "create", "v2", "--notes", "x"], /not served POST/],
    [["pr", "view", "2", "-R", "acme/other"], /acme\/other is not attached/],
    [["pr", "list", "--search", "org:secret"], /one of the attached repositories/],
  ])("is told what to use instead of %s", async (args, words) => {
    expect(await run(...args)).toEqual({ code: 1, said: expect.stringMatching(words) });
  });

  /** As any program in the sandbox can ask, which is no gh. */
  const ask = async (path: string, init: { method?: string; body?: object; headers?: Record<string, string> } = {}) => {
    const { method = "GET", body, headers } = init;
    const token = await worker.tokenOf(RUN_ID);
    const answer = await fetch(`${worker.url}/proxy/${RUN_ID}/gh/${path}`, {
      method,
      headers: { authorization: `token ${token}`, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(text).not.toMatch(/ghs_|canary-/);
    return { status: answer.status, text, link: answer.headers.get("link") };
  };

  it.each<[string, Parameters<typeof ask>[1]?]>([
    ["repos/acme/app/../other"],
    ["repos/acme/app/..%2Fother"],
    ["repos/acme/app/%2e%2e/other"],
    ["repos/acme%2Fapp/issues"],
    ["repos/acme/app%00/issues"],
    ["repos/acme/app.git/issues"],
    ["repositories/77/issues"],
    ["https://api.github.com/repos/acme/app"],
    ["//example.test/repos/acme/app"],
    ["search/issues?q=repo:acme/app"],
    ["repos/acme/app/issues/1", { method: "PATCH", body: { state: "closed" } }],
    ["repos/acme/app/issues/1", { method: "POST", headers: { "x-http-method-override": "GET" } }],
    ["repos/acme/app/tarball"],
    ["repos/acme/app/releases/assets/1", { headers: { accept: "application/octet-stream" } }],
    ["repos/acme/app/actions/artifacts/1/zip"],
    ["repos/acme/app/contents/../../../user"],
  ])("answers no program that asks for %s", async (path, init) => {
    const before = behind.github.asked.length;
    expect((await ask(path, init)).status).toBeGreaterThanOrEqual(400);
    const passed = behind.github.asked.slice(before).filter(({ call }) => !/access_tokens$|installation$/.test(call));
    expect(passed).toEqual([]);
  });

  it("shows no token that GitHub tells, and knows repositories in pages by their names", async () => {
    expect(JSON.parse((await ask("repos/acme/app")).text)).toMatchObject({
      temp_clone_token: null,
      url: "http://api.github.localhost/repos/acme/app",
    });
    expect((await ask("repos/ACME/App/contents/README.md")).text).toContain('"download_url":null');
    const override = { "x-http-method-override": "DELETE", accept: "application/vnd.github.full+json" };
    const { link, status } = await ask("repos/acme/app/issues?per_page=1", { headers: override });
    expect([status, link]).toEqual([
      200,
      '<http://api.github.localhost/repos/acme/app/issues?per_page=1&page=2>; rel="next"',
    ]);
  });

  /** A document that gh has sent, with other variables. */
  const again = async (operation: string, variables: object, more: object = {}) => {
    const sent = behind.github.asked.find(({ body }) => String(body["query"]).includes(`query ${operation}(`));
    const before = behind.github.asked.length;
    const { text } = await ask("graphql", {
      method: "POST",
      body: { query: sent?.body["query"] ?? "", variables, ...more },
    });
    const passed = behind.github.asked.slice(before).filter(({ body }) => body["query"] === sent?.body["query"]);
    return { said: text, passed: passed.map(({ body }) => body) };
  };

  it.each<[string, object, RegExp]>([
    ["PullRequestByNumber", { owner: "other", repo: "public", pr_number: 1 }, /other\/public is not attached/],
    ["PullRequestByNumber", { owner: "acme", repo: ["app", "other"], pr_number: 1 }, /not served/],
    ["RepositoryInfo", { owner: "acme", repo: "app", name: "other" }, /acme\/other is not attached/],
    ["CommentsForIssue", { id: "Issue_public" }, /of a repository that is not attached/],
    ["CommentsForIssue", { id: "Issue_public", owner: "acme", repo: "app" }, /of a repository that is not attached/],
    ["PullRequestSearch", { q: "repo:acme/app repo:other/public", limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: "repo:acme/app (repo:other/public)", limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: "repo:acme/app REPO:other/public", limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: "-repo:acme/app", limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: "NOT repo:acme/app", limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: 'repo:acme/app "user:other"', limit: 1 }, /one of the attached/],
    ["PullRequestSearch", { q: "everything", limit: 1 }, /one of the attached/],
    [
      "IssueSearch",
      { owner: "acme", repo: "app", query: "repo:other/public", type: "ISSUE", limit: 1 },
      /one of the attached|not attached/,
    ],
  ])(
    "knows gh's document %s with the variables %j for one about another repository",
    async (operation, given, words) => {
      expect(await again(operation, given)).toEqual({ said: expect.stringMatching(words), passed: [] });
    },
  );

  it("passes on a document and the variables that it has, and nothing else of a request", async () => {
    const extra = { operationName: "Other", extensions: { persistedQuery: { sha256Hash: "0" } } };
    const given = { owner: "acme", name: "app" };
    const { passed } = await again("RepositoryInfo", { ...given, repo: "other", id: 7 }, extra);
    expect(passed).toEqual([{ query: expect.stringContaining("RepositoryInfo"), variables: given }]);
    const known = String(passed[0]?.["query"]);
    const aliased = known.replace("repository(owner: $owner", 'x: repository(owner: "other"');
    for (const query of [`${known}\n${known.replace("RepositoryInfo", "Other")}`, aliased, `${known}#`, [known]]) {
      expect((await ask("graphql", { method: "POST", body: { query, variables: given } })).text).toMatch(
        /not served|not valid JSON|expected/i,
      );
    }
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
