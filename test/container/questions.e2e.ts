/** An agent in a container asks people: they are told, its container goes, and it goes on in another one with what they have answered. */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { z } from "zod";
import { runSchema } from "#protocol/run.ts";
import { ASK_TOOL } from "#protocol/tools.ts";
import { saidIn } from "#test/runner/support/said-in.ts";
import { until } from "#test/scripts/support/until.ts";
import { Bed, LONG_MS } from "./support/bed.ts";
import { NO_ENGINE } from "./support/engine.ts";
import { NO_RECEIVER, Receiver } from "./support/receiver.ts";

const ASK = { name: ASK_TOOL, input: { question: "Which colour?", choices: ["red", "blue"] } };
const SKIPPED = NO_ENGINE ?? NO_RECEIVER;

let receiver: Receiver;
let bed: Bed;
before(async () => {
  if (SKIPPED !== null) return;
  receiver = await Receiver.start();
  bed = await Bed.start(1, undefined, receiver.way);
});
after(async () => {
  await bed?.stop();
  receiver?.close();
});
afterEach(async () => await bed?.cancelAll());

const askingTest = (name: string, work: () => Promise<void>) => test(name, { skip: SKIPPED ?? false }, work);

/** @returns the question's id, once the run waits for an answer. */
async function asked(runId: string, kind: "question" | "approval"): Promise<string> {
  const run = await until("the question", LONG_MS, async () => {
    const found = await bed.run(runId);
    return found.status === "waiting" && found;
  });
  assert.ok(run.waiting?.for === kind, JSON.stringify(run.waiting));
  const id = run.waiting.question?.id;
  assert.ok(id);
  return id;
}

function answer(runId: string, said: { question_id: string; choice?: string; approve?: boolean; text?: string }) {
  return bed.ask({ method: "POST", path: `/api/v1/runs/${runId}/answer`, body: said, answer: runSchema });
}

async function resultsOf(runId: string): Promise<string[]> {
  const events = await bed.events(await bed.run(runId));
  return events.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
}

askingTest(
  "a question outlives its container: the first answer counts, and another container goes on with it",
  async () => {
    const script = bed.model.write(["echo kept > kept.txt", ASK, "cat kept.txt"]);
    const notify = [{ on: ["waiting"], webhook: receiver.address }];
    const runId = await bed.begin(script, { limits: { hold: "1s" }, notify });
    const question_id = await asked(runId, "question");
    const { signing_key } = await bed.ask({
      method: "POST",
      path: "/api/v1/notifications/signing-key",
      body: { webhook: receiver.address },
      answer: z.object({ signing_key: z.string() }),
    });
    await until("the notification", LONG_MS, () => receiver.received.length > 0);
    const [told, ...more] = receiver.read(signing_key);
    assert.deepEqual(more, []);
    const body = z.object({
      type: z.string(),
      data: z.object({ run: z.object({ id: z.string(), status: z.string() }) }),
    });
    assert.deepEqual(body.parse(told), { type: "run.waiting", data: { run: { id: runId, status: "waiting" } } });
    assert.ok(JSON.stringify(told).includes("Which colour?"));

    // Its container has gone, and with it whatever the agent's program had in memory and in files.
    await bed.untilNoneWorks();
    const alone = await bed.run(runId);
    assert.deepEqual([alone.status, alone.runner, alone.attempt], ["waiting", null, 1]);
    const answers = await Promise.allSettled([
      answer(runId, { question_id, choice: "blue" }),
      answer(runId, { question_id, choice: "red" }),
    ]);
    const refused = answers.flatMap((one) => (one.status === "rejected" ? [String(one.reason)] : []));
    assert.equal(refused.length, 1);
    assert.match(refused[0] ?? "", /\(409\).*owner/i);
    const run = await bed.settled(runId);
    assert.deepEqual([run.status, run.result, run.attempt], ["succeeded", "done", 2], JSON.stringify(run.error));
    const choice = answers[0].status === "fulfilled" ? "blue" : "red";
    const results = await resultsOf(runId);
    assert.ok(
      results.some((text) => text.includes(`answered: ${choice}`)),
      JSON.stringify(results),
    );
    assert.ok(results.includes("kept"), JSON.stringify(results));
    const [, second = "", third = ""] = script.requests;
    const said = saidIn(second);
    assert.deepEqual(saidIn(third).slice(0, said.length), said);
  },
);

askingTest("a call that is not approved is not made, also by the container that comes after", async () => {
  const script = bed.model.write(["touch approved", "ls"]);
  const runId = await bed.begin(script, { limits: { hold: "1s" }, tools: { ask: ["Bash(touch:*)"] } });
  const question_id = await asked(runId, "approval");
  await bed.untilNoneWorks();
  await answer(runId, { question_id, approve: false, text: "Leave it." });
  const run = await bed.settled(runId);
  assert.deepEqual([run.status, run.attempt], ["succeeded", 2], JSON.stringify(run.error));
  const [first = "", second = ""] = await resultsOf(runId);
  assert.match(first, /refused the call: Leave it\./);
  assert.ok(second !== "" && !second.includes("approved"), second);
});
