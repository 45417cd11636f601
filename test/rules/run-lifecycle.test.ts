/** The life of a run: what each happening does in each status, and what it does not. */
import { describe, expect, it } from "vitest";
import { listedRunSchema } from "#protocol/run.ts";
import { runError } from "#protocol/run-errors.ts";
import { ENVIRONMENT_MS, PROVISIONING_MS } from "#rules/run/deadlines.ts";
import type { Effect, RunInput, RunState } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { showListed } from "#rules/run/record.ts";
import {
  AGENT_FAILED,
  apply,
  CANCEL,
  CANCELED,
  CLONE_STUCK,
  CONTINUED,
  ENVIRONMENT,
  finished,
  LEASED,
  LIMITS,
  LOST,
  NOW_MS,
  RUNNING,
  STATES,
  type StateName,
  SUCCEEDED,
  TIMED_OUT,
  through,
  WAITING,
  withModelCall,
} from "./support/run-states.ts";

describe("the usual way", () => {
  it("looks its environment up when it is promoted, and gives that an hour", () => {
    const step = apply(STATES.queued, { type: "promoted" });
    expect(step.state).toMatchObject({ phase: "provisioning", run: { status: "starting", environment: null } });
    expect(step.events).toEqual([{ type: "run.starting", attempt: 1 }]);
    expect(step.effects).toEqual([
      { type: "clear_deadlines" },
      { type: "read_environment" },
      { type: "set_deadline", kind: "provisioning", atMs: NOW_MS + ENVIRONMENT_MS },
    ]);
  });

  it("asks the pool for a runner when its environment is known, and gives it ten minutes", () => {
    const step = apply(STATES.begun, ENVIRONMENT);
    const environment = { id: expect.any(String), name: "ci", revision: 4 };
    expect(step.state).toMatchObject({ phase: "provisioning", run: { status: "starting", runner: null, environment } });
    const message =
      "Allocating a runner in the environment ci (revision 4): network custom and 2 hosts, 1 variable, a setup script, standard-4";
    expect(step.events).toEqual([{ type: "run.step", phase: "provisioning", message }]);
    expect(step.effects).toEqual([
      { type: "ask_pool" },
      { type: "set_deadline", kind: "provisioning", atMs: NOW_MS + PROVISIONING_MS.noRunner },
    ]);
  });

  it("asks for no runner when it has no environment, and gives back the lease of one that it has", () => {
    const fault: RunInput = { type: "environment_fault", error: runError("environment_archived", "provisioning") };
    const step = apply(STATES.begun, fault);
    expect(step.state.run).toMatchObject({ status: "failed", error: { code: "environment_archived" }, runner: null });
    expect(step.effects).toEqual([{ type: "clear_deadlines" }, { type: "promote" }]);
    expect(apply(STATES.leased, fault).effects).toContainEqual({ type: "release_lease" });
  });

  it("says that its environment was not found out, when that took too long", () => {
    const { run } = apply(STATES.begun, { type: "overdue", kind: "provisioning" }).state;
    expect(run).toMatchObject({ status: "failed", error: { code: "environment_unreadable", phase: "provisioning" } });
  });

  it("is canceled without a runner while its environment is looked up", () => {
    const canceling = apply(STATES.begun, CANCEL);
    expect(canceling.effects).toContainEqual({ type: "release_lease" });
    expect(nextRun(canceling.state, ENVIRONMENT, LIMITS, NOW_MS)).toBeNull();
    const ended = apply(canceling.state, { type: "lease_ended", end: "offer_expired" });
    expect(ended.state.run).toMatchObject({ status: "canceled", cancel_reason: "by_user" });
  });

  it("replaces the deadline for finding a runner by the one for starting", () => {
    const { effects } = apply(STATES.starting, LEASED);
    expect(effects).toContainEqual({ type: "set_deadline", kind: "provisioning", atMs: Number.POSITIVE_INFINITY });
    expect(deadline(effects, "start")).toBeGreaterThan(NOW_MS);
  });

  it("bounds a run that is on by the routine's timeout and a little more", () => {
    const { effects, events } = apply(STATES.leased, RUNNING);
    expect(deadline(effects, "start")).toBe(Number.POSITIVE_INFINITY);
    expect(deadline(effects, "timeout")).toBe(NOW_MS + LIMITS.timeoutMs + 30_000);
    expect(events).toEqual([{ type: "run.running", attempt: 1, sandbox: "sandbox-runtime", model: "claude-sonnet-5" }]);
  });

  it("settles with the agent's report and what the runner saw", () => {
    const { state, events, effects } = apply(STATES.running, SUCCEEDED, NOW_MS + 60_000);
    expect(state.run).toMatchObject({
      status: "succeeded",
      result: "done",
      summary: "What was done.",
      usage: { cost_usd: 0.25 },
      // Commits are what the worker saw pushed, whatever the runner says.
      evidence: { turns: 4, tool_calls: 3, files_changed: 2, commits_pushed: 0 },
      timings: { finished_at: "2026-11-21T09:01:00.000Z" },
    });
    expect(events).toMatchObject([{ type: "run.finished", status: "succeeded", result: "done", error: null }]);
    expect(effects).toEqual([{ type: "clear_deadlines" }, { type: "promote" }]);
  });

  it("says unknown when the agent made no report", () => {
    const { run } = apply(STATES.running, finished({ status: "succeeded" })).state;
    expect(run).toMatchObject({ status: "succeeded", result: "unknown", summary: null });
  });

  it("keeps the report of a run that failed after it", () => {
    const error = runError("agent_failed", "agent");
    const { run } = apply(STATES.running, finished({ status: "failed", error }, "blocked")).state;
    expect(run).toMatchObject({ status: "failed", result: "blocked", error });
  });

  it("costs nothing with the demo model", () => {
    const state = { ...STATES.running, run: { ...STATES.running.run, demo_model: true } };
    expect(apply(state, SUCCEEDED).state.run.usage.cost_usd).toBe(0);
  });

  it("a step that repeats the phase changes nothing", () => {
    const state = through(STATES.leased, { type: "step", phase: "clone" });
    expect(nextRun(state, { type: "step", phase: "clone" }, LIMITS, NOW_MS)).toBeNull();
  });
});

