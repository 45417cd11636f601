/** The rate limit of the whole instance: what is over it is told when to come again, what was let in goes on. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { gateObject } from "#durable-objects/object-ids.ts";
import type { Permits } from "#durable-objects/peers.ts";
import { buildRoutine, call, fire, readRun } from "#test/support/api.ts";
import { instanceGate } from "#worker/instance-gate.ts";

afterEach(() => {
  vi.useRealTimers();
});

describe("more than the instance allows", () => {
  it("is refused for fires, runs by hand and internal events alike, with the time to wait", async () => {
    const routine = await buildRoutine();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const admitted = await fire(routine);
    expect(admitted.status).toBe(200);
    // Some other isolate takes all that is left; this one has the rest of its own at most.
    while ((await gateObject(env, null).take(1_000)).taken > 0);
    const asks = [
      () => fire(routine),
      () => call("POST", `/api/v1/routines/${routine.id}/run`),
      () => call("POST", "/api/v1/events", { name: "anything" }),
    ];
    for (let count = 0; count < 20; count += 1) await fire(routine);
    for (const ask of asks) {
      const { status, headers, body } = await ask();
      expect([status, body]).toMatchObject([429, { error: { details: { code: "instance_rate_limited" } } }]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    }
    expect((await readRun(admitted.body.run_id)).status).not.toBe("canceled");
    vi.setSystemTime(Date.now() + 2_000);
    for (const ask of asks) expect((await ask()).status).toBe(200);
  });

  it("is not reached by those who have no token", async () => {
    const routine = await buildRoutine();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    const stranger = { ...routine, token: "rvf_wrong" };
    for (let count = 0; count < 60; count += 1) expect((await fire(stranger)).status).toBe(401);
    // A sixth of 6,000, without those that this isolate holds.
    expect((await gateObject(env, null).take(6_000)).taken).toBe(980);
    expect((await fire(routine)).status).toBe(200);
  });
});

describe("an isolate", () => {
  function counter(answers: Permits[]) {
    return vi.fn((_count: number) => {
      const answer = answers.shift();
      return answer === undefined ? Promise.reject(new Error("unreachable")) : Promise.resolve(answer);
    });
  }

  it("asks once for several, and again when their time is over", async () => {
    const take = counter([
      { taken: 20, retry_after_s: 1 },
      { taken: 20, retry_after_s: 1 },
    ]);
    const gate = instanceGate(take);
    for (let count = 0; count < 20; count += 1) expect((await gate.enter(0)).ok).toBe(true);
    expect(take).toHaveBeenCalledTimes(1);
    gate.giveBack();
    await gate.enter(9_999);
    expect(take).toHaveBeenCalledTimes(1);
    gate.giveBack();
    await gate.enter(10_000);
    expect(take).toHaveBeenCalledTimes(2);
  });

  it("refuses while there is none, and lets in while nobody counts", async () => {
    const gate = instanceGate(counter([{ taken: 0, retry_after_s: 7 }]));
    expect(await gate.enter(0)).toMatchObject({
      ok: false,
      refusal: { code: "instance_rate_limited", retry_after_s: 7 },
    });
    expect((await gate.enter(0)).ok).toBe(true);
  });
});
