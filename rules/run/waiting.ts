/** A run that waits for a person: kept in its sandbox for a while, then without one. And how a run comes to its end. Pure. */
import type { AttemptOutcome } from "#protocol/attempt-outcome.ts";
import { timestamp } from "#protocol/time.ts";
import { PARK_GRACE_MS, TIMEOUT_GRACE_MS } from "./deadlines.ts";
import { withoutWaiting } from "./ending.ts";
import type { DoneBefore, Effect, RunInput, RunLimits, RunState, Step } from "./inputs.ts";
import { queueAgain } from "./next-attempt.ts";
import type { ActiveRecord, WaitingRecord } from "./record.ts";

/**
 * Whether the run can go on in another sandbox than the one in which it waits. Where it can't, its sandbox is kept until the
 * attempt's time is over.
 */
export function canPark({ features }: Pick<RunState, "features">): boolean {
  return features.includes("park");
}

const NO_ANSWER_WAITED_FOR: Effect = { type: "set_deadline", kind: "answer", atMs: Number.POSITIVE_INFINITY };

/** The agent does nothing until something has come: the run's place is another's meanwhile. */
export function beginWaiting(
  state: RunState,
  run: ActiveRecord,
  { for: what, untilMs, question, reason }: Extract<RunInput, { type: "waiting" }>,
  limits: RunLimits,
  nowMs: number,
): Step | null {
  const until = untilMs === null ? null : timestamp(untilMs);
  if (what === "budget") return stopForBudget(state, run, { until, reason }, nowMs);
  if (run.status !== "running") return null;
  const heldUntilMs = canPark(state)
    ? nowMs + limits.holdMs
    : Math.max(nowMs, Date.parse(run.timings.running_at) + limits.timeoutMs);
  const { call: _call, ...asked } = question ?? { call: null };
  const waiting = {
    ...{ for: what, since: timestamp(nowMs), until, held_until: timestamp(heldUntilMs) },
    ...("id" in asked ? { question: asked } : {}),
  };
  const answerBy: Effect[] = untilMs === null ? [] : [{ type: "set_deadline", kind: "answer", atMs: untilMs }];
  const hold: Effect[] = [
    // The time in which nothing can be done does not count.
    { type: "set_deadline", kind: "timeout", atMs: Number.POSITIVE_INFINITY },
    { type: "set_deadline", kind: "hold", atMs: heldUntilMs },
  ];
  return {
    state: { ...state, run: { ...run, status: "waiting", waiting } },
    events: [{ type: "run.waiting", for: what, until, ...(question === null ? {} : { question }) }],
    effects: [...(canPark(state) ? hold : []), ...answerBy, { type: "promote" }],
  };
}

/**
 * The agent's calls are refused from now on, so it can do nothing and ends: its sandbox is not kept, and what comes then begins
 * another attempt.
 */
function stopForBudget(state: RunState, run: ActiveRecord, spent: Spent, nowMs: number): Step | null {
  if (run.status === "waiting") return waitAnew(state, run, spent);
  // The first call may come before its runner has told that the agent is running.
  if ((run.status !== "running" && run.status !== "starting") || run.runner === null) return null;
  const told = wordsOf(spent);
  const waiting = { for: "budget" as const, since: timestamp(nowMs), held_until: null, ...told };
  const timings = { ...run.timings, running_at: run.timings.running_at ?? timestamp(nowMs) };
  return {
    state: { ...state, phase: "agent", run: { ...run, status: "waiting", timings, waiting } },
    events: [{ type: "run.waiting", for: "budget", ...told }],
    effects: [
      { type: "set_deadline", kind: "start", atMs: Number.POSITIVE_INFINITY },
      { type: "set_deadline", kind: "timeout", atMs: Number.POSITIVE_INFINITY },
      { type: "set_deadline", kind: "hold", atMs: nowMs + PARK_GRACE_MS },
      ...(canPark(state) ? [{ type: "tell_park" } as const] : []),
      { type: "promote" },
    ],
  };
}

/** Why a run waits for a budget, and until when. */
interface Spent {
  until: string | null;
  reason: string | undefined;
}

function wordsOf({ until, reason }: Spent): { until: string | null; reason?: string } {
  return { until, ...(reason === undefined ? {} : { reason }) };
}

/** Another budget than before is the one that is spent, or the one that was raised is lowered again. */
function waitAnew(state: RunState, run: WaitingRecord, spent: Spent): Step | null {
  const isOther = run.waiting.until !== spent.until;
  const isContinuing = state.ending === "continuing";
  const isNews = isOther || isContinuing || run.waiting.reason !== spent.reason;
  if (run.waiting.for !== "budget" || !isNews) return null;
  const { reason: _before, ...kept } = run.waiting;
  const changed = { ...run, waiting: { ...kept, ...wordsOf(spent) } };
  return {
    state: { ...state, ending: isContinuing ? null : state.ending, run: changed },
    events: isOther ? [{ type: "run.waiting", for: "budget", ...wordsOf(spent) }] : [],
    effects: run.runner === null ? [{ type: "set_deadline", kind: "hold", atMs: goesOnAtMs(changed) }] : [],
  };
}

/**
 * Whether the run waits on when its attempt has ended. One that waits for a budget has nothing else to fail of: its calls are
 * refused. @param outcome null where its lease has ended before its runner had said how.
 */
function waitsOn(state: RunState, run: ActiveRecord, outcome: AttemptOutcome | null): run is WaitingRecord {
  if (run.status !== "waiting" || run.cancel_reason !== null) return false;
  const isForBudget = run.waiting.for === "budget";
  if (outcome !== null) return outcome.status === "parked" || (isForBudget && outcome.status === "failed");
  return isForBudget || (canPark(state) && state.overdue === null);
}