describe("retry", () => {
  it.each([
    [undefined, 30, "as the routine's retry says"],
    [5, 30, "as the routine's retry says"],
    [90, 90, "as long as the server wants to be left alone"],
    [999_999, 3_600, "as long as the server wants to be left alone"],
  ])(
    "of a server that wants to be left alone for %s s waits %i s, and says until when and why",
    (asked, waits, why) => {
      const error = runError("repository_unavailable", "clone");
      const retry_after_s = asked === undefined ? {} : { retry_after_s: asked };
      const step = apply(STATES.leased, finished({ status: "failed", error, ...retry_after_s }));
      const atMs = NOW_MS + waits * 1_000;
      expect(step.effects).toContainEqual({ type: "set_deadline", kind: "retry", atMs });
      const message = expect.stringContaining(`The next one waits until ${new Date(atMs).toISOString()}, ${why}.`);
      expect(step.events).toContainEqual(expect.objectContaining({ type: "notice", code: "retrying", message }));
    },
  );

  it.each([
    ["a machinery failure before the first model call", STATES.leased, CLONE_STUCK],
    ["a lost runner", STATES.leased, LOST],
    ["a runner lost before it took the run", STATES.starting, LOST],
    ["an offer that expired", STATES.starting, { type: "lease_ended", end: "offer_expired" }],
    ["work that ended without a word", STATES.running, { type: "lease_ended", end: "work_ended" }],
  ] as const)("%s goes back to the queue", (_sentence, state, happening) => {
    const step = apply(state, happening);
    expect(step.state).toMatchObject({ overdue: null, notBeforeMs: NOW_MS + 30_000 });
    expect(step.state.run).toMatchObject({ status: "queued", attempt: 2, runner: null, error: null });
    expect(listedRunSchema.parse(step.state.run)).toEqual(showListed(step.state.run));
    expect(step.events).toMatchObject([
      { type: "notice", code: "retrying" },
      { type: "run.queued", attempt: 2 },
    ]);
    expect(step.effects).toContainEqual({ type: "set_deadline", kind: "retry", atMs: NOW_MS + 30_000 });
    expect(step.effects).toContainEqual({ type: "promote" });
  });

  it.each([
    ["after the first model call", withModelCall(STATES.running), LOST, "runner_lost"],
    ["of a failure that is not the machinery's", STATES.running, AGENT_FAILED, "agent_failed"],
    ["of work that ended after the first model call", withModelCall(STATES.leased), CLONE_STUCK, "clone_timed_out"],
  ] as const)("there is none %s", (_sentence, state, happening, code) => {
    expect(apply(state, happening).state.run).toMatchObject({ status: "failed", attempt: 1, error: { code } });
  });

  it("there is none of a run that reached its time limit", () => {
    expect(apply(STATES.running, TIMED_OUT).state.run).toMatchObject({ status: "timed_out", attempt: 1 });
  });

  it("waits twice as long each time, and gives up after the last attempt", () => {
    const waits: number[] = [];
    let state = STATES.leased;
    for (;;) {
      const step = apply(state, LOST);
      if (step.state.run.status !== "queued") {
        expect(step.state.run).toMatchObject({ status: "failed", attempt: 3, error: { code: "runner_lost" } });
        break;
      }
      waits.push(step.state.notBeforeMs - NOW_MS);
      state = through(step.state, { type: "promoted" }, ENVIRONMENT, LEASED);
    }
    expect(waits).toEqual([30_000, 60_000]);
  });

  it("is switched off by max 0", () => {
    expect(apply(STATES.leased, LOST, NOW_MS, { ...LIMITS, retryMax: 0 }).state.run.status).toBe("failed");
  });
});

