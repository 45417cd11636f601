/** A person opens a pull request from what a session has pushed: once, however often it is asked for, and told why where not. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ErrorBody } from "#protocol/errors.ts";
import type { OpenedPullRequest, PullRequestList } from "#protocol/pull-request.ts";
import { call, readRun, readTranscript } from "#test/support/api.ts";
import { realDeps } from "#test/support/clock.ts";
import { API, FakeGithub } from "#test/support/fake-github.ts";
import { fail, routine as ofRoutine } from "#test/support/hang.ts";
import { asking } from "#test/support/objects.ts";
import { MODEL, ProxyBed } from "#test/worker/proxy-bed.ts";
import { toPkcs8 } from "#worker/github/private-key.ts";

const bed = ProxyBed.make();
const REPOSITORY = "https://github.com/acme/app";
const BRANCH = "claude/fix#7";
const COMPARE = "https://github.com/acme/app/compare/claude/fix%237?expand=1";
const base = new FakeGithub();
const pem = await base.drawKey();
let github = base;

beforeEach(async () => {
  github = new FakeGithub();
  github.publicKey = base.publicKey;
  github.installations.push({ id: 7, account: "acme", repositories: ["app"] });
  github.branches.add(BRANCH);
  // Each test begins without a token that another has left.
  github.app.id = Math.floor(Math.random() * 1e9);
  bed.upstream = ({ url, method, headers, text }) =>
    url.startsWith(API)
      ? github.answer(new Request(url, { method, headers, ...(text === "" ? {} : { body: text }) }))
      : new Response("", { status: 500 });
  await setUp();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(): Promise<void> {
  const { id, slug, name, client_id } = github.app;
  const facts = { id, slug, name, client_id, owner: "acme", html_url: "https://github.com/apps/reveille-test" };
  const app = { ...facts, private_key: toPkcs8(pem) ?? "", webhook_secrets: [], made_at_ms: 1 };
  return realDeps().appKeeper.keep(app, Date.now());
}

/** A run that has pushed a branch, as the worker's proxy tells its object. */
async function pushed(url = REPOSITORY, branch = BRANCH) {
  const begun = await bed.begin(MODEL, url);
  const { lease } = begun.offer;
  await push(begun.runId, lease, branch);
  const path = `/api/v1/sessions/${begun.sessionId}/pull-requests`;
  const open = (body: object = {}) => call<OpenedPullRequest>("POST", path, body);
  const refused = async (body: object = {}) => {
    const answer = await call<ErrorBody>("POST", path, body);
    return { status: answer.status, ...answer.body.error };
  };
  const events = async () =>
    (await readTranscript(begun.sessionId)).filter(({ type }) => type === "pull_request").length;
  const list = async () => (await call<PullRequestList>("GET", path)).body.data;
  return { ...begun, open, refused, events, list };
}

async function push(runId: string, lease: { run_id: string; generation: number }, branch: string): Promise<void> {
  const told = { branch, commit: "1".repeat(40), previous: null, commits: 2 };
  const key = { id: crypto.randomUUID(), begunAtMs: Date.now() };
  await asking(runId).recordPushes(lease, 0, [told], key);
}

