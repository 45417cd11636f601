/** What a run pushes wakes other routines and not its own, however fast the webhook; and what a stranger's fork may do. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { runError } from "#protocol/run-errors.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, fired, readRun } from "#test/support/api.ts";
import { occurrencesOf, runsOf, triggerTexts, untilOccurred, workOn } from "#test/support/chains.ts";
import { deliverGithub, pullRequest, someRepository } from "#test/support/deliver.ts";
import { FakeRunner, type Offer, RUNNING } from "#test/support/fake-runner.ts";
import { ownerOf } from "#test/support/objects.ts";
import { ask } from "#test/worker/support.ts";

const NONE = "0".repeat(40);
const REF = "refs/heads/claude/docs";
const BROKEN: FrameBody = {
  kind: "finished",
  outcome: { status: "failed", error: runError("runner_failed", "setup") },
  report: null,
  seen: { turns: 0, tool_calls: 0, files_changed: 0, commits_pushed: 0, cost_usd: 0 },
};

type Repository = ReturnType<typeof someRepository>;

let upstream: () => Promise<Response>;
beforeEach(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    await new Request(input, init).arrayBuffer();
    return upstream();
  });
});

let commits = 0;
function someCommit(): string {
  commits += 1;
  return commits.toString(16).padStart(40, "c");
}

const packet = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;

/** What git in the sandbox sends through the proxy. @param verdict of the upstream. */
async function push({ lease, proxy_token }: Offer, commit: string, verdict: "ok" | "ng", meanwhile = async () => {}) {
  upstream = async () => {
    await meanwhile();
    const word = verdict === "ok" ? `ok ${REF}\n` : `ng ${REF} protected\n`;
    const headers = { "content-type": "application/x-git-receive-pack-result" };
    return new Response(`${packet("unpack ok\n")}${packet(word)}0000`, { headers });
  };
  const answer = await ask(`/proxy/${lease.run_id}/git/0/git-receive-pack`, {
    method: "POST",
    token: proxy_token,
    body: `${packet(`${NONE} ${commit} ${REF}\0 report-status`)}0000PACK`,
    headers: { "content-type": "application/x-git-receive-pack-request" },
  });
  const told = new TextDecoder().decode(await answer.arrayBuffer());
  expect([answer.status, told]).toEqual([200, expect.stringContaining(verdict)]);
}

/** The webhook of that push, as GitHub sends it. */
function pushEvent(repository: Repository, commit: string) {
  const sender = { login: "maya", type: "User" };
  const told = [{ id: commit, message: "docs: more" }];
  const payload = { ref: REF, before: NONE, after: commit, created: true, commits: told, repository, sender };
  return { event: "push", payload };
}

const onPush = { type: "github", event: "push" };

function attached(repository: Repository, triggers: object[], more: object = {}) {
  return buildRoutine({ repositories: [{ url: repository.html_url }], triggers, ...more });
}

/** A run of a routine whose sandbox is at work. */
async function begin(runner: FakeRunner, routine: { id: string; token: string }): Promise<Offer> {
  const work = await workOn(runner, (await fired(routine)).run_id);
  await work.report(RUNNING);
  return work.offer;
}

