/** The rate limit of the whole instance: what is over it is told when to come again, what was let in goes on. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, it, vi } from "vitest";
import { gateObject } from "#instance/objects.ts";
import { buildRoutine, call, fire, readRun } from "#test/support/api.ts";
import { fail, hang, method } from "#test/support/hang.ts";
import { GateObject } from "#worker/index.ts";

const LIMIT = 6_000;

afterEach(() => {
  vi.useRealTimers();
});

/** Some other isolate lets so many in, now. */
function othersLetIn(count: number) {
  return gateObject(env, null).count({ in: Array.from({ length: count }, () => Date.now()), back: [], asked: [] });
}

/** For how many there is room, by the counter. */
async function roomLeft(): Promise<number> {
  const asked = Array.from({ length: 2 * LIMIT }, () => Date.now());
  const { granted } = await gateObject(env, null).count({ in: [], back: [], asked });
  await gateObject(env, null).count({ in: [], back: asked.slice(0, granted), asked: [] });
  return granted;
}

describe("more than the instance allows", () => {
  it("is refused for fires, runs by hand and internal events alike, with the time to wait", async () => {
    const routine = await buildRoutine();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const admitted = await fire(routine);
    expect(admitted.status).toBe(200);
    await othersLetIn(LIMIT);
    const asks = [
      () => fire(routine),
      () => call("POST", `/api/v1/routines/${routine.id}/run`),
      () => call("POST", "/api/v1/events", { name: "anything" }),
    ];
    // This isolate has not heard of it, lets one in, and is told.
    await vi.waitUntil(async () => (await fire(routine)).status === 429, { interval: 1 });
    for (const ask of asks) {
      const { status, headers, body } = await ask();
      expect([status, body]).toMatchObject([429, { error: { details: { code: "instance_rate_limited" } } }]);
      expect(Number(headers.get("retry-after"))).toBe(60);
    }
    expect((await readRun(admitted.body.run_id)).status).not.toBe("canceled");
    vi.setSystemTime(Date.now() + 60_000);
    for (const ask of asks) expect((await ask()).status).toBe(200);
  });

  it("is not reached by those who start nothing: without a token, or in a routine that is not there", async () => {
    const routine = await buildRoutine();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 200_000 });
    const stranger = { ...routine, token: "rvf_wrong" };
    for (let count = 0; count < 60; count += 1) expect((await fire(stranger)).status).toBe(401);
    const nowhere = `/api/v1/routines/${routine.id.slice(0, -5)}00000/run`;
    for (let count = 0; count < 10; count += 1) expect((await call("POST", nowhere)).status).toBe(404);
    await vi.waitFor(async () => expect(await roomLeft()).toBe(LIMIT));
    expect((await fire(routine)).status).toBe(200);
    await vi.waitFor(async () => expect(await roomLeft()).toBe(LIMIT - 1));
  });
});

describe("below it nobody is refused", () => {
  it("however many come at once", async () => {
    const routines = await Promise.all(Array.from({ length: 5 }, () => buildRoutine()));
    const asked = Array.from({ length: 150 }, (_, number) =>
      call("POST", `/api/v1/routines/${routines[number % 5]?.id}/run`),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });

  it.each([
    ["hangs", hang],
    ["fails", fail],
  ])("while the counter %s", async (_what, trouble) => {
    const routine = await buildRoutine();
    using counter = trouble(method(GateObject.prototype, "count"));
    for (let count = 0; count < 3; count += 1) expect((await fire(routine)).status).toBe(200);
    const atOnce = await Promise.all(Array.from({ length: 20 }, () => fire(routine)));
    expect(new Set(atOnce.map(({ status }) => status))).toEqual(new Set([200]));
    expect(counter.met).toBeGreaterThan(0);
  });
});