describe("a pull request from a session", () => {
  it("is opened into the default branch, and is evidence, an event and a marked text", async () => {
    const { open, runId, sessionId, work, list } = await pushed();
    await work.finish();
    const { status, body } = await open();
    const url = "https://github.com/acme/app/pull/1";
    const seen = { repository: REPOSITORY, branch: BRANCH, base: "main", number: 1, url };
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...seen, draft: false, was_open: false, run_id: runId });
    expect((await readRun(runId)).evidence.pull_requests).toEqual([seen]);
    expect((await readTranscript(sessionId)).at(-1)).toMatchObject({ type: "pull_request", ...seen, run_id: runId });
    expect(github.pulls[0]?.body).toContain(`http://reveille.test/sessions/${sessionId}`);
    expect(github.pulls[0]?.body).toContain(`<!-- reveille session=${sessionId} run=${runId} -->`);
    expect(github.pulls[0]?.body).toContain("All done.");
    expect(await list()).toMatchObject([{ branch: BRANCH, run_id: runId, opened: seen }]);
    const minted = github.asked.filter(({ call: made }) => made.endsWith("/access_tokens"));
    expect(minted.map(({ body: wanted }) => wanted)).toEqual([
      { repositories: ["app"], permissions: { contents: "read", pull_requests: "write" } },
    ]);
  });

  it("is what the person wants it to be", async () => {
    github.branches.add("next");
    const { open } = await pushed();
    const given = {
      repository: "Acme/App",
      branch: BRANCH,
      title: "Mend it",
      body: "By hand.",
      base: "next",
      draft: true,
    };
    expect((await open(given)).body).toMatchObject({ base: "next", title: "Mend it", draft: true });
    expect(github.pulls[0]?.body).toMatch(/^By hand\.\n\n---\n/);
  });

  it("pressed twice, one after the other and at once, is one", async () => {
    const { open, events, runId } = await pushed();
    const answers = [...(await Promise.all([open(), open()])), await open({ title: "Another" })];
    expect(answers.map(({ status, body }) => [status, body.number])).toEqual([
      [200, 1],
      [200, 1],
      [200, 1],
    ]);
    expect(answers.at(-1)?.body.was_open).toBe(true);
    expect(github.pulls).toHaveLength(1);
    expect(await events()).toBe(1);
    expect((await readRun(runId)).evidence.pull_requests).toHaveLength(1);
  });

  it("whose answer was lost is found when it is pressed again", async () => {
    const { open, refused, list, events } = await pushed();
    github.trouble = async (made) => {
      if (made !== "POST /repos/acme/app/pulls") return null;
      github.trouble = null;
      const text = JSON.stringify(github.asked.at(-1)?.body);
      const { headers } = bed.asked.at(-1) ?? { headers: new Headers() };
      await github.answer(new Request(`${API}/repos/acme/app/pulls`, { method: "POST", headers, body: text }));
      throw new TypeError("the connection was lost");
    };
    expect(await refused()).toMatchObject({ status: 503, details: { code: "github_unreachable" } });
    expect(github.pulls).toHaveLength(1);
    expect(await list()).toMatchObject([{ branch: BRANCH, opened: null }]);
    expect((await open()).body).toMatchObject({ number: 1, was_open: true });
    expect(await list()).toMatchObject([{ opened: { number: 1 } }]);
    expect(await events()).toBe(1);
  });

  it("that the session's object did not hear of is heard of when it is pressed again", async () => {
    const { open, refused, runId, events } = await pushed();
    const trouble = fail(ofRoutine("endPullRequest", runId));
    expect((await refused()).status).toBeGreaterThanOrEqual(500);
    trouble.end();
    expect((await open()).body).toMatchObject({ number: 1, was_open: true });
    expect(await events()).toBe(1);
  });

  it.each<[string, object, string]>([
    ["an App that may only read them", { pullRequests: "read" }, "github_app_lacks_permission"],
    ["an App that was not given the repository", { repositories: ["other"] }, "github_repository_not_selected"],
    ["an App that is installed elsewhere", { account: "others" }, "github_app_not_installed"],
  ])("is refused by %s, with what to do and where to open it", async (_what, change, code) => {
    github.installations.splice(0, 1, { id: 7, account: "acme", repositories: ["app"], ...change });
    const { refused } = await pushed();
    const { status, hint, details } = await refused();
    expect([status, details]).toMatchObject([403, { code, compare_url: COMPARE }]);
    expect(hint).toContain(COMPARE);
    if (code === "github_app_lacks_permission") expect(hint).toMatch(/Pull requests to Read and write.+accept that/s);
  });

  it("without an App is told where a person can open it", async () => {
    const { refused } = await pushed();
    await call("DELETE", "/api/v1/github/app");
    expect(await refused()).toMatchObject({
      status: 422,
      details: { code: "pull_request_without_app", compare_url: COMPARE },
    });
  });

  it.each<[string, () => void, object, RegExp]>([
    ["the branch is gone", () => void github.branches.delete(BRANCH), {}, /head invalid/],
    ["the base is not there", () => {}, { base: "never" }, /base invalid/],
    ["nothing is between the branches", () => {}, { base: BRANCH }, /No commits between/],
  ])("is refused in GitHub's words where %s", async (_what, happen, body, words) => {
    const { refused, runId } = await pushed();
    happen();
    expect(await refused(body)).toMatchObject({
      status: 422,
      details: { code: "pull_request_refused", reason: expect.stringMatching(words) },
    });
    expect((await readRun(runId)).evidence.pull_requests).toBeUndefined();
  });

  it("ends with what is wrong where GitHub never answers", async () => {
    const { refused } = await pushed();
    github.trouble = (made) => {
      if (!made.endsWith("/pulls")) return null;
      throw new DOMException("The operation timed out.", "TimeoutError");
    };
    expect(await refused()).toMatchObject({
      status: 503,
      message: expect.stringContaining("does not answer in time"),
      hint: expect.stringContaining("Ask again soon"),
    });
  });

  it("goes on with a new token where GitHub refuses the one that there was", async () => {
    const { open } = await pushed();
    let times = 0;
    github.trouble = (made) => {
      times += made === "GET /repos/acme/app/pulls" ? 1 : 0;
      return times === 1 && made === "GET /repos/acme/app/pulls"
        ? Response.json({ message: "Bad credentials" }, { status: 401 })
        : null;
    };
    expect((await open()).status).toBe(200);
  });

  it("is refused for a branch that the session has not pushed, and for another host", async () => {
    const here = await pushed();
    expect(await here.refused({ branch: "main" })).toMatchObject({
      status: 422,
      hint: expect.stringContaining(BRANCH),
      details: { code: "pull_request_without_branch" },
    });
    expect(await here.refused({ branch: "a..b" })).toMatchObject({ status: 400, details: { field: "branch" } });
    const elsewhere = await pushed("https://gitlab.test/acme/app");
    expect(await elsewhere.refused()).toMatchObject({ status: 422, details: { code: "pull_request_elsewhere" } });
    const nothing = await bed.begin(MODEL, REPOSITORY);
    const path = `/api/v1/sessions/${nothing.sessionId}/pull-requests`;
    expect((await call<ErrorBody>("POST", path)).body.error.details?.code).toBe("pull_request_without_branch");
  });
});
