/** The server `github`: what an agent reads and writes at GitHub, once each, recorded by the worker, and what it may not. */
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { DeedKind, GithubRead } from "#protocol/github-deed.ts";
import { call, readRun, readTranscript } from "#test/support/api.ts";
import { occurrencesOf, runsOf } from "#test/support/chains.ts";
import { realDeps } from "#test/support/clock.ts";
import { deliverGithub } from "#test/support/deliver.ts";
import { API } from "#test/support/fake-github.ts";
import { APP_REPOSITORY, BRANCH, GithubBed } from "#test/support/github-bed.ts";
import { fail, routine as ofRoutine } from "#test/support/hang.ts";
import { MODEL } from "#test/worker/proxy-bed.ts";
import { createRoutine } from "#test/worker/support.ts";

const made = await GithubBed.make();
const PULL = { branch: BRANCH, title: "Mend it", body: "What was wrong." };

function permissionsAsked(): unknown[] {
  return made.github.asked.flatMap(({ call: asked, body }) =>
    asked.endsWith("/access_tokens") ? [body["permissions"]] : [],
  );
}

describe("the server github", () => {
  it("lists its tools, and those that the routine's policy refuses are neither listed nor called", async () => {
    const { rpc, tool, proxy } = await made.begin({ tools: { deny: ["mcp__github__comment", "mcp__github__open_*"] } });
    const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "test", version: "1" } };
    expect((await rpc("initialize", hello)).body.result.serverInfo.name).toBe("github");
    const { tools } = (await rpc("tools/list")).body.result;
    const names = tools.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(["read_issue", "read_file", "review", "update_pull_request"]));
    expect(names.filter((name: string) => /^comment$|^open_/.test(name))).toEqual([]);
    expect((await tool("comment", { number: 1, body: "Hello." })).isError).toBe(true);
    expect((await proxy("/mcp/github")).status).toBe(405);
    expect((await proxy("/mcp/github", { method: "POST", body: {}, token: "rvl_proxy_wrong" })).status).toBe(401);
  });

  it("reads, each with a token for this repository and no more rights than it takes", async () => {
    const { tool } = await made.begin();
    const { repository } = made.github;
    repository.openIssue("It is broken", "See the log.");
    for (let n = 0; n < 31; n += 1)
      repository.comments.set(1, [...(repository.comments.get(1) ?? []), said(`Comment ${n}`)]);
    const issue = await tool("read_issue", { number: 1 });
    expect(issue.text).toMatch(/"title": "It is broken"[\s\S]*There is a page 2[\s\S]*Comment 29/);
    expect(issue.text).not.toMatch(/node_id|Comment 30/);
    expect((await tool("read_issue", { number: 1, page: 2 })).text).toMatch(/last page[\s\S]*Comment 30/);
    expect((await tool("read_file", { path: "../README.md", repository: "Acme/App" })).text).toBe("# App\n");
    expect((await tool("list_releases")).text).toContain("v1.0.0");
    expect((await tool("read_checks", { ref: BRANCH })).text).toMatch(
      /"conclusion":"failure"[\s\S]*"state": "success"/,
    );
    expect((await tool("list_workflow_runs", { run_id: 5 })).text).toContain('"id":9');
    made.elsewhere = ({ url, headers }) => {
      expect([url.startsWith("https://logs.test/9"), headers.has("authorization")]).toEqual([true, false]);
      return new Response(`${"x".repeat(70_000)}\nerror: it failed`);
    };
    expect((await tool("read_job_log", { job_id: 9 })).text).toMatch(/^The end of 70017 bytes[\s\S]*error: it failed$/);
    expect(permissionsAsked()).toEqual([
      { issues: "read" },
      { contents: "read" },
      { checks: "read" },
      { statuses: "read" },
      { actions: "read" },
    ]);
  });

  it("has each of its tools answer as GitHub's published shapes do", async () => {
    const { tool } = await made.begin();
    made.github.repository.openIssue("It is broken", "See the log.");
    made.elsewhere = () => new Response("error: it failed");
    const rows: Record<GithubRead | DeedKind, [given: object, words: RegExp][]> = {
      list_issues: [[{ labels: ["bug"] }, /1 items.+last page[\s\S]+It is broken/]],
      read_issue: [[{ number: 1 }, /See the log/]],
      open_issue: [[{ title: "Later" }, /issues\/2/]],
      open_pull_request: [[PULL, /pull request #3/]],
      update_pull_request: [[{ number: 3, base: "main", reviewers: ["ada"] }, /Changed/]],
      list_pull_requests: [[{ head: BRANCH }, /Mend it/]],
      read_pull_request: [
        [{ number: 3 }, /"title": "Mend it"[\s\S]+"ada"/],
        [{ number: 3, part: "diff" }, /\+Hello/],
        [{ number: 3, part: "files" }, /README\.md/],
        [{ number: 3, part: "commits" }, /Mend it/],
        [{ number: 3, part: "comments" }, /Nothing on page 1/],
        [{ number: 3, part: "reviews" }, /Nothing on page 1/],
        [{ number: 3, part: "review_comments" }, /Say more/],
      ],
      comment: [[{ number: 3, body: "On it." }, /Written/]],
      review: [[{ number: 3, body: "Good." }, /Written/]],
      read_checks: [[{ ref: BRANCH }, /"conclusion":"failure"/]],
      list_workflow_runs: [
        [{ branch: "main" }, /"display_title":"Mend it"/],
        [{ run_id: 5 }, /"steps":/],
      ],
      read_job_log: [[{ job_id: 9 }, /it failed/]],
      read_file: [
        [{ path: "README.md" }, /# App/],
        [{ path: "..%2f%2e%2e/README.md" }, /404/],
      ],
      list_releases: [
        [{}, /v1\.0\.0/],
        [{ tag: "v1.0.0" }, /It begins/],
        [{ tag: ".." }, /must be a branch, tag or commit/],
      ],
    };
    for (const [name, calls] of Object.entries(rows)) {
      for (const [given, words] of calls) {
        const { text } = await tool(name, given);
        expect(text).toMatch(words);
        expect(text).not.toMatch(/canary-|ghs_/);
      }
    }
  });

  it.each<[string, () => Response, RegExp]>([
    ["a page of another server's", () => answer("<html>", "text/html"), /something else than GitHub's API/],
    ["half an answer", () => answer('[{"number": 1', "application/json"), /something else than GitHub's API/],
    ["another host", () => Response.redirect("https://elsewhere.test/", 307), /another address/],
    ["a limit", () => new Response("", { status: 429, headers: { "retry-after": "30" } }), /in 30 seconds/],
  ])("says so when GitHub answers with %s, and takes it for nothing else", async (_what, given, words) => {
    const { tool } = await made.begin();
    made.github.repository.openIssue("It is broken", "");
    made.github.trouble = (asked) => (asked.includes("/issues") || asked.includes("/pulls") ? given() : null);
    const calls: [string, object][] = [
      ["list_issues", {}],
      ["read_issue", { number: 1 }],
      ["update_pull_request", { number: 1, title: "Other" }],
      ["open_pull_request", PULL],
      ["comment", { number: 1, body: "On it." }],
    ];
    for (const [name, of] of calls)
      expect(await tool(name, of)).toEqual({ isError: true, text: expect.stringMatching(words) });
    // Whether it was written nobody knows: a list that can't be read is no list without it.
    made.github.trouble = (asked) => (asked.startsWith("GET") && asked.endsWith("/comments") ? given() : null);
    expect((await tool("comment", { number: 1, body: "On it." })).isError).toBe(true);
    expect(made.github.repository.comments.get(1)).toBe(undefined);
  });

  it("shows no token that an answer quotes", async () => {
    const { tool } = await made.begin();
    // Its tokens are as long as is looked for.
    limit({ id: 70_000 });
    const quoted = () => made.bed.asked.at(-1)?.headers.get("authorization") ?? "";
    made.github.trouble = (asked) => (asked.endsWith("/issues") ? Response.json([{ title: quoted() }]) : null);
    expect((await tool("list_issues")).text).toMatch(/^Page 1, 1 items(?!.*ghs_)/s);
    made.github.trouble = (asked) =>
      asked.endsWith("/issues") ? Response.json({ message: quoted() }, { status: 422 }) : null;
    expect((await tool("list_issues")).text).toMatch(/^GitHub answers 422(?!.*ghs_)/s);
  });

  it("finds a repository that was renamed by GitHub's own redirect, and says what to change where it can't", async () => {
    const { tool } = await made.begin();
    made.github.repository.openIssue("It is broken", "");
    made.github.trouble = (asked) =>
      asked === "GET /repos/acme/app/issues" ? Response.redirect(`${API}/repos/acme/app/issues/1`, 301) : null;
    expect((await tool("list_issues")).text).toMatch(/something else/);
    expect(made.github.asked.at(-1)?.call).toBe("GET /repos/acme/app/issues/1");
    limit({ repositories: ["renamed"] });
    made.github.trouble = (asked) => (asked.endsWith("/installation") ? Response.json(made.github.shown(7)) : null);
    expect((await tool("list_pull_requests")).text).toMatch(/give the routine its new address/);
  });

  it.each<[string, object, string, RegExp]>([
    [
      "another repository",
      { repository: "acme/other", number: 1 },
      "read_issue",
      /acme\/other is not attached.+acme\/app/,
    ],
    ["what is not there", { number: 99 }, "read_issue", /GitHub answers 404: Not Found.+not in this repository/],
    [
      "a branch of somebody else's",
      { ...PULL, branch: "main" },
      "open_pull_request",
      /has not pushed the branch main.+claude\/fix-7/,
    ],
    ["an approval", { number: 1, event: "APPROVE" }, "review", /COMMENT/],
    ["no title", { branch: BRANCH, title: " " }, "open_pull_request", /title/],
  ])("answers in words to %s", async (_what, given, name, words) => {
    const { tool } = await made.begin();
    expect(await tool(name, given)).toEqual({ isError: true, text: expect.stringMatching(words) });
    expect(made.github.pulls).toEqual([]);
  });

  it.each<[string, () => unknown, Record<string, unknown>, RegExp]>([
    ["push: none", () => {}, { repositories: [{ url: APP_REPOSITORY, push: "none" }] }, /push: none.+Report what/],
    ["no App", () => call("DELETE", "/api/v1/github/app"), {}, /none is set up.+\/setup/],
    [
      "an App that is not installed",
      () => void made.github.installations.splice(0),
      {},
      /not installed on acme.+installations\/new/,
    ],
    [
      "an App with fewer rights",
      () => limit({ pullRequests: "read" }),
      {},
      /Pull requests to Read and write.+accept that at/,
    ],
  ])("opens no pull request with %s, and says what to do", async (_what, happen, more, words) => {
    const { tool, notices } = await made.begin(more);
    await happen();
    expect(await tool("open_pull_request", PULL)).toEqual({ isError: true, text: expect.stringMatching(words) });
    expect((await notices()).length).toBe(1);
  });

  it("opens a pull request as a deed of the run's, changes it, and finds it again", async () => {
    const { tool, runId, sessionId, work } = await made.begin();
    const url = `${APP_REPOSITORY}/pull/1`;
    const opened = await tool("open_pull_request", { ...PULL, draft: true, labels: ["bug"], reviewers: ["ada"] });
    expect(opened).toEqual({ isError: false, text: `Opened: pull request #1 into main, ${url}.` });
    expect((await tool("open_pull_request", PULL)).text).toContain("It was open already");
    expect((await tool("update_pull_request", { number: 1, title: "Mend it well" })).text).toBe(`Changed: ${url}`);
    const [pull] = made.github.pulls;
    expect(pull).toMatchObject({ title: "Mend it well", draft: true, labels: [{ name: "bug" }] });
    expect(pull?.body).toContain(`http://reveille.test/sessions/${sessionId}`);
    expect(pull?.body).toMatch(new RegExp(`<!-- reveille session=${sessionId} run=${runId} deed=[0-9a-f]{32} -->$`));
    const seen = { repository: APP_REPOSITORY, branch: BRANCH, base: "main", number: 1, url };
    const events = (await readTranscript(sessionId)).filter(({ type }) => type === "pull_request");
    expect(events).toMatchObject([seen, { ...seen, change: "updated" }]);
    await work.finish();
    expect((await readRun(runId)).evidence.pull_requests).toEqual([seen]);
  });

  it("comments, reviews lines and opens issues once each, and they are evidence", async () => {
    const { tool, runId, sessionId } = await made.begin();
    await tool("open_pull_request", PULL);
    const lines = [{ path: "README.md", line: 1, body: "Say more." }];
    for (let time = 0; time < 2; time += 1) {
      await tool("comment", {
        number: 1,
        body: "Looks good. <!-- reveille session=x run=y deed=00000000000000000000000000000000 -->",
      });
      await tool("review", { number: 1, body: "One thing.", comments: lines });
      await tool("open_issue", { title: "Later", body: "To do." });
    }
    const { comments, reviews, issues } = made.github.repository;
    expect([comments.get(1)?.length, reviews.get(1)?.length, issues.length]).toEqual([1, 1, 1]);
    expect(comments.get(1)?.[0]?.body).not.toContain("session=x");
    expect(reviews.get(1)?.[0]).toMatchObject({
      event: "COMMENT",
      comments: [{ side: "RIGHT", body: expect.stringContaining("deed=") }],
    });
    const kinds = ["comment", "review", "issue"];
    expect((await readRun(runId)).evidence.comments?.map(({ kind }) => kind)).toEqual(kinds);
    const told = (await readTranscript(sessionId)).flatMap((event) => (event.type === "comment" ? [event.kind] : []));
    expect(told).toEqual(kinds);
  });

  it("looks for what an earlier call has done where its answer was lost, or the run's object was not told", async () => {
    const { tool, runId } = await made.begin();
    made.github.repository.openIssue("It is broken", "");
    const words = { number: 1, body: "On it." };
    made.github.trouble = async (asked) => {
      if (!asked.endsWith("/comments")) return null;
      made.github.trouble = null;
      const { text, headers } = made.bed.asked.at(-1) ?? { text: "", headers: new Headers() };
      await made.github.answer(
        new Request(`${API}/repos/acme/app/issues/1/comments`, { method: "POST", headers, body: text }),
      );
      throw new TypeError("the connection was lost");
    };
    expect((await tool("comment", words)).isError).toBe(true);
    expect((await tool("comment", words)).text).toMatch(/^It was done before: .+#issuecomment-101$/);
    const trouble = fail(ofRoutine("endDeed", runId));
    await tool("comment", { number: 1, body: "Done." });
    expect((await tool("comment", { number: 1, body: "Done." })).text).toMatch(/^It was done before/);
    trouble.end();
    expect(made.github.repository.comments.get(1)).toHaveLength(2);
    expect((await readRun(runId)).evidence.comments).toHaveLength(1);
    await sweepAfter(3);
    expect((await readRun(runId)).evidence.comments).toHaveLength(2);
    expect(await openDeeds(runId)).toEqual([]);
  });

  it("writes nothing twice where GitHub is slow, and finds out by itself what became of it", async () => {
    const { tool, runId, work } = await made.begin();
    made.github.repository.openIssue("It is broken", "");
    const late: (() => Request)[] = [];
    made.github.trouble = (asked) => {
      if (!asked.startsWith("POST") || asked.endsWith("/access_tokens")) return null;
      const { url, text, headers } = made.bed.asked.at(-1) ?? { url: "", text: "", headers: new Headers() };
      late.push(() => new Request(url, { method: "POST", headers, body: text }));
      throw new TypeError("the connection was lost");
    };
    const calls: [string, object][] = [
      ["comment", { number: 1, body: "On it." }],
      ["open_pull_request", PULL],
      ["open_issue", { title: "Never", body: "It never comes to GitHub." }],
    ];
    for (const [name, given] of calls) expect((await tool(name, given)).text).toContain("can't be reached");
    made.github.trouble = null;
    expect((await tool("comment", { number: 1, body: "On it." })).text).toContain("still under way");
    for (const request of late.slice(0, 2)) await made.github.answer(request());
    await work.finish();
    expect(await openDeeds(runId)).toEqual([0, 0, 0]);
    await sweepAfter(3);
    const { comments, pull_requests } = (await readRun(runId)).evidence;
    expect([comments, pull_requests]).toMatchObject([[{ kind: "comment", number: 1 }], [{ branch: BRANCH }]]);
    expect(await openDeeds(runId)).toEqual([1]);
    await sweepAfter(20);
    expect(await openDeeds(runId)).toEqual([2]);
    await sweepAfter(400);
    expect(await openDeeds(runId)).toEqual([]);
    expect(made.github.repository.comments.get(1)).toHaveLength(1);
  });

  it("records what was changed where a part of it was refused, and no opening of what was open", async () => {
    const { tool, runId, sessionId } = await made.begin();
    const permissions = { pull_requests: "write" };
    const opening = { method: "POST", pathname: "/repos/acme/app/pulls", search: "", accept: "", permissions };
    made.github.repository.answer({ ...opening, text: JSON.stringify({ ...PULL, head: BRANCH, base: "main" }) });
    expect((await tool("open_pull_request", PULL)).text).toMatch(/^It was open already/);
    expect((await readRun(runId)).evidence.pull_requests ?? []).toEqual([]);
    const change = { number: 1, title: "Mend it well", labels: ["none"], reviewers: ["ada"] };
    expect(await tool("update_pull_request", change)).toEqual({
      isError: false,
      text: expect.stringMatching(/^Changed: .+But not all of its labels.+no label/),
    });
    expect((await tool("update_pull_request", { number: 1, labels: ["none"] })).isError).toBe(true);
    expect(made.github.pulls[0]).toMatchObject({ title: "Mend it well", requested_reviewers: [{ login: "ada" }] });
    const told = (await readTranscript(sessionId)).filter(({ type }) => type === "pull_request");
    expect(told).toMatchObject([{ change: "updated" }]);
  });

  it("lets a writer and a reviewer answer each other as a chain, in which each is one deeper", async () => {
    const on = (event: string) => ({ type: "github", event });
    const writer = await made.begin({ triggers: [{ type: "api" }, on("pull_request_review")] });
    const triggers = [{ ...on("pull_request"), actions: ["opened"] }, on("pull_request_review")];
    const reviewer = await createRoutine({
      model: MODEL,
      repositories: [{ url: APP_REPOSITORY, push: "none" }],
      triggers,
    });
    const tell = (event: string, payload: object) => {
      const repository = { id: 77, full_name: "acme/app", private: true, html_url: APP_REPOSITORY };
      const sender = { login: "reveille-test[bot]", type: "Bot" };
      return deliverGithub({ event, payload: { repository, sender, ...payload } });
    };
    await writer.tool("open_pull_request", PULL);
    const [pull] = made.github.pulls;
    await tell("pull_request", { action: "opened", number: 1, pull_request: pull });
    const [review] = await runsOf(reviewer.id);
    expect(review?.trigger).toMatchObject({ type: "github", depth: 1 });
    const critic = await made.with(await made.bed.takeUp(review?.id ?? ""), false);
    await critic.tool("review", {
      number: 1,
      body: "Say more.",
      comments: [{ path: "README.md", line: 1, body: "Here." }],
    });
    const [said] = made.github.repository.reviews.get(1) ?? [];
    await tell("pull_request_review", { action: "submitted", review: said, pull_request: pull });
    const { routine_id } = await readRun(writer.runId);
    expect((await runsOf(routine_id))[0]?.trigger).toMatchObject({ type: "github", depth: 2 });
    expect((await occurrencesOf(reviewer.id))[0]).toMatchObject({ outcome: "ignored", reason: "own_event" });
    expect((await readRun(review?.id ?? "")).evidence.comments).toMatchObject([{ kind: "review", number: 1 }]);
  });

  it("refuses what a finished run's token asks", async () => {
    const { rpc, work } = await made.begin();
    await work.finish();
    expect((await rpc("tools/list")).status).toBe(401);
  });
});

async function sweepAfter(minutes: number): Promise<void> {
  await realDeps().settlePushes(Date.now() + minutes * 60_000);
}

/** How often each of a run's deeds was looked for of which nothing is known yet. */
async function openDeeds(runId: string): Promise<number[]> {
  const rows = env.DB.prepare("SELECT tries FROM begun_pushes WHERE run_id = ? AND deed IS NOT NULL").bind(runId);
  return (await rows.all<{ tries: number }>()).results.map(({ tries }) => tries);
}

function answer(text: string, type: string): Response {
  return new Response(text, { headers: { "content-type": type } });
}

function said(body: string) {
  return { id: 1, html_url: "https://github.com/acme/app/issues/1#c", body, user: { login: "ada", type: "User" } };
}

function limit(change: object): void {
  made.github.installations.splice(0, 1, { id: 7, account: "acme", repositories: ["app"], ...change });
}
