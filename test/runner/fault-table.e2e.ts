/** One run for each fault that a run can meet: how its runner tells it, and what the run's object makes of that. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunErrorCode, type RunPhase, runError } from "#protocol/run-errors.ts";
import type { RunOrder } from "#protocol/runner-link.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { LIMITS, LOST, NOW_MS, STATES, withModelCall } from "#test/rules/support/run-states.ts";
import { noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, noSandbox, report, type Script } from "./support/bed.ts";
import { environmentWith } from "./support/run-order.ts";
import { seedUpstream } from "./support/upstream.ts";

interface Fault {
  what: string;
  script?: Script;
  repositories?: string[];
  order?: Partial<RunOrder>;
  /** How the model answers in place of the script: at each call, or once where the run is to succeed. */
  fault?: ReplyPlan;
  /** The error with which it ends; null where it succeeds. */
  error: [code: RunErrorCode, phase: RunPhase] | null;
  /** Whether another attempt follows, where the model has not been called. */
  isTriedAgain?: boolean;
  result?: string;
  notice?: string;
}

const NO_RETRY = { "x-should-retry": "false" };
const answer = (status: number, type: string, headers: Record<string, string> = {}): ReplyPlan => {
  return { kind: "error", status, type, message: "No.", headers };
};
const done = [report("done", "Done."), "Bye."];

const rows: Fault[] = [
  { what: "a clone that is refused", repositories: ["nothing"], error: ["clone_failed", "clone"] },
  {
    what: "a clone that does not go on",
    repositories: ["app"],
    order: { clone_deadline_ms: 500 },
    error: ["clone_timed_out", "clone"],
    isTriedAgain: true,
  },
  {
    what: "a setup script that fails",
    order: { environment: environmentWith("exit 3") },
    error: ["setup_failed", "setup"],
  },
  {
    what: "a key that is refused",
    fault: answer(403, "authentication_error"),
    error: ["model_key_refused", "agent"],
  },
  {
    what: "a limit that does not pass",
    fault: answer(429, "rate_limit_error", NO_RETRY),
    error: ["model_limit_reached", "agent"],
  },
  {
    what: "a model that stays busy",
    fault: answer(529, "overloaded_error", NO_RETRY),
    error: ["model_unavailable", "agent"],
  },
  { what: "a model that is busy once", fault: answer(529, "overloaded_error"), error: null, notice: "model_retry" },
  {
    what: "a budget that is spent",
    fault: answer(422, "unprocessable_error", NO_RETRY),
    error: ["model_request_refused", "agent"],
    notice: "model_error",
  },
  {
    what: "a disk that is full",
    script: [bash("for n in 1 2 3; do head -c 15000000 /dev/zero > big-$n; done; sleep 1000")],
    error: ["disk_exceeded", "agent"],
  },
  {
    what: "a push that is refused",
    script: [
      bash("git commit -q --allow-empty -m One && git push -q origin HEAD:refs/heads/claude/one"),
      report("blocked", "The push was refused."),
      "Bye.",
    ],
    repositories: ["shut"],
    error: null,
    result: "blocked",
  },
];

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

  it.each(rows)("$what", async ({ script = done, repositories = [], order, fault, error, ...row }) => {
    const run = bed.run(script, repositories, order);
    if (error?.[0] === "clone_timed_out") run.holdGit = true;
    let asked = 0;
    bed.faults.set(run.order.task, () => {
      asked += 1;
      return error === null && asked > 1 ? null : (fault ?? null);
    });
    const frame = await run.finished(100_000);

    const seen = error?.[1] === "agent" || error === null ? withModelCall(STATES.running) : STATES.leased;
    const next = nextRun(seen, { type: "finished", frame }, LIMITS, NOW_MS)?.state.run;
    if (error === null) {
      expect(next).toMatchObject({ status: "succeeded", result: row.result ?? "done", error: null });
    } else {
      const [code, phase] = error;
      const { hint } = runError(code, phase);
      expect(frame.outcome).toMatchObject({ status: "failed", error: { code, phase, hint } });
      expect(next?.status).toBe(row.isTriedAgain ? "queued" : "failed");
    }
    if (row.notice !== undefined) expect(noticesOf(run, row.notice).length).toBeGreaterThan(0);
    if (row.result === "blocked") {
      expect((await run.event("tool.result")).text).toContain("This repository is shut.");
    }
  });
});

it("a runner that is killed, and a container that is lost, are tried again before the first model call, and never after", () => {
  const failed = { status: "failed", result: "unknown", error: runError("runner_lost", "agent") };
  expect(nextRun(withModelCall(STATES.running), LOST, LIMITS, NOW_MS)?.state.run).toMatchObject(failed);
  expect(nextRun(STATES.leased, LOST, LIMITS, NOW_MS)?.state.run).toMatchObject({ status: "queued", attempt: 2 });
});
