/**
 * Sessions on a whole instance whose parts are killed: one goes on in a later run with all that it was, and what many people
 * see of one is the same to the byte. Linux only. Run it by `node --test test/scripts/sessions-killed.e2e.ts`.
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pageSchema } from "#protocol/api.ts";
import { messageAnswerSchema } from "#protocol/message.ts";
import { admissionSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { isSettled, runSchema } from "#protocol/run.ts";
import { transcriptEventSchema } from "#protocol/transcript.ts";
import { createMessagesServer, type ReplyPlan } from "#scripts/demo-model/messages-api.ts";
import type { MessagesRequest } from "#scripts/demo-model/messages-request.ts";
import { type AskOwner, killWorkerd, ownerOf, ownerTokenOf } from "./support/killed-instance.ts";
import { cleanUp, printedCurl, processesOf, startProcess } from "./support/started-instance.ts";
import { until } from "./support/until.ts";
import { Viewer } from "./support/viewer.ts";

const RUN_MS = 120_000;
const VIEWERS = 10;
const RESTLESS = 3;
/** So often does each of the two who steer say something. */
const SAYINGS = 6;

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

/** An instance with a model whose answers the test decides. */
async function startWith(reply: (request: MessagesRequest) => ReplyPlan) {
  const model = await createMessagesServer({
    reply: (request) => ((request.tools ?? []).length === 0 ? { kind: "message", text: "A title" } : reply(request)),
  });
  const env = { ANTHROPIC_API_KEY: "key-of-nobody", ANTHROPIC_BASE_URL: model.url };
  const instance = await startProcess({ env });
  folders.push(instance.state);
  await printedCurl(instance);
  const stop = async () => {
    instance.child.kill("SIGINT");
    assert.equal(await instance.exited, 0, instance.output());
    await model.close();
  };
  return { instance, ask: ownerOf(instance), stop };
}

function bash(command: string): ReplyPlan {
  return { kind: "message", toolCalls: [{ name: "Bash", input: { command, description: "Work" } }] };
}

async function fire(ask: AskOwner, input: Record<string, unknown> = {}) {
  const triggers = [{ type: "api" }];
  const routine = await ask(routineSchema, "/api/v1/routines", { name: "Killed", prompt: "Work.", triggers, ...input });
  return await ask(admissionSchema, `/api/v1/routines/${routine.id}/run`, {});
}

function settled(ask: AskOwner, runId: string) {
  return until(`the end of ${runId}`, RUN_MS, async () => {
    // While the worker is away nobody answers.
    const run = await ask(runSchema, `/api/v1/runs/${runId}`).catch(() => null);
    return run !== null && isSettled(run) && run;
  });
}

/** What the model is told, without the marks for its cache, which move on and make a block of a text. */
function plain(request: MessagesRequest | undefined): string[] {
  return (request?.messages ?? []).map(({ role, content }) => {
    const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
    return JSON.stringify({ role, blocks }).replaceAll(/,?"cache_control":\{[^}]*\}/g, "");
  });
}

test("a session goes on after its runner and its worker were killed: the conversation, and the file that is not committed", async () => {
  const requests: MessagesRequest[] = [];
  const script = [
    bash("cd changelog-demo 2>/dev/null; echo changed >> CHANGELOG.md; echo loose > loose.txt; git status --short"),
    { kind: "message", text: "Written." } as const,
    bash("cd changelog-demo 2>/dev/null; cat loose.txt; tail -n 1 CHANGELOG.md; git status --short"),
  ];
  const { instance, ask, stop } = await startWith((request) => {
    requests.push(request);
    const step = request.messages.filter(({ role }) => role === "assistant").length;
    return script[step] ?? { kind: "message", text: "Read." };
  });
  const { data } = await ask(pageSchema(routineSchema), "/api/v1/routines");
  const repositories = data.find(({ tags }) => tags["demo"] === "changelog")?.repositories;
  const { run_id, session_id } = await fire(ask, { repositories });
  assert.equal((await settled(ask, run_id)).status, "succeeded");
  const earlier = requests.at(-1);
  for (const { pid, command } of processesOf(instance.state)) {
    if (command.includes("sandbox-runner/main.ts")) process.kill(pid, "SIGKILL");
  }
  await killWorkerd(instance);
  const said = { text: "Go on, please." };
  const answer = await ask(messageAnswerSchema, `/api/v1/sessions/${session_id}/messages`, said);
  assert.notEqual(answer.run_id, run_id);
  const run = await settled(ask, answer.run_id);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  const before = plain(earlier);
  const begun = requests.find((request) => JSON.stringify(request.messages).includes(said.text));
  assert.deepEqual(plain(begun).slice(0, before.length), before);
  assert.match(plain(begun)[before.length] ?? "", /Written/);
  const events = await ask(pageSchema(transcriptEventSchema), `/api/v1/sessions/${session_id}/events?limit=1000`);
  const results = events.data.flatMap((event) => (event.type === "tool.result" ? [event.text] : []));
  assert.match(results.at(-1) ?? "", /loose\nchanged\n M CHANGELOG.md\n\?\? loose.txt/);
  await stop();
});

