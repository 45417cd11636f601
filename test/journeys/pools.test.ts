/** A team's own pool: its token, its runners alone for the routines that name it, and how it is rotated and deleted. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Page } from "#protocol/api.ts";
import type { ErrorBody } from "#protocol/errors.ts";
import type { Pool } from "#protocol/pool.ts";
import type { Routine } from "#protocol/routine.ts";
import { RUNNER_CLOSE } from "#protocol/runner-link.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { fail, method } from "#test/support/hang.ts";
import { dial } from "#test/support/test-socket.ts";
import { shutOutDue } from "#worker/auth/pool-tokens.ts";
import { depsOf } from "#worker/deps.ts";
import { PoolObject } from "#worker/index.ts";
import { showPool } from "#worker/routes/show-pool.ts";

let made = 0;

afterEach(() => {
  vi.useRealTimers();
});

async function makePool() {
  made += 1;
  const name = `gpu-${made}`;
  const { body } = await call<{ token: string; pool: Pool }>("POST", "/api/v1/pools", { name });
  return { name, token: body.token, path: `/api/v1/pools/${name}`, runs_on: `pool:${name}` };
}

const readPool = async (path: string) => (await call<Pool>("GET", path)).body;
const isLetIn = async (token: string) => {
  const socket = await dial("/runner/pool", { authorization: `Bearer ${token}` }).catch(() => null);
  socket?.close();
  return socket !== null;
};

function later(ms: number): number {
  const now = Date.now() + ms;
  if (vi.isFakeTimers()) vi.setSystemTime(now);
  else vi.useFakeTimers({ toFake: ["Date"], now });
  return now;
}

/** What the sweep does for pools, at this moment. */
async function sweepPools(nowMs: number): Promise<void> {
  const found = depsOf(env);
  if (!found.ok) throw new Error("misconfigured");
  await shutOutDue(found.deps, nowMs);
}

