/** Messages and interrupts of people, with the real agent: where it gets them, and what is left of what was stopped. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { background } from "./support/agent-steps.ts";
import { Bed, bash, endless, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { untilFrame } from "./support/said-to-runs.ts";
import { until } from "./support/until.ts";

const BY = { kind: "owner", id: null, name: "owner" } as const;

function kindsOf(run: FakeRun): string[] {
  return run.stored.map(({ body }) => {
    if (body.kind === "event") return body.event.type;
    return body.kind === "took" ? `took ${body.n}` : body.kind;
  });
}

function steered(run: FakeRun): FakeRun {
  run.features = ["steer"];
  return run;
}

describe.skipIf(noSandbox !== null)("a run that people talk to", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  it("has a message of the middle of a long tool in its next request, and ends when it may", async () => {
    const run = steered(bed.run([bash("command sleep 3"), report("done", "Heard."), "Bye."]));
    await run.event("tool.call");
    run.say({ type: "message", n: 1, id: "m1", text: "Mind the gap.", by: BY });
    await untilFrame(run, "took");
    expect(kindsOf(run).indexOf("took 1")).toBeGreaterThan(kindsOf(run).indexOf("tool.result"));
    await untilFrame(run, "idle");
    const requests = bed.conversations.get(run.order.task) ?? [];
    expect(JSON.stringify(requests[0])).not.toContain("Mind the gap.");
    expect(JSON.stringify(requests[1])).toContain("Mind the gap.");
    run.say({ type: "close" });
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
  });

  it("stops its turn with what that has started, waits, and goes on", async () => {
    // So many seconds as no other process sleeps on this machine.
    const long = `600.${String(process.pid).padStart(8, "0")}`;
    const behind = `behind-${process.pid}`;
    const run = steered(
      bed.run([
        background(endless(behind)),
        bash(`command sleep ${long} & command sleep ${long}; wait`),
        report("done", "On."),
        "Bye.",
      ]),
    );
    await run.event("tool.call", ({ input }) => JSON.stringify(input).includes(long));
    await until("the sleep", () => processesWith(`sleep\0${long}`)[0]);
    expect(processesWith(behind).length).toBeGreaterThan(0);
    run.say({ type: "interrupt", n: 1 });
    await untilFrame(run, "took");
    await untilFrame(run, "waiting");
    expect([...processesWith(`sleep ${long}`), ...processesWith(`sleep\0${long}`), ...processesWith(behind)]).toEqual(
      [],
    );
    run.say({ type: "message", n: 2, id: "m2", text: "Go on.", by: BY });
    await untilFrame(run, "took", (body) => body.kind === "took" && body.n === 2);
    await untilFrame(run, "idle");
    run.say({ type: "close" });
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
  });

  it("reads a message that was given before an interrupt after it, and no command for its program", async () => {
    const run = steered(bed.run([bash("command sleep 602"), "I see.", "Nor am I cleared.", "Bye."]));
    await run.event("tool.call");
    run.say({ type: "message", n: 1, id: "m1", text: "Mind the gap.", by: BY });
    run.say({ type: "interrupt", n: 2 });
    await untilFrame(run, "idle");
    run.say({ type: "message", n: 3, id: "m3", text: "/clear", by: BY });
    await untilFrame(run, "took", (body) => body.kind === "took" && body.n === 3);
    await until("its second idle", () => (kindsOf(run).filter((kind) => kind === "idle").length > 1 ? true : null));
    run.say({ type: "close" });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    const told = kindsOf(run).filter((kind) => /took|idle|waiting|agent/.test(kind));
    expect(told).toEqual(["took 2", "took 1", "agent.message", "idle", "took 3", "agent.message", "idle"]);
    const last = JSON.stringify(bed.conversations.get(run.order.task)?.at(-1));
    for (const words of ["Mind the gap.", "/clear"]) expect(last).toContain(words);
  });

  it("reads a message that came with an interrupt before its agent had begun", async () => {
    const run = steered(bed.run(["I see.", "I see.", "I see."]));
    await until("the runner's first frame", () => run.stored[0]);
    run.say({ type: "message", n: 1, id: "m1", text: "Mind the gap.", by: BY });
    run.say({ type: "interrupt", n: 2 });
    await untilFrame(run, "idle");
    expect(JSON.stringify(bed.conversations.get(run.order.task)?.at(-1))).toContain("Mind the gap.");
    expect(kindsOf(run)).toContain("agent.message");
    run.say({ type: "close" });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
  });

  it("leaves no process when it is canceled", async () => {
    const long = `601.${String(process.pid).padStart(8, "0")}`;
    const run = steered(bed.run([bash(`command sleep ${long}`), report("done", "Never."), "Bye."]));
    await until("the sleep", () => processesWith(`sleep\0${long}`)[0]);
    run.say({ type: "message", n: 1, id: "m1", text: "Too late.", by: BY });
    run.cancel();
    expect((await run.finished()).outcome).toEqual({ status: "canceled" });
    expect(processesWith(long)).toEqual([]);
  });
});
