/** Interrupts of people at awkward moments, with the real agent: it waits for a message, or goes on with the one that waits. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import { Bed, noSandbox, report } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { told, untilFrame } from "./support/said-to-runs.ts";
import { until } from "./support/until.ts";

const BY = { kind: "owner", id: null, name: "owner" } as const;
const HANG: ReplyPlan = { kind: "hang", after: "nothing" };

describe.skipIf(noSandbox !== null)("an interrupt", () => {
  let bed: Bed;
  beforeAll(async () => {
    bed = await Bed.make();
  });
  afterAll(() => bed.close());

  /** A run whose first model calls get no answer. */
  function pending(calls: number): FakeRun {
    const run = bed.run([report("done", "On."), "Bye."]);
    run.features = ["steer"];
    let left = calls;
    bed.faults.set(run.order.task, () => (left-- > 0 ? HANG : null));
    return run;
  }

  const callsOf = (run: FakeRun) => bed.conversations.get(run.order.task) ?? [];
  const callsMade = (run: FakeRun, calls: number) =>
    until(`model call ${calls}`, () => callsOf(run).length >= calls || null);
  const say = (run: FakeRun, n: number, text: string) => run.say({ type: "message", n, id: `m${n}`, text, by: BY });

  async function ends(run: FakeRun): Promise<void> {
    await untilFrame(run, "idle");
    run.say({ type: "close" });
    expect(await run.finished()).toMatchObject({ outcome: { status: "succeeded" }, report: { result: "done" } });
  }

  it("of a model call that is not answered leaves the run waiting, and it goes on", async () => {
    const run = pending(1);
    await callsMade(run, 1);
    run.say({ type: "interrupt", n: 1 });
    await untilFrame(run, "waiting");
    say(run, 2, "Go on.");
    await ends(run);
    expect(told(run)).toEqual(["took 1", "waiting", "took 2", "idle"]);
  });

  it("that comes twice stops the turn of the message that waited, too", async () => {
    const run = pending(2);
    await callsMade(run, 1);
    say(run, 1, "Mind the gap.");
    run.say({ type: "interrupt", n: 2 });
    await callsMade(run, 2);
    run.say({ type: "interrupt", n: 3 });
    await untilFrame(run, "waiting");
    say(run, 4, "Go on.");
    await ends(run);
    expect(told(run)).toEqual(["took 2", "took 1", "took 3", "waiting", "took 4", "idle"]);
    for (const words of ["Mind the gap.", "Go on."]) expect(callsOf(run).at(-1)?.messages).toContain(words);
  });

  it("that is followed at once by another one, and by a message, goes on with the message", async () => {
    const run = pending(1);
    await callsMade(run, 1);
    run.say({ type: "interrupt", n: 1 });
    run.say({ type: "interrupt", n: 2 });
    say(run, 3, "Go on.");
    await ends(run);
    expect(told(run)).toEqual(["took 1", "took 2", "took 3", "idle"]);
  });

  // How far the agent's program is with the message by then can't be seen from outside.
  it.each([0, 5, 20, 80])("%i ms after a message stops its turn, or comes before it", async (ms) => {
    const run = pending(1);
    await callsMade(run, 1);
    run.say({ type: "interrupt", n: 1 });
    await untilFrame(run, "waiting");
    const held = Promise.withResolvers<null>();
    bed.faults.set(run.order.task, () => held.promise);
    say(run, 2, "Mind the gap.");
    await sleep(ms);
    run.say({ type: "interrupt", n: 3 });
    await untilFrame(run, "took", (body) => body.kind === "took" && body.n === 3);
    held.resolve(null);
    say(run, 4, "Go on.");
    await ends(run);
    for (const words of ["Mind the gap.", "Go on."]) expect(callsOf(run).at(-1)?.messages).toContain(words);
  });

  it.each([0, 100])("goes on with a message that the agent's program has kept for %i ms", async (ms) => {
    const run = pending(1);
    await callsMade(run, 1);
    say(run, 1, "Mind the gap.");
    await sleep(ms);
    run.say({ type: "interrupt", n: 2 });
    await ends(run);
    expect(told(run).toSorted()).toEqual(["idle", "took 1", "took 2"]);
    expect(callsOf(run).at(-1)?.messages).toContain("Mind the gap.");
  });

  it("between two turns leaves the run waiting", async () => {
    const run = pending(0);
    await untilFrame(run, "idle");
    run.say({ type: "interrupt", n: 1 });
    await untilFrame(run, "waiting");
    say(run, 2, "Go on.");
    await until("its second idle", () => told(run).filter((kind) => kind === "idle").length > 1 || null);
    run.say({ type: "close" });
    expect((await run.finished()).outcome).toEqual({ status: "succeeded" });
    expect(told(run)).toEqual(["idle", "took 1", "waiting", "took 2", "idle"]);
  });

  it("before the agent has begun leaves the run waiting", async () => {
    const run = pending(0);
    // The turn that is stopped may have called its model already, or never does.
    bed.faults.set(run.order.task, () => (callsOf(run).at(-1)?.messages.includes("Go on.") ? null : HANG));
    await until("the runner's first frame", () => run.stored[0]);
    run.say({ type: "interrupt", n: 1 });
    await untilFrame(run, "waiting");
    say(run, 2, "Go on.");
    await ends(run);
    expect(told(run)).toEqual(["took 1", "waiting", "took 2", "idle"]);
  });
});