describe("a push of a run", () => {
  it("wakes the reviewer, one deep, and not the writer, before the upstream has even answered", async () => {
    const repository = someRepository();
    const writer = await attached(repository, [{ type: "api" }, onPush]);
    const reviewer = await attached(repository, [onPush]);
    using runner = await FakeRunner.join({ capacity: 10 });
    const offer = await begin(runner, writer);
    const commit = someCommit();
    await push(offer, commit, "ok", async () => {
      await deliverGithub(pushEvent(repository, commit));
    });
    const [own] = await occurrencesOf(writer.id);
    expect(own).toMatchObject({ outcome: "ignored", reason: "own_event", run_id: null });
    const [review] = await runsOf(reviewer.id);
    expect(review?.trigger).toMatchObject({ type: "github", depth: 1 });
    const work = await workOn(runner, review?.id ?? "");
    expect(work.order).toMatchObject({ checkout: { commit, ref: REF, is_fork: false } });
    expect(await occurrencesOf(reviewer.id)).toMatchObject([{ outcome: "started", trigger: { depth: 1 } }]);
  });

  it("wakes the writer itself where the trigger allows it, until the chain is 8 deep", async () => {
    const repository = someRepository();
    const writer = await attached(repository, [{ type: "api" }, { ...onPush, allow_self: true }]);
    using runner = await FakeRunner.join({ capacity: 20 });
    await fired(writer);
    for (let depth = 0; depth <= 8; depth += 1) {
      const [newest] = await runsOf(writer.id);
      const work = await workOn(runner, newest?.id ?? "");
      await work.report(RUNNING);
      expect((await readRun(work.offer.lease.run_id)).trigger.depth ?? 0).toBe(depth);
      const commit = someCommit();
      await push(work.offer, commit, "ok");
      await deliverGithub(pushEvent(repository, commit));
      await work.finish();
    }
    expect((await occurrencesOf(writer.id))[0]).toMatchObject({ outcome: "refused", reason: "chain_too_deep" });
  });

  it("is the run's own also where the repository has got another name since it was first heard of", async () => {
    const repository = someRepository();
    const writer = await attached(repository, [{ type: "api" }, onPush]);
    await deliverGithub(pushEvent(repository, someCommit()));
    using runner = await FakeRunner.join({ capacity: 10 });
    const offer = await begin(runner, writer);
    const commit = someCommit();
    await push(offer, commit, "ok");
    const renamed = { ...repository, full_name: `${repository.full_name}-renamed` };
    await deliverGithub(pushEvent(renamed, commit));
    expect((await occurrencesOf(writer.id))[0]).toMatchObject({ outcome: "ignored", reason: "own_event" });
  });

  it("mutes nothing when the upstream refused it: what others push there is theirs", async () => {
    const repository = someRepository();
    const writer = await attached(repository, [{ type: "api" }, onPush]);
    using runner = await FakeRunner.join({ capacity: 10 });
    const offer = await begin(runner, writer);
    const commit = someCommit();
    await push(offer, commit, "ng");
    await deliverGithub(pushEvent(repository, commit));
    expect((await occurrencesOf(writer.id))[0]).toMatchObject({ outcome: "started", reason: "admitted" });
    expect((await runsOf(writer.id))[0]?.trigger.depth).toBeUndefined();
  });

  it("leaves what people do with it to them, and makes no stranger's fork its own", async () => {
    const repository = someRepository();
    const onOpened = { type: "github", event: "pull_request" };
    const writer = await attached(repository, [{ type: "api" }, onPush, onOpened]);
    using runner = await FakeRunner.join({ capacity: 10 });
    const offer = await begin(runner, writer);
    const commit = someCommit();
    await push(offer, commit, "ok");
    const merge = { ...pushEvent(repository, someCommit()).payload, ref: "refs/heads/main", commits: [{ id: commit }] };
    await deliverGithub({ event: "push", payload: merge });
    const fork = pullRequest(repository, { isFork: true, association: "NONE", sha: commit });
    await deliverGithub({ event: "pull_request", payload: fork });
    const own = pullRequest(repository, { sha: commit, number: 8 });
    await deliverGithub({ event: "pull_request", payload: own });
    const reasons = (await occurrencesOf(writer.id)).map(({ reason }) => reason);
    expect(reasons).toEqual(["own_event", "stranger", "admitted", "admitted"]);
  });
});

describe("a pull request from a stranger's fork", () => {
  it("starts nothing by default; where it may, the order says that it is a fork's, at every attempt", async () => {
    const repository = someRepository();
    const onOpened = { type: "github", event: "pull_request", actions: ["opened"] };
    const closed = await attached(repository, [onOpened]);
    const open = await attached(repository, [{ ...onOpened, allow_public: true }], {
      retry: { max: 1, backoff: "30s" },
    });
    using runner = await FakeRunner.join({ capacity: 10 });
    const sha = someCommit();
    const payload = pullRequest(repository, { isFork: true, association: "NONE", sha });
    await deliverGithub({ event: "pull_request", payload });
    expect(await untilOccurred(closed.id)).toMatchObject([{ outcome: "ignored", reason: "stranger", run_id: null }]);
    expect(await runsOf(closed.id)).toEqual([]);

    const url = repository.html_url;
    const checkout = { repository: url, ref: "refs/pull/7/head", commit: sha, is_fork: true, trusted_ref: null };
    const runId = (await runsOf(open.id))[0]?.id ?? "";
    const first = await workOn(runner, runId);
    expect(first.order).toMatchObject({ checkout, task: expect.stringContaining('untrusted="true"') });
    expect(await triggerTexts(await readRun(runId))).toEqual([expect.stringContaining("From a fork: true")]);
    await first.finish(BROKEN);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 31_000 });
    await runDurableObjectAlarm(ownerOf(runId));
    vi.useRealTimers();
    const second = await workOn(runner, runId);
    expect(second.offer.lease).toEqual({ run_id: runId, generation: 2 });
    expect(second.order).toMatchObject({ checkout });
    expect(await runsOf(open.id)).toHaveLength(1);
  });
});

describe("a burst", () => {
  it("is as deep as its deepest event, and checks out the newest commit", async () => {
    const repository = someRepository();
    const writer = await attached(repository, [{ type: "api" }]);
    const reviewer = await attached(repository, [{ ...onPush, coalesce: { window: "60s" } }]);
    using runner = await FakeRunner.join({ capacity: 10 });
    const offer = await begin(runner, writer);
    await deliverGithub(pushEvent(repository, someCommit()));
    const commit = someCommit();
    await push(offer, commit, "ok");
    await deliverGithub(pushEvent(repository, commit));
    const [run, ...more] = await runsOf(reviewer.id);
    expect(more).toEqual([]);
    expect(run?.trigger).toMatchObject({ depth: 1, occurrence_ids: [expect.any(String), expect.any(String)] });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
    await runDurableObjectAlarm(ownerOf(run?.id ?? ""));
    vi.useRealTimers();
    expect((await workOn(runner, run?.id ?? "")).order).toMatchObject({ checkout: { commit } });
  });
});