describe("cancel", () => {
  it("settles a queued run at once", () => {
    const { state, events, effects } = apply(STATES.queued, CANCEL);
    expect(state.run).toMatchObject({ status: "canceled", cancel_reason: "by_user", result: "unknown", error: null });
    expect(events.map(({ type }) => type)).toEqual(["run.cancel_requested", "run.finished"]);
    expect(effects).toEqual([{ type: "clear_deadlines" }, { type: "promote" }]);
  });

  it("takes the lease back while no runner has dialed", () => {
    const { state, events, effects } = apply(STATES.starting, CANCEL);
    expect(state.run).toMatchObject({ status: "starting", cancel_requested_at: "2026-11-21T09:00:00.000Z" });
    expect(events).toEqual([{ type: "run.cancel_requested", reason: "by_user" }]);
    expect(effects).toEqual([{ type: "release_lease" }]);
  });

  it.each(["leased", "running"] as const)("tells the runner of a run that is %s, and gives it a while", (name) => {
    const { state, effects } = apply(STATES[name], CANCEL);
    expect(state.run.status).toBe(STATES[name].run.status);
    expect(effects).toEqual([
      { type: "tell_cancel", reason: "by_user" },
      { type: "set_deadline", kind: "cancel", atMs: NOW_MS + 20_000 },
    ]);
  });

  it("keeps the first reason when it is asked for again", () => {
    const asked = through(STATES.running, CANCEL);
    const again: RunInput = { type: "cancel_requested", reason: "routine_deleted" };
    expect(nextRun(asked, again, LIMITS, NOW_MS)).toBeNull();
  });

  it("takes the lease by force when the runner does not stop", () => {
    const step = apply(through(STATES.running, CANCEL), { type: "overdue", kind: "cancel" });
    expect(step.effects).toEqual([{ type: "release_lease" }]);
    expect(apply(step.state, { type: "lease_ended", end: "work_ended" }).state.run.status).toBe("canceled");
  });

  it.each<[string, StateName, RunInput]>([
    ["the runner says that all has stopped", "running", CANCELED],
    ["the runner fails on the way", "running", AGENT_FAILED],
    ["the machinery fails on the way, which would be tried again otherwise", "leased", CLONE_STUCK],
    ["the time limit is reached on the way", "running", TIMED_OUT],
    ["the runner is lost", "running", LOST],
    ["the lease ends before a runner has dialed", "starting", { type: "lease_ended", end: "offer_expired" }],
    ["no runner is found on the way", "starting", { type: "overdue", kind: "provisioning" }],
  ])("ends in canceled when %s", (_sentence, name, happening) => {
    const { run } = apply(through(STATES[name], CANCEL), happening).state;
    expect(run).toMatchObject({ status: "canceled", cancel_reason: "by_user", error: null });
    expect(listedRunSchema.parse(run)).toEqual(showListed(run));
  });

  it("comes too late for a run that succeeds", () => {
    const { run } = apply(through(STATES.running, CANCEL), SUCCEEDED).state;
    expect(run).toMatchObject({ status: "succeeded", cancel_reason: null, result: "done" });
    expect(listedRunSchema.parse(run)).toEqual(showListed(run));
  });

  it("is not what happened when nobody asked for it", () => {
    const { run } = apply(withModelCall(STATES.running), CANCELED).state;
    expect(run).toMatchObject({ status: "failed", error: { code: "runner_failed" } });
  });
});

