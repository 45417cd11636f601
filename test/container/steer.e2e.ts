/** People talk to a run that works in a container, stop its turn, and cancel it: what its agent gets, and what is left of its processes. */
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { messageAnswerSchema } from "#protocol/message.ts";
import { endless } from "#test/runner/support/bed.ts";
import { until } from "#test/scripts/support/until.ts";
import { Bed, LONG_MS } from "./support/bed.ts";
import { containerTest, type Listed, NO_ENGINE, outputOf } from "./support/engine.ts";
import type { Script } from "./support/scripted-model.ts";

const GO = "/tmp/go";
/** Ends some seconds after it is told to, so that what was said before has come to the agent. */
const UNTIL_TOLD = `until [ -e ${GO} ]; do sleep 0.1; done; sleep 4`;

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(2);
});
after(async () => await bed?.stop());
afterEach(async () => await bed?.cancelAll());

async function say(runId: string, what: "messages" | "interrupt", body: Record<string, unknown> = {}): Promise<void> {
  const { session_id } = await bed.run(runId);
  const path = `/api/v1/sessions/${session_id}/${what}`;
  await bed.ask({ method: "POST", path, body, answer: messageAnswerSchema });
}

/** The commands of the agent's processes. */
async function agentsProcesses(container: Listed): Promise<string> {
  return await outputOf(container, ["sh", "-c", "ps -N -u root -o args= || true"]);
}

/** A run whose agent has begun a command, with the container in which it has. */
async function working(script: Script, words: string): Promise<{ runId: string; container: Listed }> {
  const runId = await bed.begin(script);
  await until("the run's start", LONG_MS, async () => (await bed.run(runId)).status === "running");
  const container = await bed.theContainer();
  await until(`the command ${words}`, LONG_MS, async () => (await agentsProcesses(container)).includes(words));
  return { runId, container };
}

async function succeeds(runId: string): Promise<void> {
  const run = await bed.settled(runId);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  assert.equal(run.result, "done");
  await bed.untilNoneWorks();
}

containerTest("a message of the middle of a long tool is in the next request to the model", async () => {
  const script = bed.model.write([UNTIL_TOLD]);
  const { runId, container } = await working(script, "sleep 0.1");
  await say(runId, "messages", { text: "Mind the gap." });
  await outputOf(container, ["touch", GO]);
  await succeeds(runId);
  const [first = "", second = ""] = script.requests;
  assert.ok(!first.includes("Mind the gap."));
  assert.ok(second.includes("Mind the gap."), second.slice(-2_000));
  const events = await bed.events(await bed.run(runId));
  const told = events.find((event) => event.type === "user.message" && event.text === "Mind the gap.");
  const result = events.find(({ type }) => type === "tool.result");
  assert.ok(told && result && told.seq > result.seq, JSON.stringify(events.map(({ type }) => type)));
});

containerTest(
  "an interrupt ends a long command and what that has started; on a message the agent goes on",
  async () => {
    const script = bed.model.write([
      `(${endless("behind")}) & (env -i setsid sleep 601) & sleep 600 & sleep 600; wait`,
      "echo gone on",
    ]);
    const { runId, container } = await working(script, "sleep 600");
    await until("its children", LONG_MS, async () => {
      const found = await agentsProcesses(container);
      return ["behind", "sleep 601"].every((words) => found.includes(words));
    });
    await say(runId, "interrupt");
    const waiting = await until("the run that waits", LONG_MS, async () => {
      const run = await bed.run(runId);
      return run.status === "waiting" && run;
    });
    assert.equal(waiting.waiting?.for, "message");
    // It says so only when everything has stopped.
    const left = await agentsProcesses(container);
    assert.ok(!/sleep 60[01]|behind/.test(left), left);
    await say(runId, "messages", { text: "Go on." });
    await succeeds(runId);
    assert.ok(script.requests[1]?.includes("Go on."), script.requests[1]?.slice(-2_000));
    const printed = (await bed.events(await bed.run(runId))).flatMap((event) =>
      event.type === "tool.result" ? [event.text] : [],
    );
    assert.ok(printed.includes("gone on"), JSON.stringify(printed));
  },
);

containerTest("a run that is canceled in a long command leaves neither process nor container", async () => {
  const script = bed.model.write(["(env -i setsid sleep 601) & sleep 600 & sleep 600; wait"]);
  const { runId } = await working(script, "sleep 601");
  await bed.cancel(runId);
  const run = await bed.settled(runId);
  assert.equal(run.status, "canceled", JSON.stringify(run.error));
  await bed.untilNoneWorks();
  assert.equal(script.requests.length, 1);
});
