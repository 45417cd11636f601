/** A script fires a routine, a runner does the work, and everybody who reads the transcript reads the same. */
import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import type { Run } from "#protocol/run.ts";
import { WAITERS_AT_MOST } from "#protocol/run-waiter.ts";
import { buildRoutine, call, eventsOf, fire, fired, readRun, readTranscript, watch } from "#test/support/api.ts";
import { agentSays, FakeRunner, RUNNING, SUCCEEDED } from "#test/support/fake-runner.ts";
import { hide } from "#test/support/hidden.ts";
import { evictOwnerOf, ownerOf } from "#test/support/objects.ts";

it("goes from queued to succeeded, and viewer and pages agree", async () => {
  const routine = await buildRoutine({ repositories: [{ url: "https://github.com/acme/app" }] });
  using runner = await FakeRunner.join();
  const answer = await fired(routine, { text: "from CI" });
  const viewer = await watch(answer.claude_code_session_id);
  const work = await runner.work(await runner.accept());
  expect(work.order).toMatchObject({ run_id: answer.run_id, generation: 1, turns: 200, timeout_ms: 3_600_000 });
  await work.report(RUNNING, agentSays("Hello."));
  expect((await readRun(answer.run_id)).status).toBe("running");
  await work.finish();

  const run = await readRun(answer.run_id);
  expect(run).toMatchObject({ status: "succeeded", result: "done", summary: "All done.", attempt: 1 });
  await viewer.until(() => eventsOf(viewer).some(({ type }) => type === "run.finished"));
  const events = await readTranscript(answer.claude_code_session_id, 3);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(eventsOf(viewer)).toEqual(events);
  expect(events.map(({ type }) => type)).toEqual([
    "run.queued",
    "user.message",
    "user.message",
    "run.starting",
    "run.step",
    "run.step",
    "run.running",
    "agent.message",
    "run.finished",
  ]);
  const list = () => call<{ data: { id: string; status: string }[] }>("GET", `/api/v1/runs?routine=${routine.id}`);
  await vi.waitUntil(async () => (await list()).body.data[0]?.status === "succeeded");
  expect((await list()).body.data).toMatchObject([{ id: answer.run_id, status: "succeeded" }]);
});

it("gives one run and equal answers for one key, and runs one after the other without", async () => {
  const routine = await buildRoutine({ max_concurrent: 2 });
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => fire(routine, { text: "same" }, { "idempotency-key": "deploy-7" })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const stripped = answers.map(({ body: { duplicate: _duplicate, ...rest } }) => JSON.stringify(rest));
  expect(new Set(stripped).size).toBe(1);
  expect(answers.filter(({ body }) => body.duplicate === true)).toHaveLength(49);
  const other = await fire(routine, { text: "other" }, { "idempotency-key": "deploy-7" });
  expect(other).toMatchObject({ status: 422, body: { error: { details: { code: "idempotency_key_reused" } } } });

  const many = await Promise.all(Array.from({ length: 20 }, () => fired(routine)));
  const runs = await Promise.all(many.map(({ run_id }) => readRun(run_id)));
  expect(runs.filter(({ status }) => status === "queued")).toHaveLength(19);
  using runner = await FakeRunner.join({ id: "fake-2", capacity: 50 });
  let most = 0;
  for (let done = 0; done < 21; done += 1) {
    const work = await runner.work(await runner.accept());
    const list = await call<{ data: { status: string }[] }>("GET", `/api/v1/routines/${routine.id}/runs?limit=200`);
    most = Math.max(most, list.body.data.filter(({ status }) => status === "starting" || status === "running").length);
    await work.finish(SUCCEEDED);
  }
  expect(most).toBe(2);
  const ended = await Promise.all(many.map(({ run_id }) => readRun(run_id)));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["succeeded"]));
});