describe("an answer that has come to nothing", () => {
  const went = through(STATES.held, CONTINUED);
  const lost: RunInput = { type: "lease_ended", end: "runner_lost", isUnheard: true };

  it("is for another attempt when the runner is lost, also after the first model call", () => {
    const { run, before } = apply(withModelCall(went), lost).state;
    expect(run).toMatchObject({ status: "queued", attempt: 2 });
    expect(before).toMatchObject({ attempt: 1, put_off: null });
  });

  it("is for another attempt when another process of the runner's says hello", () => {
    const another: RunInput = { ...LEASED, boot: "second-process", isUnheard: true };
    const { state, effects } = apply(withModelCall(went), another);
    expect(state).toMatchObject({ run: { status: "queued", attempt: 2 }, before: { attempt: 1, put_off: null } });
    expect(effects).toContainEqual({ type: "release_lease" });
  });

  it.each<[string, RunState]>([
    ["was canceled", through(went, CANCEL)],
    ["can go on in no other sandbox", through(STATES.running, WAITING, CONTINUED)],
  ])("is for none where the run %s", (_sentence, state) => {
    expect(apply(withModelCall(state), lost).state.run.status).toMatch(/^(canceled|failed)$/);
  });
});

describe("bounds", () => {
  it("fails when no runner was found in time, and gives the lease back", () => {
    const { state, effects } = apply(STATES.starting, { type: "overdue", kind: "provisioning" });
    expect(state.run).toMatchObject({ status: "failed", error: { code: "no_runner", phase: "provisioning" } });
    expect(effects).toContainEqual({ type: "release_lease" });
  });

  it("takes the lease of a run that does not start", () => {
    const step = apply(STATES.leased, { type: "overdue", kind: "start" });
    expect(step.effects).toEqual([{ type: "release_lease" }]);
    expect(step.state.run.status).toBe("starting");
  });

  it("ends in timed_out when the lease that was taken for the time limit ends", () => {
    const overdue = through(STATES.running, { type: "overdue", kind: "timeout" });
    const { run } = apply(overdue, LOST).state;
    expect(run).toMatchObject({ status: "timed_out", error: { code: "timed_out", phase: "agent" } });
  });

  it("stays succeeded when the runner says so in the last moment", () => {
    const overdue = through(STATES.running, { type: "overdue", kind: "timeout" });
    expect(apply(overdue, SUCCEEDED).state.run.status).toBe("succeeded");
  });

  it("names the phase in which the runner was lost", () => {
    const cloning = through(STATES.leased, { type: "step", phase: "clone" });
    const { run } = apply(cloning, LOST, NOW_MS, { ...LIMITS, retryMax: 0 }).state;
    expect(run.error).toMatchObject({ code: "runner_lost", phase: "clone" });
  });
});

function deadline(effects: readonly Effect[], kind: string): number | undefined {
  return effects.flatMap((effect) => (effect.type === "set_deadline" && effect.kind === kind ? [effect.atMs] : []))[0];
}

describe("a process that says hello", () => {
  const another: RunInput = { ...LEASED, boot: "second-process" };

  it("after the first one has died ends its attempt, which is made again only if the model has not been called", () => {
    const again = apply(STATES.running, another);
    expect(again.state).toMatchObject({ boot: null, run: { status: "queued", attempt: 2, runner: null } });
    expect(again.effects).toContainEqual({ type: "release_lease" });
    const over = apply(withModelCall(STATES.running), another);
    expect(over.state.run).toMatchObject({ status: "failed", attempt: 1, error: { code: "runner_lost" } });
    expect(over.effects).toContainEqual({ type: "release_lease" });
  });

  it("is known from then on where none had told which process it is", () => {
    const untold = { ...STATES.running, boot: null };
    expect(apply(untold, another).state).toEqual({ ...untold, boot: "second-process" });
    expect(nextRun(STATES.running, { ...LEASED, boot: null }, LIMITS, NOW_MS)).toBeNull();
  });

  it("for another runner changes nothing", () => {
    const other: RunInput = { ...LEASED, runner: { kind: "local", id: "other" } };
    expect(nextRun(STATES.running, other, LIMITS, NOW_MS)).toBeNull();
  });
});

describe("a container", () => {
  const container: RunInput = { ...LEASED, runner: { kind: "container", id: "run.1" } };

  it.each([SUCCEEDED, AGENT_FAILED, CLONE_STUCK, CANCELED])("is taken away when its attempt has ended: %j", (ended) => {
    const step = apply(through(STATES.starting, container, RUNNING), ended);
    expect(step.effects).toContainEqual({ type: "release_lease" });
    expect(apply(STATES.running, ended).effects).not.toContainEqual({ type: "release_lease" });
  });

  it.each([
    ["container_start_failed", "queued"],
    ["containers_unavailable", "queued"],
    ["container_image_missing", "failed"],
  ] as const)("whose lease ends with %s leaves the run %s", (end, status) => {
    const { state, events } = apply(STATES.starting, { type: "lease_ended", end });
    expect(state.run.status).toBe(status);
    expect(JSON.stringify(events)).toContain(runError(end, "provisioning").message);
  });
});
