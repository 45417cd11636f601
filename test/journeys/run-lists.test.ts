/** What lists tell of runs: the same as a run by itself, but for the prompt, which they leave out. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { ListedRun, Run } from "#protocol/run.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { fail, routine as routineParty } from "#test/support/hang.ts";
import { ownerOf } from "#test/support/objects.ts";

const PROMPT_LENGTH = 100_000;

function toolCall(number: number): FrameBody {
  return { kind: "event", event: { type: "tool.call", tool_call_id: `toolu_${number}`, name: "Bash", input: {} } };
}

async function listed(path: string, runId: string): Promise<ListedRun | undefined> {
  const { body } = await call<Page<ListedRun>>("GET", path);
  return body.data.find(({ id }) => id === runId);
}

function withoutPrompt(run: Run): ListedRun {
  const { prompt: _prompt, ...routine } = run.routine;
  return { ...run, routine };
}

describe("a run", () => {
  it("is told alike by itself, in its routine's list and in that of all, whatever it has come to", async () => {
    const routine = await buildRoutine();
    using runner = await FakeRunner.join();
    const { run_id: runId } = await fired(routine);
    const paths = ["/api/v1/runs", `/api/v1/runs?routine=${routine.id}`, `/api/v1/routines/${routine.id}/runs`];
    const expectAlike = async (toolCalls: number) => {
      const run = await readRun(runId);
      expect(run.evidence.tool_calls).toBe(toolCalls);
      expect(run.routine.prompt).toBe("Do the work.");
      for (const path of paths) {
        // The index is written right after what it tells.
        await vi.waitFor(async () => expect(await listed(path, runId), path).toEqual(withoutPrompt(run)));
      }
    };
    const work = await runner.work(await runner.accept());
    await expectAlike(0);
    await work.report(RUNNING, toolCall(1));
    await expectAlike(1);
    await work.report(toolCall(2), toolCall(3));
    await expectAlike(3);
    await work.finish();
    await expectAlike(2);
  });
});

it("keeps a person's verdict with a run that has ended, and tells the index", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id: runId } = await fired(routine);
  const give = (body: unknown) => call<Run>("POST", `/api/v1/runs/${runId}/verdict`, body);
  const code = async (body: unknown) => {
    const { status, body: answer } = await call<{ error: { details: { code: string; issues?: { field: string }[] } } }>(
      "POST",
      `/api/v1/runs/${runId}/verdict`,
      body,
    );
    return [status, answer.error.details.code, answer.error.details.issues?.[0]?.field];
  };
  const work = await runner.work(await runner.accept());
  expect(await code({ verdict: "good" })).toEqual([409, "run_not_settled", undefined]);
  await work.report(RUNNING);
  await work.finish();
  expect(await code({ verdict: "fair" })).toEqual([400, "invalid_request", "verdict"]);
  expect(await code({ verdict: "poor", why: "x".repeat(2_001) })).toEqual([400, "invalid_request", "why"]);
  expect((await give({ verdict: "good" })).body).toMatchObject({
    verdict: { verdict: "good", why: null, actor: { kind: "owner", name: "owner" } },
  });
  const { body: poor } = await give({ verdict: "poor", why: " It broke the build. " });
  expect(poor).toMatchObject({ result: "done", verdict: { verdict: "poor", why: "It broke the build." } });
  expect((await give({ verdict: "poor", why: "It broke the build." })).body).toEqual(poor);
  for (const path of ["/api/v1/runs", `/api/v1/routines/${routine.id}/runs`]) {
    await vi.waitFor(async () => expect(await listed(path, runId), path).toEqual(withoutPrompt(poor)));
  }
});

it("a routine's object that fails leaves its runs as the index has them", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id: runId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, toolCall(1));
  await vi.waitUntil(async () => (await listed("/api/v1/runs", runId))?.status === "running");
  const toolCalls = async () => (await listed("/api/v1/runs", runId))?.evidence.tool_calls;
  using failing = fail(routineParty("activeRuns", routine.id));
  expect(await toolCalls()).toBe(0);
  failing.end();
  expect(await toolCalls()).toBe(1);
  await work.finish();
});

it("a list of one status has no run of another, however far behind the index is", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join();
  const { run_id: runId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, toolCall(1));
  await vi.waitUntil(async () => (await listed("/api/v1/runs", runId))?.status === "running");
  await vi.waitUntil(async () => (await listed("/api/v1/runs?status=running", runId))?.evidence.tool_calls === 1);
  const behind = `UPDATE runs SET status = 'starting', doc = json_set(doc, '$.status', 'starting', '$.timings.running_at', NULL)`;
  await env.DB.prepare(`${behind} WHERE id = ?`).bind(runId).run();
  expect((await listed("/api/v1/runs?status=starting", runId))?.status).toBe("starting");
  expect((await listed("/api/v1/runs", runId))?.status).toBe("running");
  await work.finish();
});

describe("the prompt of a run", () => {
  it("is in no row of a run, neither in D1 nor in its object, however long it is", async () => {
    const routine = await buildRoutine({ prompt: "x".repeat(PROMPT_LENGTH) });
    using runner = await FakeRunner.join();
    const { run_id: runId } = await fired(routine);
    const work = await runner.work(await runner.accept());
    const docOf = "SELECT doc FROM runs WHERE id = ?";
    const inIndex = await vi.waitUntil(() => env.DB.prepare(docOf).bind(runId).first<{ doc: string }>());
    const inObject = await runInDurableObject(ownerOf(runId), (_object, { storage }) =>
      storage.sql.exec<{ doc: string }>(docOf, runId).one(),
    );
    expect(inIndex.doc.length).toBeLessThan(1_200);
    expect(inObject.doc.length).toBeLessThan(1_200);
    expect(JSON.parse(inIndex.doc).routine).not.toHaveProperty("prompt");
    expect((await listed("/api/v1/runs", runId))?.routine).not.toHaveProperty("prompt");
    expect((await readRun(runId)).routine.prompt).toHaveLength(PROMPT_LENGTH);
    await work.finish();
  });

  it("stays that of its revision", async () => {
    const routine = await buildRoutine({ prompt: "The first." });
    const { run_id: runId } = await fired(routine);
    await call("PATCH", `/api/v1/routines/${routine.id}`, { prompt: "The second." });
    expect((await readRun(runId)).routine).toMatchObject({ revision: 1, prompt: "The first." });
    using runner = await FakeRunner.join();
    const work = await runner.work(await runner.accept());
    expect(work.order).toMatchObject({ task: "The first." });
    await work.finish();
  });
});
