/**
 * One run for each fault that a run can meet: how its runner tells it, what the run's object makes of that, and that the table of
 * docs/errors.md says the same. What is not a runner's to tell is in test/container/faults.e2e.ts.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListedRun } from "#protocol/run.ts";
import type { SettledStatus } from "#protocol/run-states.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import type { RunInput, RunState } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { endFact } from "#rules/run/notify.ts";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { LIMITS, LOST, NOW_MS, STATES, withModelCall } from "#test/rules/support/run-states.ts";
import { noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report, type Script } from "./support/bed.ts";
import { type FaultRow, faultRows } from "./support/fault-page.ts";
import { processesWith } from "./support/processes.ts";
import { environmentWith } from "./support/run-order.ts";
import { startSkewed } from "./support/skewed-runner.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

type Settled = Extract<ListedRun, { status: SettledStatus }>;

interface Fault {
  /** Of which row of the page it is. */
  what: string;
  script?: Script;
  repositories?: string[];
  order?: Partial<RunOrder>;
  /** How the model answers in place of the script: at each call, or once where the run is to succeed. */
  fault?: ReplyPlan;
  notice?: string;
  /** What the run's error says, among others. */
  says?: string;
}

const NO_RETRY = { "x-should-retry": "false" };
const REASON = "Reason: it answered 401.";
const answer = (status: number, type: string, headers: Record<string, string> = {}): ReplyPlan => {
  return { kind: "error", status, type, message: `No. ${REASON}`, headers };
};
const done = [report("done", "Done."), "Bye."];

/** A stream that ends without a word in the middle of the model's. */
const cut: ReplyPlan = {
  kind: "message",
  text: "This is said in several pieces, of which the last ones never come.",
  beforeDelta: async (index) => {
    if (index > 0) throw new Error("The stream is cut here.");
  },
};

const rows: Fault[] = [
  // The agent's program asks again for half a minute, while the others are on.
  { what: "a stream of the model's that is cut", fault: cut },
  { what: "a clone that is refused", repositories: ["nothing"] },
  { what: "a clone that does not go on", repositories: ["app"], order: { clone_deadline_ms: 500 } },
  { what: "a setup script that fails", order: { environment: environmentWith("exit 3") } },
  {
    what: "a key that the model's API refuses",
    fault: answer(403, "authentication_error"),
    notice: "model_error",
    says: REASON,
  },
  {
    what: "a limit of the model's that does not pass",
    fault: answer(429, "rate_limit_error", NO_RETRY),
    notice: "model_error",
    says: REASON,
  },
  { what: "a model that stays overloaded", fault: answer(529, "overloaded_error", NO_RETRY) },
  { what: "a model that is overloaded, then fine", fault: answer(529, "overloaded_error"), notice: "model_retry" },
  { what: "a stream of the model's that is cut, then fine", fault: cut },
  {
    what: "a request that the model's API refuses",
    fault: answer(422, "unprocessable_error", NO_RETRY),
    notice: "model_error",
  },
  {
    what: "a disk that is full",
    script: [bash("for n in 1 2 3; do head -c 15000000 /dev/zero > big-$n; done; sleep 1000")],
  },
  {
    what: "a push that is refused",
    script: [
      bash("git commit -q --allow-empty -m One && git push -q origin HEAD:refs/heads/claude/one"),
      report("blocked", "The push was refused."),
      "Bye.",
    ],
    repositories: ["shut"],
  },
];

const page = faultRows();
const HAS_CALLED = withModelCall(STATES.running);

/** What people are told of a run to which this happens. */
function told(state: RunState, input: RunInput): FaultRow {
  const next = nextRun(state, input, LIMITS, NOW_MS)?.state.run;
  const run = nextRun(state, input, { ...LIMITS, retryMax: 0 }, NOW_MS)?.state.run as unknown as Settled;
  const { code = "", phase = "", hint = "" } = run.error ?? {};
  return {
    ...{ status: run.status, result: run.result ?? "", code, phase, hint },
    again: next?.status === "queued" ? "yes" : "no",
    told: endFact(run, null, NOW_MS)?.kinds[0] ?? "",
  };
}

describe.skipIf(noSandbox !== null)("a run meets", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make({ REVEILLE_CAPACITY: "16", REVEILLE_RUN_DISK_MIB: "20" });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    const hooks = join(seedUpstream(bed.upstream, "shut", { "README.md": "# Shut\n" }), "hooks");
    mkdirSync(hooks, { recursive: true });
    const hook = join(hooks, "pre-receive");
    writeFileSync(hook, "#!/bin/sh\necho 'This repository is shut.' >&2\nexit 1\n");
    chmodSync(hook, 0o755);
  });
  afterAll(() => bed?.close());

  it.each(rows)("$what", async ({ what, script = done, repositories = [], order, fault, notice, says }) => {
    const run = bed.run(script, repositories, order);
    if (what === "a clone that does not go on") run.holdGit = true;
    const isOnce = page.get(what)?.status === "succeeded";
    let asked = 0;
    bed.faults.set(run.order.task, () => {
      asked += 1;
      return isOnce && asked > 1 ? null : (fault ?? null);
    });
    const frame = await run.finished(100_000);
    const hasBegun = run.stored.some(({ body }) => body.kind === "running");
    expect(told(hasBegun ? HAS_CALLED : STATES.leased, { type: "finished", frame })).toEqual(page.get(what));
    if (notice !== undefined) expect(noticesOf(run, notice).length).toBeGreaterThan(0);
    if (says !== undefined) {
      expect(frame.outcome).toMatchObject({ error: { message: expect.stringContaining(says) } });
    }
    if (frame.report?.result === "blocked") {
      expect((await run.event("tool.result")).text).toContain("This repository is shut.");
    }
  });
});

describe.skipIf(noSandbox !== null)("a run meets", () => {
  it("a clock of its runner's machine that is two days ahead", async () => {
    const bed = await Bed.make({}, { start: (variables) => startSkewed(variables, 2 * 86_400_000) });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
    const run = bed.run([bash("date +%s"), ...done], ["app"], { environment: environmentWith("true") });
    const frame = await run.finished();
    expect(bed.runner.output()).toMatch(
      new RegExp(`"at":"${new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10)}`),
    );
    expect(told(HAS_CALLED, { type: "finished", frame })).toEqual(page.get("a clock of its machine that is wrong"));
    await bed.close();
  });

  it("a runner that is killed, and says nothing any more", async () => {
    const bed = await Bed.make();
    const name = `busy-${crypto.randomUUID()}`;
    const run = bed.run([bash(endless(name))]);
    await until("the command runs", () => processesWith(name)[0]);
    bed.runner.signal("SIGKILL");
    await bed.runner.exit;
    await until("nothing of it is left", () => processesWith(name).length === 0);
    expect([run.ending, bed.instance.hasEnded(run.lease)]).toEqual([null, false]);
    await bed.restartRunner();
    await bed.close();
    const { again, ...row } = told(HAS_CALLED, LOST);
    expect([again, told(STATES.leased, LOST).again]).toEqual(["no", "yes"]);
    expect({ ...row, again: "before the first model call" }).toEqual(page.get("a runner that is killed"));
  });
});

it("the page has no fault that nobody has tried", () => {
  const others = ["a runner that is killed", "a container that is lost", "a clock of its machine that is wrong"];
  expect([...page.keys()].toSorted()).toEqual([...rows.map(({ what }) => what), ...others].toSorted());
});
