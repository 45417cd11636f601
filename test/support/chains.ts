/** Chains of routines, as verbs, for tests in workerd. */
import { vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { Occurrence } from "#protocol/occurrence.ts";
import type { Run } from "#protocol/run.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { call, readTranscript } from "./api.ts";
import { type FakeRunner, type FakeWork, SUCCEEDED } from "./fake-runner.ts";

export async function occurrencesOf(routineId: string): Promise<Occurrence[]> {
  return (await call<Page<Occurrence>>("GET", `/api/v1/routines/${routineId}/occurrences`)).body.data;
}

export async function runsOf(routineId: string): Promise<Run[]> {
  return (await call<Page<Run>>("GET", `/api/v1/routines/${routineId}/runs`)).body.data;
}

/** Waits until a routine has so many occurrences. @returns them, newest first. */
export async function untilOccurred(routineId: string, count = 1): Promise<Occurrence[]> {
  let found: Occurrence[] = [];
  const isThere = async () => {
    found = await occurrencesOf(routineId);
    return found.length >= count;
  };
  await vi.waitUntil(isThere);
  return found;
}

/** Takes up one run; runs that are offered before it are left at their beginning. */
export async function workOn(runner: FakeRunner, runId: string, features: readonly string[] = []): Promise<FakeWork> {
  let offer = await runner.accept();
  while (offer.lease.run_id !== runId) offer = await runner.accept();
  return runner.work(offer, features);
}

/** Plays one run to its end. */
export async function playRun(runner: FakeRunner, runId: string, ending: FrameBody = SUCCEEDED): Promise<void> {
  await (await workOn(runner, runId)).finish(ending);
}

/** Plays the run of a routine's newest occurrence, once there are so many. @returns its id. */
export async function playWoken(runner: FakeRunner, routineId: string, count = 1): Promise<string> {
  const runId = (await untilOccurred(routineId, count))[0]?.run_id ?? "";
  await playRun(runner, runId);
  return runId;
}

/** What came with the trigger, as the agent is told. */
export async function triggerTexts(run: Run): Promise<string[]> {
  return (await readTranscript(run.session_id)).flatMap((event) =>
    event.type === "user.message" && event.source === "trigger" ? [event.text] : [],
  );
}
