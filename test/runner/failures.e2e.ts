/** Each way in which a run can fail has its own error, with its phase, for a person to read. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { Bed, bash, GIT_CREDENTIAL, noSandbox, type Script } from "./support/bed.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

const fault = (status: number, type: string, message: string): ReplyPlan => ({ kind: "error", status, type, message });
const refused: ReplyPlan = { kind: "message", text: "", stopReason: "refusal" };

describe.skipIf(noSandbox !== null)("a run fails", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
  });
  afterAll(() => bed.close());

  it("when a repository is not there", async () => {
    const run = bed.run([], ["nothing"]);
    const { outcome } = await run.finished();
    expect(outcome).toMatchObject({
      error: {
        code: "clone_failed",
        phase: "clone",
        message: expect.stringContaining("fatal: repository 'https://code.example.com/nothing/' not found"),
      },
    });
    expect(JSON.stringify(run.stored)).not.toContain(GIT_CREDENTIAL);
    expect(JSON.stringify(run.stored)).not.toContain("127.0.0.1");
  });

  it("when a branch is not there", async () => {
    const run = bed.run([], ["app"], { repositories: [{ url: "https://code.example.com/app", branch: "gone" }] });
    expect((await run.finished()).outcome).toMatchObject({
      error: { code: "clone_failed", message: expect.stringContaining("Remote branch gone not found") },
    });
  });

  it("when a clone takes too long", async () => {
    const run = bed.run([], ["app"], { clone_deadline_ms: 500 });
    run.holdGit = true;
    expect((await run.finished()).outcome).toMatchObject({
      status: "failed",
      error: { code: "clone_timed_out", phase: "clone" },
    });
  });

  it("when the agent does not start in time", async () => {
    const { outcome } = await bed.run([], [], { agent_start_deadline_ms: 10 }).finished();
    expect(outcome).toMatchObject({ status: "failed", error: { code: "agent_start_timed_out", phase: "agent" } });
  });

  it.each<[string, Script, string, string]>([
    [
      "a rule forbids the call",
      [fault(403, "permission_error", "No such tool.")],
      "model_request_refused",
      "No such tool.",
    ],
    [
      "the key is wrong",
      [fault(403, "authentication_error", "No. Reason: it answered 401.")],
      "model_key_refused",
      "Reason: it answered 401.",
    ],
    ["the model refuses twice", [bash("echo 1"), refused, refused], "model_refusal", "refusal"],
    [
      "its answers are cut for ever",
      Array(12).fill({ kind: "message", text: "On", stopReason: "max_tokens" }),
      "model_max_tokens",
      "max_tokens",
    ],
    ["there is no such model", [fault(404, "not_found_error", "model: x")], "model_request_refused", "model"],
  ])("when %s, and says so", async (_what, script, code, words) => {
    const run = bed.run(script);
    expect((await run.finished()).outcome).toMatchObject({
      error: { code, phase: "agent", message: expect.stringContaining(words) },
    });
    expect(run.events).toContainEqual(expect.objectContaining({ type: "notice", code: "model_error" }));
  });

  it("when the turns are used up", async () => {
    const run = bed.run([bash("echo 1"), bash("echo 2"), bash("echo 3"), "Done."], [], { turns: 2 });
    const ending = await run.finished();
    expect(ending).toMatchObject({
      outcome: { status: "failed", error: { code: "turns_exhausted", phase: "agent" } },
      seen: { turns: 2, tool_calls: 2 },
      report: null,
    });
  });

  it("when the agent's program dies", async () => {
    const { outcome } = await bed.run([bash("kill -9 $PPID")]).finished();
    expect(outcome).toMatchObject({ status: "failed", error: { code: "agent_failed", phase: "agent" } });
  });

  it("not because the model falters for a moment", async () => {
    let calls = 0;
    const run = bed.run(["Done."]);
    bed.faults.set(run.order.task, () => {
      calls += 1;
      return calls === 1 ? { kind: "error", status: 529, type: "overloaded_error", message: "Busy." } : null;
    });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.events).toContainEqual(expect.objectContaining({ type: "notice", code: "model_retry" }));
  });
});

describe("a runner without a sandbox", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    // Nothing of what the sandbox needs is found there.
    bed = await Bed.make({ PATH: "/nowhere" });
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
  });
  afterAll(() => bed.close());

  it("does not run a real model, and clones nothing for it", async () => {
    const run = bed.run(["Hello."], ["app"]);
    expect((await run.finished()).outcome).toMatchObject({
      error: {
        code: "sandbox_unavailable",
        phase: "provisioning",
        message: expect.stringContaining("bubblewrap"),
        hint: expect.stringContaining("apt-get install bubblewrap"),
      },
    });
    expect(bed.instance.proxied.filter((request) => request.includes(run.order.run_id))).toEqual([]);
  });

  it("runs the demo model, and says how it runs", async () => {
    const run = bed.run([bash("pwd; git log --format=%s"), "Done."], ["app"], { demo_model: true });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(run.stored.map(({ body }) => body)).toContainEqual({ kind: "running", sandbox: "none" });
    const notices = run.events.filter((event) => event.type === "notice");
    expect(notices.map(({ code, level }) => [code, level])).toEqual([
      ["demo_model", "info"],
      ["no_sandbox", "warning"],
    ]);
    expect(notices[1]?.message).toContain("apt-get install bubblewrap");
    expect((await run.event("tool.result")).text).toMatch(/\/workspace\/app\nBegin$/);
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
  });
});

describe("a runner that is told to do without a sandbox", () => {
  it("runs a real model, marks the run, and still gives it an environment of its own", async () => {
    const bed = await Bed.make({ REVEILLE_SANDBOX: "none", SECRET_OF_THE_HOST: "hush" });
    const run = bed.run([bash("env | rev"), "Done."]);
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const names = (await run.event("tool.result")).text
      .split("\n")
      .map((line) => [...line].reverse().join("").split("=")[0]);
    expect(names).toContain("ANTHROPIC_BASE_URL");
    expect(names).not.toContain("SECRET_OF_THE_HOST");
    expect(names).not.toContain("RUNNER_TOKEN");
    const notice = await run.event("notice");
    expect(notice).toMatchObject({ code: "no_sandbox", message: expect.stringContaining("REVEILLE_SANDBOX=none") });
    await bed.close();
  });
});
