/** Work that the agent leaves in the background: how long it keeps a run, and what comes of a late report. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { background, noticesOf } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report } from "./support/bed.ts";

describe.skipIf(noSandbox !== null)("what is left in the background", { concurrent: true }, () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  it("ends with a run that has reported, also what the program moved there by itself", async () => {
    const run = bed.run([
      background("exec python3 -m http.server 8123"),
      background(endless("slow"), { timeout: 300 }),
      report("done", "All is up."),
      "Bye.",
      report("blocked", "Too late."),
      "Bye.",
    ]);
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "All is up." },
    });
    expect(noticesOf(run, "background_ended")).toMatchObject([{ level: "info" }]);
    expect(bed.conversations.get(run.order.task)).toHaveLength(4);
  });

  it("wakes the agent, whose late work and report count", async () => {
    const run = bed.run([
      background("command sleep 1; echo all tests passed"),
      "The tests are running; I go on when they are through.",
      bash("echo ok > ok"),
      report("done", "Tests pass."),
      "All is done.",
    ]);
    expect(await run.finished()).toMatchObject({
      outcome: { status: "succeeded" },
      report: { result: "done", summary: "Tests pass." },
      seen: { tool_calls: 3 },
    });
    expect(noticesOf(run, "background_ended")).toEqual([]);
  });

  it("keeps an agent without a report for as long as the order says", async () => {
    const run = bed.run([background(endless("forever")), "It is up."], [], { background_wait_ms: 500 });
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: null });
    expect(noticesOf(run, "background_ended")).toMatchObject([{ level: "warning" }]);
    expect(bed.conversations.get(run.order.task)).toHaveLength(2);
  });
});
