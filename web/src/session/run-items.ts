/** Pure: the item of a run's beginning, which grows with each of its events until the agent is on. */
import type { RunItem } from "./item-types.ts";
import type { EventOf } from "./plain-items.ts";

export type BeginningEvent = EventOf<"run.queued" | "run.starting" | "run.step" | "run.running">;

export function beginRun(event: BeginningEvent, key: string): RunItem {
  const empty: RunItem = {
    kind: "run",
    key,
    seqs: [],
    runId: event.run_id,
    atMs: Date.parse(event.at),
    attempt: null,
    summary: null,
    queuedAtMs: null,
    startingAtMs: null,
    runningAtMs: null,
    endedAtMs: null,
    steps: [],
    sandbox: null,
    model: null,
  };
  return extendRun(empty, event);
}

export function extendRun(item: RunItem, event: BeginningEvent): RunItem {
  const atMs = Date.parse(event.at);
  const grown = { ...item, seqs: [...item.seqs, event.seq] };
  switch (event.type) {
    case "run.queued":
      return { ...grown, attempt: event.attempt, summary: event.summary, queuedAtMs: atMs };
    case "run.starting":
      return { ...grown, attempt: event.attempt, startingAtMs: atMs };
    case "run.step":
      return { ...grown, steps: [...item.steps, { phase: event.phase, message: event.message, atMs }] };
    case "run.running":
      return { ...grown, attempt: event.attempt, runningAtMs: atMs, sandbox: event.sandbox, model: event.model };
  }
}

/** Whether nothing more belongs to it: the agent is on, or the attempt is over. */
export function isRunItemClosed(item: RunItem): boolean {
  return item.runningAtMs !== null || item.endedAtMs !== null;
}

/** Two parts of one beginning that were loaded one by one. */
export function joinRunItems(earlier: RunItem, later: RunItem): RunItem {
  return {
    ...earlier,
    seqs: [...earlier.seqs, ...later.seqs],
    attempt: earlier.attempt ?? later.attempt,
    startingAtMs: earlier.startingAtMs ?? later.startingAtMs,
    runningAtMs: later.runningAtMs,
    endedAtMs: later.endedAtMs,
    steps: [...earlier.steps, ...later.steps],
    sandbox: later.sandbox,
    model: later.model,
  };
}

export interface TimedStep {
  message: string;
  /** Until the next step, or until the agent was on; of the step that goes on, until `nowMs`. */
  ms: number;
  isOn: boolean;
}

/** The steps with how long each took. */
export function timedSteps(item: RunItem, nowMs: number): TimedStep[] {
  const endMs = item.runningAtMs ?? item.endedAtMs;
  return item.steps.map(({ message, atMs }, index) => {
    const untilMs = item.steps[index + 1]?.atMs ?? endMs;
    return { message, ms: Math.max(0, (untilMs ?? nowMs) - atMs), isOn: untilMs === null };
  });
}