test("ten people watch, two of them steer, three come back again and again, and workerd is killed twice: all see the same", async () => {
  let isOver = false;
  const heard: string[] = [];
  const { instance, ask, stop } = await startWith(({ messages }) => {
    heard.push(JSON.stringify(messages));
    return isOver ? { kind: "message", text: "Done." } : { ...bash("echo one step"), startDelayMs: 300 };
  });
  const { run_id, session_id } = await fire(ask);
  const where = { port: instance.port, token: ownerTokenOf(instance), sessionId: session_id };
  const viewers = Array.from({ length: VIEWERS }, () => new Viewer(where));
  const [ann, ben] = viewers;
  assert.ok(ann && ben);
  await until("work", RUN_MS, () => ann.events.some(({ type }) => type === "tool.result"));
  const restless = viewers.slice(-RESTLESS).map(async (viewer, index) => {
    for (let wait = 100 + 70 * index; !isOver; wait = (wait * 7 + 131) % 900) {
      await delay(wait);
      viewer.breakOff();
    }
  });
  const steering = [ann, ben].map(async (viewer, who) => {
    for (let number = 0; number < SAYINGS; number += 1) {
      await viewer.say(`${who}-${number}`, `Word ${number} of ${who}.`);
      await delay(400 + 300 * who);
    }
  });
  await killWorkerd(instance);
  await delay(1_500);
  await killWorkerd(instance);
  await Promise.all(steering);
  await until("the last word", RUN_MS, () => heard.at(-1)?.includes(`Word ${SAYINGS - 1} of 1.`));
  await until("the last word of the other", RUN_MS, () => heard.at(-1)?.includes(`Word ${SAYINGS - 1} of 0.`));
  isOver = true;
  await Promise.all(restless);
  const run = await settled(ask, run_id);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  const { data } = await ask(pageSchema(transcriptEventSchema), `/api/v1/sessions/${session_id}/events?limit=1000`);
  assert.deepEqual(
    data.map(({ seq }) => seq),
    data.map((_, index) => index + 1),
  );
  for (const viewer of viewers) {
    await until("the end", 30_000, () => viewer.events.at(-1)?.type === "run.finished");
    assert.equal(viewer.text, await transcriptOf(where));
    viewer.close();
  }
  const people = data.flatMap((event) =>
    event.type === "user.message" && event.source === "person" ? [event.message_id] : [],
  );
  const said = [0, 1].flatMap((who) => Array.from({ length: SAYINGS }, (_, number) => `${who}-${number}`));
  assert.deepEqual([...people].sort(), said.sort());
  assert.ok(ann.connections > 2 && (viewers.at(-1)?.connections ?? 0) > 3);
  await stop();
});

/** The stored transcript, as its bytes come. */
async function transcriptOf({ port, token, sessionId }: { port: number; token: string; sessionId: string }) {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/sessions/${sessionId}/events?limit=1000`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { data } = (await response.json()) as { data: unknown[] };
  return data.map((event) => JSON.stringify(event)).join("\n");
}
