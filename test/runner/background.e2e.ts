/** More kinds of work that the agent leaves in the background than in `background.test.ts`: one run for each. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { background, call, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report } from "./support/bed.ts";

const subagent = (prompt: string) =>
  call("Agent", { description: "Look", prompt, subagent_type: "general-purpose", run_in_background: true });
const monitor = (command: string) => call("Monitor", { command, description: "Watch", persistent: true });
const ticks = "while true; do echo tick; command sleep 0.4; done";

/** What is started, and how many model calls come before the report's turn has ended. */
const kinds: [name: string, steps: ReplyPlan[]][] = [
  ["two commands and a monitor", [background(endless("one")), background(endless("two")), monitor(endless("three"))]],
  ["a command that does not heed SIGTERM", [background(`trap "" TERM; ${ticks}`)]],
  ["a process that has left its session", [bash("setsid tail -f /dev/null >/dev/null 2>&1 & echo started")]],
];

describe.skipIf(noSandbox !== null)("in the background", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  // What waits longest begins first.
  it("a command that nobody reports on ends short of the run's time", async () => {
    const run = bed.run([background(endless("forever")), "It is up."], [], { timeout_ms: 20_000 });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(noticesOf(run, "background_ended")).toMatchObject([{ level: "warning" }]);
  });

  it.each(kinds)("%s ends with a run that has reported", async (_name, steps) => {
    const run = bed.run([...steps, report("done", "All is up."), "Bye.", report("blocked", "Too late."), "Bye."]);
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
    expect(bed.conversations.get(run.order.task)).toHaveLength(steps.length + 2);
  });

  it("a monitor goes on waking an agent that has reported, but not for ever", async () => {
    const run = bed.run([monitor(ticks), report("done", "It ticks."), ...Array.from({ length: 40 }, () => "I see.")]);
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { summary: "It ticks." } });
  });

  it("a command that ends soon wakes a reported agent, and then the last report counts", async () => {
    const steps = [background("until [ -e go ]; do command sleep 0.1; done"), report("blocked", "first"), "Bye."];
    const run = bed.run([...steps, report("done", "second thoughts"), "Bye again."]);
    await run.event("agent.message", ({ text }) => text === "Bye.");
    writeFileSync(join(bed.folderOf(run), "workspace", "go"), "");
    expect((await run.finished()).report).toEqual({ result: "done", summary: "second thoughts" });
  });

  it("a command may have ended while the agent still spoke", async () => {
    const slow: ReplyPlan = { kind: "message", text: "I wait for it.", startDelayMs: 1_200 };
    const run = bed.run([background("command sleep 0.3"), slow, report("done", "It ended."), "Bye."]);
    expect((await run.finished()).report).toEqual({ result: "done", summary: "It ended." });
  });

  it("a subagent is waited for", async () => {
    const run = bed.run([subagent("Look around."), "I wait.", report("done", "It looked."), "Bye."]);
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { summary: "It looked." } });
  });

  it("a subagent that never ends is stopped with a run that has reported", async () => {
    const task = `Follow script ${crypto.randomUUID()}.`;
    bed.faults.set(task, () => ({ kind: "hang", after: "nothing" }));
    const run = bed.run([subagent(task), report("done", "Done without it."), "Bye."]);
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
  });
});