it("is waited for with a token that reads: to the run's end, however often the object is evicted, and no longer", async () => {
  const routine = await buildRoutine();
  using runner = await FakeRunner.join({ id: "fake-3" });
  const { run_id } = await fired(routine);
  const issued = await call<{ token: string }>("POST", `/api/v1/routines/${routine.id}/token`, { may_read: true });
  const { token } = issued.body;
  hide(token);
  const asked = async (query: string, by = token, of = run_id) => {
    const path = `/v1/claude_code/routines/${routine.id}/runs/${of}${query}`;
    const { status, body } = await call<Run & { error: { details: { code: string } } }>("GET", path, undefined, {
      authorization: `Bearer ${by}`,
    });
    return status === 200 ? `${body.id} ${body.status}` : `${status} ${body.error.details.code}`;
  };
  const waiting = () => runInDurableObject(ownerOf(run_id), (_, context) => context.getWebSockets("waiter").length);
  const untilWaiting = (count: number) => vi.waitUntil(async () => (await waiting()) === count);

  const work = await runner.work(await runner.accept());
  await work.report(RUNNING);
  expect(await asked("")).toBe(`${run_id} running`);
  expect(await asked("?wait=1")).toBe(`${run_id} running`);
  expect(await asked("?wait=61")).toBe("400 invalid_request");
  expect(await asked("?wait=61", "wrong")).toBe("401 routine_token_invalid");
  expect(await asked("", token, (await fired(await buildRoutine())).run_id)).toBe("404 not_found");

  const answers = [asked("?wait=60"), asked("?wait=60")];
  await untilWaiting(2);
  await evictOwnerOf(run_id);
  await work.connect();
  await work.finish();
  expect(await Promise.all(answers)).toEqual([`${run_id} succeeded`, `${run_id} succeeded`]);
  expect(await asked("?wait=60")).toBe(`${run_id} succeeded`);
});

it("lets nobody wait beyond the token, and so many at once", async () => {
  const routine = await buildRoutine();
  const { run_id } = await fired(routine);
  const issue = async (may_read: boolean) => {
    const { body } = await call<{ token: string }>("POST", `/api/v1/routines/${routine.id}/token`, { may_read });
    hide(body.token);
    return body.token;
  };
  const asked = (token: string, query = "") =>
    call<{ error: { details: { code: string } } }>(
      "GET",
      `/v1/claude_code/routines/${routine.id}/runs/${run_id}${query}`,
      undefined,
      {
        authorization: `Bearer ${token}`,
      },
    );
  const waiting = () => runInDurableObject(ownerOf(run_id), (_, context) => context.getWebSockets("waiter").length);
  const first = await issue(true);
  const answer = asked(first, "?wait=60");
  await vi.waitUntil(async () => (await waiting()) === 1);
  expect((await call<{ token_may_read: boolean }>("GET", `/api/v1/routines/${routine.id}`)).body.token_may_read).toBe(
    true,
  );
  const second = await issue(false);
  expect(await answer).toMatchObject({ status: 401 });
  expect(await asked(second)).toMatchObject({
    status: 403,
    body: { error: { details: { code: "token_may_not_read" } } },
  });

  const third = await issue(true);
  // A client that goes away takes its place with it.
  const leaving = new AbortController();
  const left = exports.default.fetch(
    new Request(`http://reveille.test/v1/claude_code/routines/${routine.id}/runs/${run_id}?wait=60`, {
      headers: { authorization: `Bearer ${third}` },
      signal: leaving.signal,
    }),
  );
  await vi.waitUntil(async () => (await waiting()) === 1);
  leaving.abort();
  await left.catch(() => {});
  await vi.waitUntil(async () => (await waiting()) === 0);
  const url = `https://object/wait?run=${run_id}&until=${Date.now() + 60_000}`;
  const dials = Array.from({ length: WAITERS_AT_MOST }, () =>
    ownerOf(run_id).fetch(url, { headers: { upgrade: "websocket" } }),
  );
  for (const { webSocket } of await Promise.all(dials)) webSocket?.accept();
  const refused = await asked(third, "?wait=60");
  expect(refused).toMatchObject({ status: 429, body: { error: { details: { code: "too_many_waiting" } } } });
  expect(refused.headers.get("retry-after")).toBe("5");
});
