/**
 * A chain on a real instance: the demo routine pushes, the demo upstream tells of it as GitHub does, and the reviewer
 * wakes. Run it by `node --test test/scripts/chain.e2e.ts`. Linux only.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import type { z } from "zod";
import { fireAnswerSchema, pageSchema } from "#protocol/api.ts";
import { deliverySchema } from "#protocol/delivery.ts";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { isSettled, listedRunSchema, runSchema } from "#protocol/run.ts";
import { secretSchema } from "#protocol/secret.ts";
import { transcriptEventSchema } from "#protocol/transcript.ts";
import { assertNoSecrets } from "./support/no-secrets.ts";
import { cleanUp, printedCurl, processesOf, type StartedInstance, startProcess } from "./support/started-instance.ts";
import { until } from "./support/until.ts";

const CHAIN_DEADLINE_MS = 60_000;
const SECRET = "canary-of-the-chain-0123456789";

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

interface Local {
  url: string;
  owner_token: string;
  demo: { routine_id: string; reviewer_id: string; fire_url: string; fire_token: string };
}

function readLocal({ state }: StartedInstance): Local {
  return JSON.parse(readFileSync(path.join(state, "local.json"), "utf8"));
}

/** Takes a key out of a JSON file, wherever it is in it. */
function forget(file: string, name: string): void {
  const content: unknown = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(
    file,
    JSON.stringify(content, (key, value) => (key === name ? undefined : value)),
  );
}

async function ask<Schema extends z.ZodType>(
  { port }: StartedInstance,
  asked: { method?: string; path: string; token: string; body?: unknown; answer: Schema },
): Promise<z.infer<Schema>> {
  const response = await fetch(`http://127.0.0.1:${port}${asked.path}`, {
    method: asked.method ?? "GET",
    headers: { authorization: `Bearer ${asked.token}`, "content-type": "application/json" },
    ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${asked.path}: ${response.status} ${text}`);
  return asked.answer.parse(JSON.parse(text));
}

test("the writer's push wakes the reviewer, one deep, and does not wake the writer again", async () => {
  const instance = await startProcess();
  folders.push(instance.state);
  await printedCurl(instance);
  const { owner_token: token, demo } = readLocal(instance);
  const read = <Schema extends z.ZodType>(where: string, answer: Schema) =>
    ask(instance, { path: where, token, answer });

  // The writer waits for pushes too, and so for its own.
  const triggers = [{ type: "api" }, { type: "github", event: "push" }];
  const at = `/api/v1/routines/${demo.routine_id}`;
  const secret = { method: "PUT", path: "/api/v1/secrets/CHAIN", body: { value: SECRET } };
  await ask(instance, { ...secret, token, answer: secretSchema });
  const change = { triggers, variables: { TOKEN: "{{CHAIN}}" } };
  await ask(instance, { method: "PATCH", path: at, token, body: change, answer: routineSchema });

  const fire = { method: "POST", path: new URL(demo.fire_url).pathname, token: demo.fire_token, body: {} };
  const fired = await ask(instance, { ...fire, answer: fireAnswerSchema });
  const reviewerRuns = `/api/v1/routines/${demo.reviewer_id}/runs`;
  const review = await until("the review", CHAIN_DEADLINE_MS, async () => {
    const [run] = (await read(reviewerRuns, pageSchema(listedRunSchema))).data;
    return run !== undefined && isSettled(run) && run;
  });
  assert.equal(review.status, "succeeded", JSON.stringify(review.error));
  assert.equal(review.result, "done");
  assert.match(
    review.summary ?? "",
    /^Looked at one commit, one file \(CHANGELOG\.md\): each of the 3 changelog entries/,
  );
  assert.equal(review.trigger.type, "github");
  assert.equal(review.trigger.depth, 1);

  const writing = await read(`/api/v1/runs/${fired.run_id}`, runSchema);
  const [pushed] = writing.evidence.branches_pushed;
  assert.ok(pushed);
  const page = await read(`/api/v1/sessions/${review.session_id}/events?limit=1000`, pageSchema(transcriptEventSchema));
  const steps = page.data.flatMap((event) => (event.type === "run.step" ? [event.message] : []));
  assert.ok(
    steps.some((step) => step.includes(pushed.commit)),
    `the pushed commit is checked out: ${steps.join(" | ")}`,
  );

  const { data: occurrences } = await read(`${at}/occurrences`, pageSchema(occurrenceSchema));
  assert.deepEqual(
    occurrences.map(({ trigger, outcome, reason }) => [trigger.type, outcome, reason]),
    [
      ["github", "ignored", "own_event"],
      ["api", "started", "admitted"],
    ],
  );
  assert.equal((await read(`${at}/runs`, pageSchema(listedRunSchema))).data.length, 1);
  const { data: deliveries } = await read("/api/v1/deliveries", pageSchema(deliverySchema));
  assert.deepEqual(
    deliveries.map(({ source, event, status }) => [source, event, status]),
    [["github", "push", "handled"]],
  );

  instance.child.kill("SIGINT");
  assert.equal(await instance.exited, 0, instance.output());
  assert.deepEqual(processesOf(instance.state), []);
  assertNoSecrets(instance.state, instance.output(), [SECRET]);
});

test("an instance from before there was a reviewer gets one, and keeps what it had", async () => {
  const first = await startProcess();
  folders.push(first.state);
  await printedCurl(first);
  const before = readLocal(first);
  const gone = { method: "DELETE", path: `/api/v1/routines/${before.demo.reviewer_id}`, token: before.owner_token };
  const answer = await fetch(`http://127.0.0.1:${first.port}${gone.path}`, {
    method: gone.method,
    headers: { authorization: `Bearer ${gone.token}` },
  });
  assert.ok(answer.ok, await answer.text());
  first.child.kill("SIGINT");
  await first.exited;
  forget(path.join(first.state, "local.json"), "reviewer_id");
  forget(path.join(first.state, "secrets.json"), "GITHUB_WEBHOOK_SECRET");

  const again = await startProcess({ state: first.state, port: first.port });
  await printedCurl(again);
  const { demo, owner_token } = readLocal(again);
  assert.equal(demo.routine_id, before.demo.routine_id);
  assert.equal(demo.fire_token, before.demo.fire_token);
  assert.notEqual(demo.reviewer_id, before.demo.reviewer_id);
  const reviewer = { path: `/api/v1/routines/${demo.reviewer_id}`, token: owner_token, answer: routineSchema };
  assert.equal((await ask(again, reviewer)).tags["demo"], "changelog-review");
  again.child.kill("SIGINT");
  assert.equal(await again.exited, 0, again.output());
});
