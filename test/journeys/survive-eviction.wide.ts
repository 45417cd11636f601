/** The routine's object is evicted at every step of a run: same ending, same transcript. */
import { expect, it, vi } from "vitest";
import type { TranscriptEvent } from "#protocol/transcript.ts";
import { buildRoutine, call, eventsOf, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { evictOwnerOf } from "#test/support/objects.ts";

const STEPS = ["fired", "watching", "offered", "linked", "running", "working", "frames under way", "finished"] as const;
type StepName = (typeof STEPS)[number];

/** One run from fire to finish; `at` is called after each step with the run's id. */
async function wholeRun(at: (step: StepName, runId: string) => Promise<void>) {
  const routine = await buildRoutine({ name: "evicted" });
  using runner = await FakeRunner.join();
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  await at("fired", run_id);
  const viewer = await watch(sessionId);
  await at("watching", run_id);
  const offer = await runner.accept();
  await at("offered", run_id);
  const work = await runner.work(offer);
  await at("linked", run_id);
  await work.report(RUNNING);
  await at("running", run_id);
  await work.report(agentSays("one"), agentSays("two"));
  await at("working", run_id);
  work.send(agentSays("three"));
  await at("frames under way", run_id);
  await work.connect();
  await work.finish(SUCCEEDED);
  await at("finished", run_id);
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  const transcript = await readTranscript(sessionId);
  expect(eventsOf(viewer)).toEqual(transcript);
  return { run: await readRun(run_id), transcript };
}

function comparable(events: TranscriptEvent[]) {
  return events.map(({ at: _at, run_id: _run, session_id: _session, ...event }) => event);
}

it("ends the same whenever the object is evicted", async () => {
  const undisturbed = await wholeRun(async () => {});
  expect(undisturbed.transcript.filter(({ type }) => type === "agent.message")).toHaveLength(3);
  for (const evictAt of STEPS) {
    const disturbed = await wholeRun(async (step, runId) => {
      if (step === evictAt) await evictOwnerOf(runId);
    });
    expect(comparable(disturbed.transcript), `evicted when ${evictAt}`).toEqual(comparable(undisturbed.transcript));
    expect(disturbed.run.status).toBe("succeeded");
  }
  const everywhere = await wholeRun(async (_step, runId) => evictOwnerOf(runId));
  expect(comparable(everywhere.transcript)).toEqual(comparable(undisturbed.transcript));
  await vi.waitUntil(async () => {
    const listed = await call<{ data: { id: string; status: string }[] }>("GET", "/api/v1/runs?limit=50");
    return listed.body.data.find(({ id }) => id === everywhere.run.id)?.status === "succeeded";
  });
});
