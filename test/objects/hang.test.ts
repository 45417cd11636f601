/** The troubles that other tests rely on: each is met where it was put, and nowhere else. */
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { buildRoutine, call } from "#test/support/api.ts";
import { answerLate, d1, fail, hang, loseAnswer, pool, routine } from "#test/support/hang.ts";
import { asking, defaultPool } from "#test/support/objects.ts";

const LEASE = { lease: { run_id: "run_none", generation: 1 }, routine_id: "rtn_none" };
const SELECT = "SELECT 1 AS meant";

/** How a call has gone so far. */
function watched(asked: PromiseLike<unknown>) {
  const state = { outcome: "waits" };
  asked.then(
    () => (state.outcome = "answered"),
    () => (state.outcome = "failed"),
  );
  return state;
}

describe("an object's method", () => {
  it("hangs until the trouble ends, and then does what it was asked", async () => {
    using silent = hang(pool("release"));
    const released = watched(defaultPool().release([LEASE.lease]));
    await silent.untilMet();
    expect(await defaultPool().request([])).toMatchObject({ runners: 0 });
    expect(released.outcome).toBe("waits");
    silent.end();
    await vi.waitUntil(() => released.outcome === "answered");
  });

  it("of one routine hangs, and another's answers", async () => {
    const [one, other] = [await buildRoutine(), await buildRoutine()];
    using silent = hang(routine("read", one.id));
    const asked = watched(call("GET", `/api/v1/routines/${one.id}`));
    await silent.untilMet();
    expect((await call("GET", `/api/v1/routines/${other.id}`)).status).toBe(200);
    expect(asked.outcome).toBe("waits");
  });

  it("fails, or loses its answer", async () => {
    const target = await buildRoutine();
    const read = async () => await asking(target.id).read();
    const pause = async () => await asking(target.id).pause(null);
    const failing = fail(routine("pause"));
    await expect(pause()).rejects.toThrow("out of order");
    failing.end();
    expect(await read()).toMatchObject({ value: { status: "active" } });
    const losing = loseAnswer(routine("pause"));
    await expect(pause()).rejects.toThrow("connection lost");
    losing.end();
    expect(await read()).toMatchObject({ value: { status: "paused" } });
  });
});

describe("D1", () => {
  it.each([
    ["run", () => env.DB.prepare(SELECT).run()],
    ["all", () => env.DB.prepare(SELECT).bind().all()],
    ["first", () => env.DB.prepare(SELECT).first()],
    ["raw", () => env.DB.prepare(SELECT).raw()],
    ["batch", () => env.DB.batch([env.DB.prepare("SELECT 2"), env.DB.prepare(SELECT)])],
  ])("answers late to %s, once for a call, and only to what is meant", async (_name, ask) => {
    using late = answerLate(d1(/AS meant/));
    const asked = watched(ask());
    await late.untilMet();
    await env.DB.batch([env.DB.prepare("SELECT 2")]);
    expect(asked.outcome).toBe("waits");
    late.end();
    await vi.waitUntil(() => asked.outcome === "answered");
    await ask();
    expect(late.met).toBe(1);
  });
});
