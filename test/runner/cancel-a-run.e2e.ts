/** Whatever a run is doing when it is stopped, its whole tree is gone before anybody says so. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bed, bash, endless, noSandbox } from "./support/bed.ts";
import type { FakeRun } from "./support/fake-run.ts";
import { processesWith } from "./support/processes.ts";
import { until } from "./support/until.ts";
import { seedUpstream } from "./support/upstream.ts";

/** The issue's own bound. */
const CANCEL_MS = 5_000;

describe.skipIf(noSandbox !== null)("stopping a run", { concurrent: true }, () => {
  let bed: Bed;

  beforeAll(async () => {
    bed = await Bed.make();
    seedUpstream(bed.upstream, "app", { "README.md": "# App\n" });
  });
  afterAll(() => bed.close());

  /** Cancels, and looks at the machine at the very moment when the run says that it has ended. */
  async function cancel(run: FakeRun, traces: string[], boundMs = CANCEL_MS): Promise<void> {
    run.cancel();
    const ending = await run.finished(boundMs);
    expect(traces.flatMap((trace) => processesWith(trace))).toEqual([]);
    expect(ending.outcome).toEqual({ status: "canceled" });
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease));
    expect(processesWith(run.order.run_id)).toEqual([]);
  }

  it("in a clone whose upstream hangs", async () => {
    const run = bed.run([], ["app"]);
    run.holdGit = true;
    const asked = `GET /proxy/${run.order.run_id}/git/0/info/refs?service=git-upload-pack`;
    await until("git asks for the repository", () => bed.instance.proxied.includes(asked));
    expect(processesWith(`${run.order.run_id}/git/0`)).not.toEqual([]);
    await cancel(run, [`${run.order.run_id}/git/0`]);
  });

  it("in a long command, with children that hide", async () => {
    const names = ["plain", "child", "hidden"].map((name) => `${name}-${crypto.randomUUID()}`);
    const [plain = "", child = "", hidden = ""] = names;
    const run = bed.run([
      bash(`(${endless(child)} &) ; (env -i setsid /bin/bash -c '${endless(hidden)}' &) ; bash -c '${endless(plain)}'`),
    ]);
    // The shell that starts it names it too, so each is there once it has that name alone.
    for (const name of names) {
      await until(`${name} runs`, () => processesWith(name).some((line) => line.split(" ")[1] === name));
    }
    await cancel(run, names);
  });

  it("in a model call that hangs", async () => {
    const run = bed.run([{ kind: "hang", after: "stream" }]);
    await until("the agent asks the model", () =>
      bed.instance.proxied.includes(`POST /proxy/${run.order.run_id}/model/v1/messages?beta=true`),
    );
    await cancel(run, []);
  });

  it("before it has begun", async () => {
    const run = bed.run([], ["app"]);
    // The start of the run's own process is in this bound, and on a busy machine that alone can take seconds.
    await cancel(run, [], 20_000);
  });

  it("at its time limit", async () => {
    const name = `late-${crypto.randomUUID()}`;
    const run = bed.run([bash(endless(name))], [], { timeout_ms: 5_000 });
    const ending = await run.finished();
    expect(processesWith(name)).toEqual([]);
    expect(ending.outcome).toMatchObject({ status: "timed_out", error: { code: "timed_out" } });
  });

  it("when its pool says so", async () => {
    const name = `stopped-${crypto.randomUUID()}`;
    const run = bed.run([bash(endless(name))]);
    await run.event("tool.call");
    bed.instance.stop(run.lease);
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease), CANCEL_MS);
    expect([...processesWith(name), ...processesWith(run.order.run_id)]).toEqual([]);
    expect(run.ending?.outcome).toMatchObject({ status: "failed", error: { code: "runner_lost", phase: "agent" } });
  });

  it("when its attempt has ended at the other side", async () => {
    const run = bed.run([bash(endless(`ended-${crypto.randomUUID()}`))]);
    await run.event("tool.call");
    run.end();
    await until("the lease has ended", () => bed.instance.hasEnded(run.lease), CANCEL_MS);
    expect(processesWith(run.order.run_id)).toEqual([]);
    expect(run.ending).toBeNull();
  });
});