/**
 * What the run waits for has come: it goes on where it is, or without a sandbox in another attempt. A sandbox that is being
 * given up can't be had back.
 */
export function goOn(state: RunState, run: ActiveRecord, limits: RunLimits, nowMs: number): Step | null {
  if (run.status !== "waiting" || run.cancel_reason !== null) return null;
  const { runner, waiting } = run;
  if (runner === null) return queueToGoOn(state, run);
  if (waiting.held_until === null) {
    return state.ending === "continuing"
      ? null
      : { state: { ...state, ending: "continuing" }, events: [], effects: [] };
  }
  const timeoutMs = nowMs + limits.timeoutMs + TIMEOUT_GRACE_MS;
  const resume: Effect[] = [
    { type: "set_deadline", kind: "hold", atMs: Number.POSITIVE_INFINITY },
    { type: "set_deadline", kind: "timeout", atMs: timeoutMs },
  ];
  return {
    state: { ...state, run: { ...withoutWaiting(run), status: "running", runner } },
    events: [{ type: "run.continued", after: waiting.for }],
    effects: [...(canPark(state) ? resume : []), NO_ANSWER_WAITED_FOR],
  };
}

/** The sandbox has been kept long enough: its runner is told to give it up, and later made to. */
export function endHold(state: RunState, run: WaitingRecord, nowMs: number): Step | null {
  const { waiting } = run;
  // A month has ended, and its budget begins anew.
  if (run.runner === null) return waiting.for === "budget" ? queueToGoOn(state, run) : null;
  if (waiting.held_until === null) return { state, events: [], effects: [{ type: "release_lease" }] };
  return {
    state: { ...state, run: { ...run, waiting: { ...waiting, held_until: null } } },
    events: [],
    effects: [{ type: "tell_park" }, { type: "set_deadline", kind: "hold", atMs: nowMs + PARK_GRACE_MS }],
  };
}

/**
 * The attempt has ended so that another can go on. @param outcome null where its lease has ended before its runner had said how.
 * @param isUnheard what the run waited for has come, and come to nothing. @returns null where that is not so.
 */
export function park(
  state: RunState,
  run: ActiveRecord,
  outcome: AttemptOutcome | null,
  isUnheard = outcome?.status === "parked",
): Step | null {
  const putOff = outcome?.status === "parked" ? outcome.put_off : null;
  if (waitsOn(state, run, outcome)) return giveUpSandbox(state, run, putOff);
  const mayGoOn = run.status === "running" && run.cancel_reason === null && state.overdue === null;
  return isUnheard && mayGoOn && canPark(state) ? goOnElsewhere(run, putOff) : null;
}

/**
 * The run has no sandbox any more. It waits on, unless what it waits for has come meanwhile.
 * @param putOff the call that the agent's program has put off; null for a sandbox that was lost.
 */
function giveUpSandbox(state: RunState, run: WaitingRecord, putOff: string | null): Step {
  const before = doneBy(run, putOff);
  const parked: WaitingRecord = { ...run, runner: null, waiting: { ...run.waiting, held_until: null } };
  const waits: Step = {
    state: { ...state, boot: null, features: [], ending: null, before, run: parked },
    events: [],
    effects: [{ type: "set_deadline", kind: "hold", atMs: goesOnAtMs(run) }],
  };
  if (state.ending !== "continuing") return waits;
  const next = queueToGoOn(waits.state, parked);
  return { ...next, effects: [...waits.effects, ...next.effects] };
}

/** When it goes on by itself, in Unix milliseconds. */
function goesOnAtMs({ waiting }: WaitingRecord): number {
  return waiting.for === "budget" && waiting.until !== null ? Date.parse(waiting.until) : Number.POSITIVE_INFINITY;
}

/** What it waited for came while its runner ended, which has not heard of it. */
function goOnElsewhere(run: ActiveRecord, putOff: string | null): Step {
  const attempt = run.attempt + 1;
  return {
    state: { ...queueAgain(run), before: doneBy(run, putOff) },
    events: [{ type: "run.queued", attempt, summary: run.trigger.summary }],
    effects: [{ type: "clear_deadlines" }, { type: "promote" }],
  };
}

function doneBy({ attempt, evidence, usage }: ActiveRecord, putOff: string | null): DoneBefore {
  const { model_calls, turns, tool_calls, tools_refused = 0 } = evidence;
  return { attempt, model_calls, turns, tool_calls, tools_refused, cost_usd: usage.cost_usd, put_off: putOff };
}

/** In its old place among the runs that wait, which is before newer ones. */
function queueToGoOn({ before }: RunState, run: WaitingRecord): Step {
  const attempt = run.attempt + 1;
  return {
    state: { ...queueAgain(run), before },
    events: [
      { type: "run.continued", after: run.waiting.for },
      { type: "run.queued", attempt, summary: run.trigger.summary },
    ],
    effects: [NO_ANSWER_WAITED_FOR, { type: "promote" }],
  };
}

/**
 * The agent is done. From the moment at which no message waits, none goes to this run any more. One whose budget is spent is to
 * end now: its sandbox is not kept, and messages are for the attempt that goes on.
 */
export function closeRun(state: RunState, run: ActiveRecord, isMessageWaiting: boolean): Step | null {
  const isSpent = run.status === "waiting" && run.waiting.for === "budget" && run.runner !== null;
  if (isSpent) return { state, events: [], effects: [{ type: "tell_close" }] };
  if (run.status !== "running" || isMessageWaiting || state.ending !== null) return null;
  return { state: { ...state, ending: "closing" }, events: [], effects: [{ type: "tell_close" }] };
}