describe("a pool", () => {
  it("has the runs of routines that name it worked on by its own runners alone, and says why they wait", async () => {
    using stranger = await FakeRunner.join({ id: "of-the-default-pool" });
    const { token, path, name, runs_on } = await makePool();
    const empty = { name, kind: "runners", capacity: 0, runners: [], waiting: 0, why: null };
    const owner = { kind: "owner", id: null, name: "owner" };
    const issued = { created_by: owner, previous_token_until: null };
    expect(await readPool(path)).toMatchObject({ ...empty, created_by: owner, token: issued });

    const routine = await buildRoutine({ runs_on });
    const { run_id, claude_code_session_id } = await fired(routine);
    expect(await readRun(run_id)).toMatchObject({ pool: name, status: "starting" });
    await vi.waitFor(async () => {
      expect(await readPool(path)).toMatchObject({ waiting: 1, why: { reason: "no_runner" } });
    });
    // The routine changes its pool; the run keeps the one that it was admitted for.
    await call("PATCH", `/api/v1/routines/${routine.id}`, { runs_on: "default" });
    using runner = await FakeRunner.join({ id: "own", token });
    const work = await runner.work(await runner.accept());
    expect(await readPool(path)).toMatchObject({
      capacity: 4,
      busy: 1,
      waiting: 0,
      runners: [{ id: "own", state: "busy" }],
    });
    await work.finish();
    expect(await readRun(run_id)).toMatchObject({ pool: name, status: "succeeded", runner: { id: "own" } });
    await vi.waitFor(async () => expect(await readPool(path)).toMatchObject({ busy: 0 }));
    expect(stranger.socket.messages.filter(({ type }) => type === "offer")).toEqual([]);
    const steps = (await readTranscript(claude_code_session_id)).filter(({ type }) => type === "run.step");
    expect(steps.slice(0, 3)).toMatchObject([
      { phase: "provisioning", message: "Allocating a runner" },
      { phase: "provisioning", message: `There is no runner in the pool "${name}". The run waits.` },
      { phase: "provisioning", message: "Runner own has taken the run" },
    ]);
    // From now on its runs are the default pool's.
    const next = await fired(routine);
    expect((await stranger.accept()).lease.run_id).toBe(next.run_id);
  });

  it("takes a run back from where it was asked for when the run is canceled", async () => {
    const { path, runs_on } = await makePool();
    const { run_id } = await fired(await buildRoutine({ runs_on }));
    await vi.waitFor(async () => expect(await readPool(path)).toMatchObject({ waiting: 1 }));
    await call("POST", `/api/v1/runs/${run_id}/cancel`);
    await vi.waitFor(async () => expect((await readRun(run_id)).status).toBe("canceled"));
    expect(await readPool(path)).toMatchObject({ waiting: 0, why: null });
  });

  it("has to be there before a routine can name it", async () => {
    const { name, runs_on } = await makePool();
    const wrong = { name: "x", prompt: "y", runs_on: `${runs_on}0` };
    const refused = await call<ErrorBody>("POST", "/api/v1/routines", wrong);
    expect(refused).toMatchObject({ status: 400, body: { error: { details: { field: "runs_on" } } } });
    expect(refused.body.error.message).toContain(`did you mean "pool:${name}"?`);
    const routine = await buildRoutine({ runs_on });
    expect(await call("PATCH", `/api/v1/routines/${routine.id}`, { runs_on: "pool:nowhere" })).toMatchObject({
      status: 400,
    });
    const shown = await call<Routine>("GET", `/api/v1/routines/${routine.id}`);
    expect(shown.body.runs_on).toBe(runs_on);
    // What is shown can be sent back, but for what is read-only.
    const sentBack = { name: shown.body.name, runs_on: shown.body.runs_on };
    expect(await call("PATCH", `/api/v1/routines/${routine.id}`, sentBack)).toMatchObject({ status: 200 });
  });

  it("is listed after the default one, newest first, page by page", async () => {
    const pools = [await makePool(), await makePool()];
    const first = await call<Page<Pool>>("GET", "/api/v1/pools?limit=1");
    expect(first.body.data.map(({ name }) => name)).toEqual(["default", pools[1]?.name]);
    expect(first.body.data[0]).toMatchObject({ kind: "runners", created_at: null, created_by: null, token: null });
    const second = await call<Page<Pool>>("GET", `/api/v1/pools?limit=1&cursor=${first.body.next_cursor}`);
    expect(second.body.data.map(({ name }) => name)).toEqual([pools[0]?.name]);
  });

  it.each<[string, string, unknown, number, string]>([
    ["POST", "/api/v1/pools", { name: "default" }, 409, "pool_exists"],
    ["POST", "/api/v1/pools", { name: "No Name" }, 400, "invalid_request"],
    ["POST", "/api/v1/pools/default/token", undefined, 422, "pool_refused"],
    ["DELETE", "/api/v1/pools/default/token", undefined, 422, "pool_refused"],
    ["DELETE", "/api/v1/pools/default", undefined, 422, "pool_refused"],
    ["GET", "/api/v1/pools/nowhere", undefined, 404, "not_found"],
    ["DELETE", "/api/v1/pools/nowhere", undefined, 404, "not_found"],
    ["POST", "/api/v1/pools/nowhere/token", undefined, 404, "not_found"],
    ["DELETE", "/api/v1/pools/nowhere/token", undefined, 404, "not_found"],
  ])("%s %s is refused", async (method, path, body, status, code) => {
    expect(await call(method, path, body)).toMatchObject({ status, body: { error: { details: { code } } } });
  });
});

describe("the token of a pool", () => {
  it("lets nobody into another pool, nor in with a part of it", async () => {
    const [one, other] = [await makePool(), await makePool()];
    expect(await call("POST", "/api/v1/pools", { name: one.name })).toMatchObject({ status: 409 });
    const forged = [
      one.token.replace(one.name, other.name),
      one.token.slice(0, -1),
      `${one.token}0`,
      `rvp_${one.name}_`,
    ];
    for (const token of forged) expect(await isLetIn(token)).toBe(false);
    expect([await isLetIn(one.token), await isLetIn(other.token)]).toEqual([true, true]);
    const { results } = await env.DB.prepare("SELECT * FROM pools").all();
    expect(JSON.stringify(results)).not.toContain(one.token.slice(-20));
  });

  it("is accepted for a day after a new one was issued, and then its runners are shut out", async () => {
    const { token, path } = await makePool();
    using runner = await FakeRunner.join({ id: "slow-to-change", token });
    const issued = await call<{ token: string; previous_token_until: string }>("POST", `${path}/token`);
    expect(await readPool(path)).toMatchObject({ token: { previous_token_until: issued.body.previous_token_until } });
    await sweepPools(later(60_000));
    expect([await isLetIn(token), await isLetIn(issued.body.token), runner.socket.closed]).toEqual([true, true, null]);
    await sweepPools(later(24 * 3_600_000));
    expect([await isLetIn(token), await isLetIn(issued.body.token)]).toEqual([false, true]);
    await runner.socket.until(() => runner.socket.closed !== null);
    expect(runner.socket.closed?.code).toBe(RUNNER_CLOSE.refused);
    expect(await readPool(path)).toMatchObject({ token: { previous_token_until: null } });
  });

  it("is revoked at once with the one before it, also for a runner that was just being let in", async () => {
    const { token, path } = await makePool();
    using runner = await FakeRunner.join({ token });
    const second = await call<{ token: string }>("POST", `${path}/token`);
    expect((await call("DELETE", `${path}/token`)).status).toBe(204);
    await runner.socket.until(() => runner.socket.closed !== null);
    expect(runner.socket.closed?.code).toBe(RUNNER_CLOSE.refused);
    expect([await isLetIn(token), await isLetIn(second.body.token)]).toEqual([false, false]);
    expect(await readPool(path)).toMatchObject({ token: null });
    // Its token was checked before, and its socket comes after.
    const found = depsOf(env);
    if (!found.ok) throw new Error("misconfigured");
    const name = path.split("/").at(-1) ?? "";
    const late = await found.deps
      .pool(name)
      .fetch("https://object/pool?token=old", { headers: { upgrade: "websocket" } });
    const closed = new Promise((resolve) => late.webSocket?.addEventListener("close", ({ code }) => resolve(code)));
    late.webSocket?.accept();
    await sweepPools(Date.now() + 60_000);
    expect(await closed).toBe(RUNNER_CLOSE.refused);
    const third = await call<{ token: string }>("POST", `${path}/token`);
    expect(third.body).toMatchObject({ previous_token_until: null });
    expect(await isLetIn(third.body.token)).toBe(true);
  });
});

