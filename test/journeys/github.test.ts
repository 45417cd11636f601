/** GitHub's deliveries: stored, answered, matched, and each with a record of what became of it. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import { buildRoutine, call, readRun, readTranscript } from "#test/support/api.ts";
import { deliverGithub, pullRequest, readDelivery, someRepository } from "#test/support/deliver.ts";

async function waiting(repository: { html_url: string }, trigger: object = {}, more: object = {}) {
  return buildRoutine({
    repositories: [{ url: repository.html_url }],
    triggers: [{ type: "github", event: "pull_request", actions: ["opened"], ...trigger }],
    ...more,
  });
}

async function occurrences(id: string): Promise<Occurrence[]> {
  return (await call<Page<Occurrence>>("GET", `/api/v1/routines/${id}/occurrences`)).body.data;
}

/** By what the routine is found, as D1 has it. */
async function subscriptionKeys(id: string): Promise<string[]> {
  const asked = env.DB.prepare("SELECT key FROM subscriptions WHERE routine_id = ?").bind(id);
  return (await asked.all<{ key: string }>()).results.map(({ key }) => key);
}

describe("a pull request", () => {
  it("starts the routines that wait for it, and tells why the others do not", async () => {
    const repository = someRepository();
    const filters = [{ field: "base_branch", operator: "equals", value: "main" }];
    const routine = await waiting(repository, { filters });
    const other = await waiting(repository, { filters: [{ field: "base_branch", operator: "equals", value: "next" }] });
    const { status, deliveryId } = await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
    expect(status).toBe(202);
    const delivery = await readDelivery(deliveryId);
    expect(delivery).toMatchObject({ status: "handled", event: "pull_request", action: "opened", source: "github" });
    expect(delivery.headers["x-hub-signature-256"]).toBe("[redacted]");
    const [mine, others] = [routine.id, other.id].map((id) => delivery.outcomes.find((one) => one.routine_id === id));
    expect(mine).toMatchObject({ matched: true, outcome: "started", reason: "admitted" });
    expect(others).toMatchObject({ matched: false, outcome: null, why: 'base_branch is "main", not "next"' });
    const run = await readRun(mine?.run_id ?? "");
    expect(run.trigger).toMatchObject({ type: "github", id: routine.triggers[0]?.id });
    const texts = (await readTranscript(run.session_id)).flatMap((event) =>
      event.type === "user.message" && event.source === "trigger" ? [event.text] : [],
    );
    expect(texts).toEqual([expect.stringContaining("Fix the thing")]);
    expect(await occurrences(other.id)).toEqual([]);
  });

  it("that comes 200 times at once starts one run, and is a duplicate 199 times", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    const copy = { event: "pull_request", payload: pullRequest(repository), id: crypto.randomUUID() };
    const answers = await Promise.all(Array.from({ length: 200 }, () => deliverGithub(copy)));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    const all: Occurrence[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: { body: Page<Occurrence> } = await call(
        "GET",
        `/api/v1/routines/${routine.id}/occurrences?limit=200${query}`,
      );
      all.push(...page.body.data);
      cursor = page.body.next_cursor;
    }
    const outcomes = all.map(({ outcome }) => outcome);
    expect(outcomes.filter((one) => one === "started")).toHaveLength(1);
    expect(outcomes.filter((one) => one === "duplicate")).toHaveLength(199);
    expect(new Set(all.map(({ run_id }) => run_id)).size).toBe(1);
  });

  it("under a new delivery id is the same event, and replayed by a person it is a new one", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    const payload = pullRequest(repository);
    const first = await deliverGithub({ event: "pull_request", payload });
    await deliverGithub({ event: "pull_request", payload });
    expect((await occurrences(routine.id)).map(({ reason }) => reason)).toEqual(["same_event", "admitted"]);
    const replayed = await call("POST", `/api/v1/deliveries/${first.deliveryId}/replay`);
    expect(replayed.status).toBe(200);
    expect((await occurrences(routine.id)).map(({ reason }) => reason)).toEqual(["admitted", "same_event", "admitted"]);
  });

  it("from a stranger starts nothing, unless the trigger allows the public", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    const open = await waiting(repository, { allow_public: true });
    const payload = pullRequest(repository, { association: "NONE", isFork: true });
    await deliverGithub({ event: "pull_request", payload });
    expect((await occurrences(routine.id)).map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["ignored", "stranger"],
    ]);
    expect((await occurrences(open.id)).map(({ outcome }) => outcome)).toEqual(["started"]);
  });

  it("finds its routine by number after the repository was renamed, and no other that takes the name", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    await deliverGithub({ event: "pull_request", payload: pullRequest(repository) });
    await vi.waitFor(async () =>
      expect(await subscriptionKeys(routine.id)).toContain(`github:${repository.id}:pull_request`),
    );
    const renamed = { ...repository, full_name: `${repository.full_name}-new` };
    await deliverGithub({ event: "pull_request", payload: pullRequest(renamed, { number: 8 }) });
    const usurper = { ...repository, id: repository.id + 900_000 };
    await deliverGithub({ event: "pull_request", payload: pullRequest(usurper, { number: 9 }) });
    expect((await occurrences(routine.id)).map(({ outcome }) => outcome)).toEqual(["started", "started"]);
  });

  it("is refused without the right signature, in the same words whatever is wrong", async () => {
    const payload = pullRequest(someRepository());
    const body = JSON.stringify(payload);
    const wrong = ["", "sha256=", `sha256=${"0".repeat(64)}`, `sha1=${"0".repeat(40)}`, body];
    const answers = await Promise.all(
      wrong.map((signature) => deliverGithub({ event: "pull_request", payload, signature: signature.slice(0, 99) })),
    );
    expect(answers.map(({ status }) => status)).toEqual(wrong.map(() => 401));
  });

  it("joins a burst that one run is for, and the run names all its occurrences", async () => {
    const repository = someRepository();
    const routine = await waiting(repository, {
      actions: ["opened", "synchronize"],
      coalesce: { key: "number", window: "60s" },
    });
    const send = (action: string, sha: string, number = 7) =>
      deliverGithub({ event: "pull_request", payload: pullRequest(repository, { action, sha, number }) });
    await send("opened", "1".repeat(40));
    await send("synchronize", "2".repeat(40));
    await send("synchronize", "3".repeat(40), 8);
    const all = await occurrences(routine.id);
    expect(all.map(({ outcome, reason }) => [outcome, reason])).toEqual(all.map(() => ["queued", "coalesced"]));
    const [other, second, first] = all;
    expect(second?.run_id).toBe(first?.run_id);
    expect(other?.run_id).not.toBe(first?.run_id);
    const run = await readRun(first?.run_id ?? "");
    expect(run.status).toBe("queued");
    expect(run.trigger.occurrence_ids).toEqual([first?.id, second?.id]);
  });

  it("is judged without firing, also as it would be sent", async () => {
    const repository = someRepository();
    const routine = await waiting(repository);
    const test = await call<{ data: { matched: boolean; why: string }[] }>(
      "POST",
      `/api/v1/routines/${routine.id}/triggers/test`,
      { source: "github", event: "pull_request", payload: pullRequest(repository, { action: "closed" }) },
    );
    expect(test.status).toBe(200);
    expect(test.body.data).toMatchObject([{ matched: false, why: "The action is closed, not opened." }]);
    expect(await occurrences(routine.id)).toEqual([]);
  });
});
