/** Whatever happens to a run, in whatever order: it stays a run, and it ends once. */
import { expect, it } from "vitest";
import { isSettled, listedRunSchema } from "#protocol/run.ts";
import { type EventBody, eventBodySchema } from "#protocol/transcript.ts";
import type { RunInput, RunState } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { type Chance, chance } from "./support/random.ts";
import {
  AGENT_FAILED,
  CANCEL,
  CANCELED,
  CLONE_STUCK,
  CONTINUED,
  ENVIRONMENT,
  HOLD_OVER,
  IDLE,
  LEASED,
  LIMITS,
  LOST,
  NOW_MS,
  PARKED,
  PARKS,
  RUNNING,
  STATES,
  SUCCEEDED,
  TIMED_OUT,
  WAITING,
  withModelCall,
} from "./support/run-states.ts";

const SEQUENCES = 3_000;
const LENGTH = 24;

/** The usual ones are here more than once, so that runs get far enough to meet the others. */
const HAPPENINGS: [RunInput, ...RunInput[]] = [
  { type: "promoted" },
  ...Array.from({ length: 5 }, (): RunInput => ({ type: "promoted" })),
  ...Array.from({ length: 6 }, () => ENVIRONMENT),
  ...Array.from({ length: 6 }, () => LEASED),
  ...Array.from({ length: 4 }, () => RUNNING),
  ...Array.from({ length: 3 }, () => PARKS),
  ...Array.from({ length: 3 }, () => WAITING),
  CONTINUED,
  CONTINUED,
  HOLD_OVER,
  HOLD_OVER,
  PARKED,
  PARKED,
  IDLE,
  { type: "idle", isMessageWaiting: true },
  { type: "step", phase: "clone" },
  { type: "step", phase: "setup" },
  CANCEL,
  { type: "cancel_requested", reason: "superseded" },
  SUCCEEDED,
  AGENT_FAILED,
  CLONE_STUCK,
  ENVIRONMENT,
  TIMED_OUT,
  CANCELED,
  LOST,
  { type: "lease_ended", end: "work_ended" },
  { type: "lease_ended", end: "offer_expired" },
  { type: "overdue", kind: "provisioning" },
  { type: "overdue", kind: "start" },
  { type: "overdue", kind: "timeout" },
  { type: "overdue", kind: "cancel" },
  { type: "overdue", kind: "retry" },
];

interface Life {
  state: RunState;
  events: EventBody[];
  /** How many happenings changed the run after it had settled. */
  changesAfterEnd: number;
  wasAskedToStop: boolean;
  /** The first state on the way that is no run by the schema. */
  invalid: unknown;
}

function live(random: Chance): Life {
  const life: Life = { state: STATES.queued, events: [], changesAfterEnd: 0, wasAskedToStop: false, invalid: null };
  for (let index = 0; index < LENGTH; index += 1) {
    // A model call of the proxy, now and then: after it there is no retry.
    if (!isSettled(life.state.run) && random.below(30) === 0) life.state = withModelCall(life.state);
    const happening = random.pick(HAPPENINGS);
    const wasSettled = isSettled(life.state.run);
    const step = nextRun(life.state, happening, LIMITS, NOW_MS + index * 1_000);
    if (step === null) continue;
    if (wasSettled) life.changesAfterEnd += 1;
    if (happening.type === "cancel_requested") life.wasAskedToStop = true;
    life.state = step.state;
    life.events.push(...step.events);
    const parsed = listedRunSchema.safeParse(life.state.run);
    if (!parsed.success) life.invalid ??= { run: life.state.run, issues: parsed.error.issues };
  }
  return life;
}

const lives = Array.from({ length: SEQUENCES }, (_, seed) => ({ seed, ...live(chance(seed)) }));
const settledLives = lives.filter(({ state }) => isSettled(state.run));

it("reaches every ending, and retries, so that what follows means something", () => {
  const endings = new Set(settledLives.map(({ state }) => state.run.status));
  expect(endings).toEqual(new Set(["succeeded", "failed", "timed_out", "canceled"]));
  const attempts = settledLives.map(({ state }) => state.run.attempt - (state.before?.attempt ?? 0));
  // None, where it has ended without going on.
  expect(new Set(attempts)).toEqual(new Set([0, 1, 2, 3]));
  expect(settledLives.some(({ state }) => state.before !== null)).toBe(true);
});

it("is a run by the schema after each happening", () => {
  expect(lives.filter(({ invalid }) => invalid !== null).slice(0, 3)).toEqual([]);
});

it("changes in nothing once it has settled", () => {
  expect(seeds(lives.filter(({ changesAfterEnd }) => changesAfterEnd > 0))).toEqual([]);
});

it("has run.finished exactly once when it has settled, never before, and nothing after it", () => {
  const wrong = lives.filter(({ state, events }) => {
    const ends = events.filter(({ type }) => type === "run.finished").length;
    return isSettled(state.run) ? ends !== 1 || events.at(-1)?.type !== "run.finished" : ends !== 0;
  });
  expect(seeds(wrong)).toEqual([]);
});

it("says in run.finished what the run says", () => {
  const wrong = settledLives.filter(({ state, events }) => {
    const { status, result, summary, error, cancel_reason, evidence, usage } = state.run;
    const said = { type: "run.finished", status, result, summary, error, cancel_reason, evidence, usage };
    return JSON.stringify(events.at(-1)) !== JSON.stringify(said);
  });
  expect(seeds(wrong)).toEqual([]);
});

it("writes only events that the transcript knows", () => {
  const unknown = lives.flatMap(({ events }) => events).find((event) => !eventBodySchema.safeParse(event).success);
  expect(unknown).toBeUndefined();
});

it("ends in canceled or succeeded once it was asked to stop", () => {
  const wrong = settledLives.filter(
    ({ wasAskedToStop, state }) => wasAskedToStop && !["canceled", "succeeded"].includes(state.run.status),
  );
  expect(seeds(wrong)).toEqual([]);
});

it("is never tried again after a model call, nor more often than allowed", () => {
  // A run that has waited without a sandbox goes on in another attempt, and may then be tried as often again.
  const attempts = settledLives.map(({ state }) => state.run.attempt - (state.before?.attempt ?? 0));
  expect(Math.max(...attempts)).toBe(LIMITS.retryMax + 1);
  const called = withModelCall(STATES.running);
  const random = chance(1);
  for (let state = called, index = 0; index < 2_000 && !isSettled(state.run); index += 1) {
    state = nextRun(state, random.pick(HAPPENINGS), LIMITS, NOW_MS)?.state ?? state;
    expect(state.run.status === "queued" && state.before === null).toBe(false);
  }
});

function seeds(found: readonly { seed: number }[]): number[] {
  return found.slice(0, 5).map(({ seed }) => seed);
}
