/** A routine reviews the runs of another: what it thinks is kept with the run that woke it, beside a person's verdict. */
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ErrorBody } from "#protocol/errors.ts";
import { runnerCallPath } from "#protocol/runner-calls.ts";
import type { VerdictInput } from "#protocol/verdict.ts";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { playRun, runsOf, untilOccurred, workOn } from "#test/support/chains.ts";
import { FakeRunner, type FakeWork, RUNNING } from "#test/support/fake-runner.ts";

/** As the runner of the reviewing run sends what its agent says. */
async function review(work: FakeWork, given: VerdictInput | { verdict: string }) {
  const { lease, link_token } = work.offer;
  const response = await exports.default.fetch(
    new Request(`http://reveille.test${runnerCallPath(lease.run_id, "verdict")}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${link_token}`, "content-type": "application/json" },
      body: JSON.stringify(given),
    }),
  );
  const body = (await response.json()) as ErrorBody | null;
  return { status: response.status, code: body?.error.details?.code };
}

/** A writer whose run has ended, and the run of a critic that it has woken. */
async function reviewed(runner: FakeRunner, more: object = {}) {
  const writer = await buildRoutine({ ...more });
  const critic = await buildRoutine({ triggers: [{ type: "routine", routine: writer.id }] });
  const { run_id: runId } = await fired(writer);
  await playRun(runner, runId);
  const [occurrence] = await untilOccurred(critic.id);
  const reviewId = occurrence?.run_id ?? "";
  const work = await workOn(runner, reviewId);
  await work.report(RUNNING);
  return { writer, critic, runId, reviewId, work };
}

const reviewsOf = async (runId: string) => {
  const run = await readRun(runId);
  return "reviews" in run ? run.reviews : undefined;
};

describe("a routine that reviews", () => {
  it("gives one verdict on the run that woke it, which stands beside a person's and in lists", async () => {
    using runner = await FakeRunner.join({ capacity: 20 });
    const { writer, critic, runId, reviewId, work } = await reviewed(runner);
    expect(work.order).toMatchObject({ reviews: runId });
    expect((await readRun(reviewId)).trigger).toMatchObject({ type: "routine", woken_by: runId });
    const woken = async (by: string) => (await call("GET", `/api/v1/runs?woken_by=${by}`)).body;
    // D1 is told a moment later.
    await vi.waitFor(async () =>
      expect(await woken(runId)).toMatchObject({ data: [{ id: reviewId }], next_cursor: null }),
    );
    expect(await woken(reviewId)).toMatchObject({ data: [] });
    const why = "It has no tests.";
    await call("POST", `/api/v1/runs/${runId}/verdict`, { verdict: "good" });
    expect((await review(work, { verdict: "good" })).status).toBe(200);
    expect((await review(work, { verdict: "poor", why })).status).toBe(200);
    // Told again, because its answer was lost.
    expect((await review(work, { verdict: "poor", why })).status).toBe(200);
    const by = { kind: "run", id: reviewId, routine_id: critic.id, name: critic.name };
    expect(await reviewsOf(runId)).toEqual([{ verdict: "poor", why, by, at: expect.any(String) }]);
    expect(await readRun(runId)).toMatchObject({ verdict: { verdict: "good", actor: { kind: "owner" } } });
    expect(await runsOf(writer.id)).toMatchObject([{ id: runId, reviews: [{ verdict: "poor" }] }]);
    await work.finish();
    expect(await review(work, { verdict: "good" })).toMatchObject({ status: 401, code: "runner_refused" });
  });

  it("is told of in the next run of the one that it has reviewed", async () => {
    using runner = await FakeRunner.join({ capacity: 20 });
    const { writer, runId, work } = await reviewed(runner, { context_from: [{ routine: "self" }] });
    await review(work, { verdict: "poor", why: "It has no tests." });
    await work.finish();
    const { run_id: next } = await fired(writer);
    const { order } = await workOn(runner, next);
    expect(order).toMatchObject({
      task: expect.stringMatching(new RegExp(`run ${runId} .+: poor\nwhy:\n> It has`, "s")),
    });
  });

  it("refuses what is no verdict, and a run that none has woken", async () => {
    using runner = await FakeRunner.join({ capacity: 20 });
    const { work, writer, runId } = await reviewed(runner);
    expect(await review(work, { verdict: "bad" })).toMatchObject({ status: 400, code: "invalid_request" });
    const { run_id: alone } = await fired(writer);
    const other = await workOn(runner, alone);
    await other.report(RUNNING);
    expect(other.order).not.toHaveProperty("reviews");
    expect(await review(other, { verdict: "good" })).toEqual({ status: 409, code: "nothing_to_review" });
    expect(await reviewsOf(runId)).toBeUndefined();
  });

  it("can be done again by a retry of the reviewing run, whose verdict is one more", async () => {
    using runner = await FakeRunner.join({ capacity: 20 });
    const { runId, reviewId, work } = await reviewed(runner);
    await review(work, { verdict: "good" });
    await work.finish();
    const { body } = await call<{ run_id: string }>("POST", `/api/v1/runs/${reviewId}/retry`);
    const again = await workOn(runner, body.run_id);
    await again.report(RUNNING);
    await review(again, { verdict: "poor" });
    expect((await reviewsOf(runId))?.map(({ verdict }) => verdict)).toEqual(["good", "poor"]);
  });
});
