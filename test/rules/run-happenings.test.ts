/** What can happen to a run, in each of its states: what it changes, and what it does not. */
import { describe, expect, it } from "vitest";
import { listedRunSchema } from "#protocol/run.ts";
import { runError } from "#protocol/run-errors.ts";
import type { RunInput } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { showListed } from "#rules/run/record.ts";
import {
  apply,
  CANCEL,
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
  type StateName,
  SUCCEEDED,
  through,
  WAITING,
  withModelCall,
} from "./support/run-states.ts";

const HAPPENINGS = {
  promoted: { type: "promoted" },
  environment: ENVIRONMENT,
  "no environment": { type: "environment_fault", error: runError("environment_unknown", "provisioning") },
  leased: LEASED,
  "another process": { ...LEASED, boot: "second-process" },
  step: { type: "step", phase: "clone" },
  running: RUNNING,
  finished: SUCCEEDED,
  waiting: WAITING,
  continued: CONTINUED,
  idle: IDLE,
  "hold over": HOLD_OVER,
  cancel: CANCEL,
  lost: LOST,
  "no runner in time": { type: "overdue", kind: "provisioning" },
  "start overdue": { type: "overdue", kind: "start" },
  "timeout overdue": { type: "overdue", kind: "timeout" },
  "cancel overdue": { type: "overdue", kind: "cancel" },
  "retry due": { type: "overdue", kind: "retry" },
} satisfies Record<string, RunInput>;
type HappeningName = keyof typeof HAPPENINGS;

const WITH_RUNNER = ["leased", "running", "closing", "waiting", "held", "parking"] as const;
/** In which states a happening can be; in all others it changes nothing. */
const LEGAL: Record<HappeningName, readonly StateName[]> = {
  promoted: ["queued"],
  environment: ["begun"],
  "no environment": ["begun", "starting", "leased"],
  // Said again by the same process, with other options in force than before.
  leased: ["starting", "held", "parking"],
  "another process": ["starting", ...WITH_RUNNER],
  step: ["begun", "starting", ...WITH_RUNNER],
  running: ["leased"],
  finished: ["begun", "starting", ...WITH_RUNNER],
  waiting: ["running", "closing"],
  continued: ["waiting", "held", "parking", "parked"],
  idle: ["running"],
  "hold over": ["waiting", "held", "parking"],
  cancel: ["queued", "begun", "starting", ...WITH_RUNNER, "parked"],
  lost: ["begun", "starting", ...WITH_RUNNER],
  "no runner in time": ["begun", "starting"],
  "start overdue": ["begun", "starting", "leased"],
  "timeout overdue": ["running", "closing", "waiting", "held", "parking"],
  "cancel overdue": ["begun", "starting", ...WITH_RUNNER],
  "retry due": ["queued"],
};
/** A late `retry due` only looks for free places again, which harms nothing: whether it is refused is not laid down. */
const LEFT_OPEN = ["retry due"];

const stateNames = Object.keys(STATES) as StateName[];
const cells = (Object.keys(HAPPENINGS) as HappeningName[]).flatMap((happening) =>
  stateNames.map((state) => ({ happening, state, isLegal: LEGAL[happening].includes(state) })),
);

describe("each happening in each status", () => {
  it.each(cells.filter(({ isLegal }) => isLegal))("$happening changes a run that is $state", ({ happening, state }) => {
    const step = apply(STATES[state], HAPPENINGS[happening]);
    expect(listedRunSchema.parse(step.state.run)).toEqual(showListed(step.state.run));
  });

  it.each(cells.filter(({ happening, isLegal }) => !isLegal && !LEFT_OPEN.includes(happening)))(
    "$happening changes nothing in a run that is $state",
    ({ happening, state }) => {
      expect(nextRun(STATES[state], HAPPENINGS[happening], LIMITS, NOW_MS)).toBeNull();
    },
  );
});

describe("an attempt that goes on", () => {
  const goesOn = through(STATES.parked, CONTINUED, { type: "promoted" }, ENVIRONMENT, PARKS);
  const cloning = through(goesOn, { type: "step", phase: "clone" });
  const started = through(goesOn, { type: "step", phase: "agent" });

  it.each<[string, typeof goesOn, RunInput, string]>([
    ["is made again when its clone fails", cloning, CLONE_STUCK, "queued"],
    ["is made again when it is lost before its agent", cloning, LOST, "queued"],
    // It begins with the call that people have approved.
    ["is not made again once its agent may have called a tool", started, LOST, "failed"],
  ])("%s", (_name, state, happening, status) => {
    expect(apply(state, happening).state).toMatchObject({ run: { status }, before: { attempt: 1 } });
  });

  it("has as many tries as the first one", () => {
    const again = (state: typeof goesOn) => through(state, { type: "promoted" }, ENVIRONMENT, PARKS, LOST);
    const third = again(through(cloning, LOST));
    expect(third.run).toMatchObject({ status: "queued", attempt: 4 });
    expect(again(third).run).toMatchObject({ status: "failed", attempt: 4 });
  });

  it("follows where the runner ended before it had heard of what came", () => {
    const { state, effects } = apply(through(STATES.held, CONTINUED), PARKED);
    expect(state).toMatchObject({ run: { status: "queued", attempt: 2, runner: null }, before: { put_off: null } });
    expect(effects).toContainEqual({ type: "promote" });
    expect(apply(withModelCall(STATES.running), PARKED).state.run.status).toBe("failed");
  });
});
