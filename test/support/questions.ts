/** An agent that asks, and people who answer. */
import { runDurableObjectAlarm } from "cloudflare:test";
import { expect, vi } from "vitest";
import type { ErrorBody } from "#protocol/errors.ts";
import type { AskedQuestion } from "#protocol/question.ts";
import type { Run } from "#protocol/run.ts";
import type { FrameBody } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readTranscript } from "./api.ts";
import { type FakeRunner, type FakeWork, RUNNING, SUCCEEDED } from "./fake-runner.ts";
import { ownerOf } from "./objects.ts";

export const QUESTION: AskedQuestion = {
  id: "toolu_question",
  kind: "question",
  text: "Which colour?",
  choices: ["red", "blue"],
  default: "red",
  call: null,
  input_hash: "a".repeat(64),
};
export const APPROVAL: AskedQuestion = {
  ...QUESTION,
  id: "toolu_push",
  kind: "approval",
  text: "The agent asks to call Bash: git push",
  choices: [],
  default: null,
  call: { tool: "Bash", input: { command: "git push" } },
};

export const asks = (question: AskedQuestion): FrameBody => ({ kind: "waiting", for: question.kind, question });
export const resultOf = (id: string): FrameBody => ({
  kind: "event",
  event: { type: "tool.result", tool_call_id: id, is_error: false, text: "ok" },
});

/** A run whose agent has asked. @param waits what it says of that. */
export async function asking(
  runner: FakeRunner,
  question: AskedQuestion,
  {
    features = [] as string[],
    waits = asks(question),
    limits = {},
    ...more
  }: Record<string, unknown> & {
    features?: string[];
    waits?: FrameBody;
    limits?: Record<string, unknown>;
  } = {},
) {
  const routine = await buildRoutine({ limits: { timeout: "10h", answer: "1h", ...limits }, ...more });
  const { run_id, claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept(), features);
  await work.report(RUNNING, waits);
  return { routine, runId: run_id, sessionId, work };
}

export const PARKS = { features: ["steer", "tools", "park"], limits: { answer: "48h" } };
export const parked = (putOff: string | null): FrameBody => ({
  ...(SUCCEEDED as Extract<FrameBody, { kind: "finished" }>),
  outcome: { status: "parked", put_off: putOff },
  report: null,
});

/** Moves the time on, and lets the run's object look at its deadlines. */
export async function later(runId: string, ms: number): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms });
  await runDurableObjectAlarm(ownerOf(runId));
}

/** The sandbox has been kept long enough, and its runner is told. */
export async function toldToPark(runId: string, work: FakeWork): Promise<void> {
  await later(runId, 301_000);
  // Its runner has not been silent for so long.
  vi.useRealTimers();
  await work.link.next(({ type }) => type === "park");
}

/** The next attempt at a run that goes on. */
export async function goesOn(runner: FakeRunner, runId: string): Promise<FakeWork> {
  const work = await runner.work(await runner.accept(), PARKS.features);
  expect(work.order).toMatchObject({ run_id: runId, generation: 2 });
  return work;
}

export function answer(runId: string, body: Record<string, unknown>) {
  return call<Run & ErrorBody>("POST", `/api/v1/runs/${runId}/answer`, body);
}

/** The answers that the runner was told, in order. */
export function told(work: FakeWork) {
  return work.link.messages.filter(({ type }) => type === "answer");
}

export async function heard(work: FakeWork) {
  return await work.link.next(({ type }) => type === "answer");
}

export async function typesOf(sessionId: string) {
  return (await readTranscript(sessionId)).map(({ type }) => type);
}
