/** What happens in the middle of a run that works in a container, and what becomes of the run. See docs/testing.md. */
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { pageSchema } from "#protocol/api.ts";
import { notificationSchema } from "#protocol/notification.ts";
import { type FaultRow, faultRows } from "#test/runner/support/fault-page.ts";
import { until } from "#test/scripts/support/until.ts";
import { Bed, LONG_MS } from "./support/bed.ts";
import { containerTest, killContainer, NO_ENGINE } from "./support/engine.ts";
import type { Script } from "./support/scripted-model.ts";

const PUSH = [
  "git checkout -q -b claude/container-suite-$(cat /proc/sys/kernel/random/uuid)",
  "echo one more line >> notes.txt && git add notes.txt && git commit -q -m 'Add a line'",
  "git push -q -u origin HEAD",
];

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(2);
});
after(async () => await bed?.stop());

afterEach(async () => await bed?.cancelAll());

/** A run that has come to its second command, and waits for it. */
async function held(routine: Record<string, unknown> = {}): Promise<{ script: Script; runId: string }> {
  const script = bed.model.write(PUSH, 1);
  const runId = await bed.begin(script, routine);
  await bed.untilHeld(script, runId);
  return { script, runId };
}

async function endsWell(held: { script: Script; runId: string }): Promise<void> {
  await succeeds(held);
  await isMetered(held.runId);
}

async function isMetered(runId: string): Promise<void> {
  await until("the time of the container", LONG_MS, async () => (await bed.run(runId)).usage.containers?.[0]?.seconds);
}

async function succeeds({ script, runId }: { script: Script; runId: string }): Promise<void> {
  script.release();
  const run = await bed.settled(runId);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  assert.equal(run.result, "done");
  assert.equal(run.attempt, 1);
  assert.equal(run.evidence.branches_pushed.length, 1);
  const events = await bed.events(run);
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_event, index) => index + 1),
  );
  await bed.untilNoneWorks();
}

containerTest("a run in a container of its own pushes its branch", async () => {
  const { script, runId } = await held();
  assert.equal((await bed.run(runId)).runner?.kind, "container");
  const running = (await bed.events(await bed.run(runId))).find(({ type }) => type === "run.running");
  assert.ok(running?.type === "run.running");
  assert.equal(running.sandbox, "container");
  await bed.theContainer();
  await endsWell({ script, runId });
});

containerTest("the worker is replaced: the run goes on", async () => {
  const run = await held();
  const container = await bed.theContainer();
  bed.signal("worker-host.ts", "SIGHUP");
  await until("the new worker", LONG_MS, () => bed.log().includes("worker replaced"));
  assert.equal((await bed.theContainer()).id, container.id);
  await endsWell(run);
});

containerTest("workerd is killed, and with it every object: the run goes on", async () => {
  const run = await held();
  const container = await bed.theContainer();
  bed.signal("workerd", "SIGKILL");
  assert.equal((await bed.run(run.runId)).status, "running");
  assert.equal((await bed.theContainer()).id, container.id);
  await endsWell(run);
});

containerTest("the container is killed: the run is lost, and says so as docs/errors.md does", async () => {
  const on = ["failed", "succeeded", "blocked"];
  const { runId } = await held({ notify: [{ on, webhook: "https://nobody.invalid/" }] });
  await killContainer(await bed.theContainer());
  const run = await bed.settled(runId);
  assert.equal(run.attempt, 1, "the model had been called");
  const { status, result, error, routine_id } = run;
  const told = await until("the notification", LONG_MS, async () => {
    const path = `/api/v1/notifications?routine=${routine_id}`;
    return (await bed.ask({ method: "GET", path, answer: pageSchema(notificationSchema) })).data[0];
  });
  assert.deepEqual(
    { status, result, code: error?.code, phase: error?.phase, hint: error?.hint, told: told.kind },
    (({ again: _again, ...row }) => row)(faultRows().get("a container that is lost") as FaultRow),
  );
  await bed.untilNoneWorks();
});

containerTest(
  "the host is killed with all that it has: its containers are taken away, and the run is lost",
  async () => {
    const { runId } = await held();
    bed.signal("worker-host.ts", "SIGKILL");
    const run = await bed.settled(runId);
    assert.equal(run.error?.code, "runner_lost");
    await bed.untilNoneWorks();
  },
);

containerTest("a run is canceled: its container ends", async () => {
  const { runId } = await held();
  await bed.cancel(runId);
  const run = await bed.settled(runId);
  assert.equal(run.status, "canceled");
  await bed.untilNoneWorks();
});

containerTest("the engine is stopped for a while: what works goes on, and what comes waits", async () => {
  const working = await held();
  bed.door.shut();
  const script = bed.model.write(PUSH);
  const waiting = await bed.begin(script);
  await succeeds(working);
  assert.match((await bed.run(waiting)).status, /^(queued|starting)$/);
  await bed.door.open();
  await endsWell({ script, runId: waiting });
  await isMetered(working.runId);
});