describe("deleting a pool", () => {
  it("waits for routines that name it and runs that it has, and shuts its runners out for good", async () => {
    const { name, token, path, runs_on } = await makePool();
    const routine = await buildRoutine({ runs_on });
    const inUse = { status: 409, body: { error: { details: { code: "pool_in_use" } } } };
    const named = await call<ErrorBody>("DELETE", path);
    expect(named).toMatchObject(inUse);
    expect(named.body.error.details?.issues?.map(({ field }) => field)).toEqual([routine.id]);
    const { run_id } = await fired(routine);
    await call("PATCH", `/api/v1/routines/${routine.id}`, { runs_on: "default" });
    await vi.waitFor(async () => expect(await readPool(path)).toMatchObject({ waiting: 1 }));
    expect(await call("DELETE", path)).toMatchObject(inUse);
    await call("POST", `/api/v1/runs/${run_id}/cancel`);
    await vi.waitFor(async () => expect(await readPool(path)).toMatchObject({ waiting: 0 }));

    using runner = await FakeRunner.join({ token });
    expect((await call("DELETE", path)).status).toBe(204);
    await runner.socket.until(() => runner.socket.closed !== null);
    expect((await call("GET", path)).status).toBe(404);
    expect((await call("POST", "/api/v1/routines", { name: "x", prompt: "y", runs_on })).status).toBe(400);
    // Its name can be had again at once, and lets nobody in who knew the token of before.
    const again = await call<{ token: string }>("POST", "/api/v1/pools", { name });
    expect([await isLetIn(token), await isLetIn(again.body.token)]).toEqual([false, true]);
    await sweepPools(Date.now() + 60_000);
    expect((await call("GET", path)).status).toBe(200);
    expect((await call("DELETE", path)).status).toBe(204);
    await sweepPools(Date.now() + 60_000);
    expect(await env.DB.prepare("SELECT 1 FROM pools WHERE name = ?").bind(name).first()).toBeNull();
  });
});

it("hides no other pool when one of them fails, and says that it is not known", async () => {
  const { name } = await makePool();
  const isOne = (object: object) => (object as { ctx: DurableObjectState }).ctx.id.name === name;
  using _silent = fail(method(PoolObject.prototype, "look", isOne));
  const { status, body } = await call<Page<Pool>>("GET", "/api/v1/pools");
  expect(status).toBe(200);
  const unknown = { capacity: null, busy: null, waiting: null, waiting_since: null, runners: [], warm: null };
  expect(body.data.find((pool) => pool.name === name)).toMatchObject({ ...unknown, why: { reason: "pool_silent" } });
  expect(body.data.find((pool) => pool.name === "default")).toMatchObject({ capacity: 0, waiting: expect.any(Number) });
});

it("is waited for no longer than five seconds by whoever wants to see it", async () => {
  vi.useFakeTimers();
  const hangs = { config: { containers: 0 }, pool: () => ({ look: () => new Promise<never>(() => {}) }) };
  const shown = showPool(hangs, "default", null);
  await vi.advanceTimersByTimeAsync(5_000);
  const why = { reason: "pool_silent", message: expect.stringContaining("did not answer") };
  expect(await shown).toMatchObject({ name: "default", capacity: null, why });
});
