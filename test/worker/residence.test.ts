/** JURISDICTION is in every object's id: with another value than the first, nothing is done rather than done elsewhere. */
import { createExecutionContext, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "#instance/config.ts";
import { gateObject, poolObject, rosterObject, routineObject } from "#instance/objects.ts";
import { drawOwnerKey, IdMaker, type OwnedId } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { buildRoutine, fired } from "#test/support/api.ts";
import { countsOf } from "#test/support/clock.ts";
import { d1, fail, hang, method } from "#test/support/hang.ts";
import { defaultPool, evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import type { Env } from "#worker/bindings.ts";
import { queue, scheduled } from "#worker/clock/handlers.ts";
import { SandboxExit } from "#worker/exit/sandbox-exit.ts";
import { type ResidenceRoster, residenceCheck } from "#worker/health/residence.ts";
import worker, { PoolObject, RosterObject, RoutineObject } from "#worker/index.ts";
import { errorOf } from "./support.ts";

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
const ROUTINE = new IdMaker(drawOwnerKey(random), random).make("routine", Date.now());

/** In place of a namespace: workerd knows no jurisdictions. Writes down where each object was looked for. */
function standIn(namespace: DurableObjectNamespace<never>, seen: (string | null)[], where: string | null = null) {
  return {
    jurisdiction: (name: string) => standIn(namespace, seen, name),
    idFromName: (name: string) => namespace.idFromName(`${where ?? "anywhere"}/${name}`),
    get: (id: DurableObjectId) => {
      seen.push(where);
      return namespace.get(id);
    },
  };
}

function elsewhere(jurisdiction: string): { env: Env; seen: (string | null)[] } {
  const seen: (string | null)[] = [];
  const spaces = Object.fromEntries(
    (["ROUTINE", "POOL", "GATE"] as const).map((name) => [name, standIn(env[name] as never, seen)]),
  );
  return { env: { ...env, ...spaces, JURISDICTION: jurisdiction } as Env, seen };
}

function ask(path: string, at: Env): Promise<Response> {
  const request = new Request(`http://reveille.test${path}`, {
    headers: { authorization: `Bearer ${env.OWNER_TOKEN}` },
  }) as Parameters<typeof worker.fetch>[0];
  return Promise.resolve(worker.fetch(request, at, createExecutionContext()));
}

/** The roster as it is in an instance that has run for a while. */
async function roster(jurisdiction: string | null, ids: string[], isFilled = true): Promise<void> {
  const object = rosterObject(env);
  await object.jurisdiction(null);
  await runInDurableObject(object, (_object, { storage }) => {
    storage.sql.exec("DELETE FROM facts");
    storage.sql.exec("DELETE FROM routines");
  });
  await object.jurisdiction(jurisdiction);
  if (isFilled) await object.fill(ids, true);
}

beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

describe("an instance", () => {
  it.each(["eu", "us", "fedramp", "fedramp-high"] as const)("with %s looks there for every object", (name) => {
    const { env: at, seen } = elsewhere(name);
    expect(readConfig(at)).toMatchObject({ ok: true, config: { jurisdiction: name } });
    routineObject(at, name, ROUTINE);
    poolObject(at, name, "default");
    gateObject(at, name);
    expect(seen).toEqual([name, name, name]);
  });

  it("without one looks for them anywhere", () => {
    const { env: at, seen } = elsewhere("");
    expect(readConfig(at)).toMatchObject({ ok: true, config: { jurisdiction: null } });
    routineObject(at, null, ROUTINE);
    expect(seen).toEqual([null]);
  });

  it.each(["EU", "de", " eu"])("does not take %j for one", (name) => {
    const { env: at } = elsewhere(name);
    expect(readConfig(at)).toMatchObject({ ok: false, issues: [{ field: "JURISDICTION" }] });
  });
});

describe("with another value than the routines were made with", () => {
  it.each([
    ["", "eu", 'is "eu", but the routines were made with it empty'],
    ["eu", "", 'is empty, but the routines were made with it "eu"'],
    ["eu", "us", 'is "us", but the routines were made with it "eu"'],
  ])("%j, then %j: nothing is answered but that, and no object is asked", async (before, now, told) => {
    await roster(before === "" ? null : before, [ROUTINE]);
    const { env: at, seen } = elsewhere(now);
    const issues = [{ field: "JURISDICTION", message: expect.stringContaining(told) }];
    for (const path of ["/api/v1/routines", `/api/v1/routines/${ROUTINE}`, "/runner/pool", "/"]) {
      expect(await errorOf(await ask(path, at))).toMatchObject({
        status: 500,
        details: { code: "misconfigured", issues },
      });
    }
    expect(await errorOf(await ask("/readyz", at))).toMatchObject({
      status: 503,
      details: { code: "not_ready", issues },
    });
    expect((await ask("/healthz", at)).status).toBe(200);
    expect(seen).toEqual([]);
  });

  it("what a container is denied is told to no object", async () => {
    await roster(null, [ROUTINE]);
    const { env: at, seen } = elsewhere("eu");
    const told: Promise<unknown>[] = [];
    const props = { run_id: `run_${ROUTINE.slice(4)}`, generation: 1 };
    const context = { props, waitUntil: (work: Promise<unknown>) => told.push(work) };
    const exit = new SandboxExit(context as unknown as ExecutionContext<LeaseRef>, at);
    expect((await exit.fetch(new Request("https://evil.example/"))).status).toBe(403);
    await Promise.all(told);
    // The denial itself, and that the host was asked for.
    expect([told.length, seen]).toEqual([2, []]);
  });

  it("the sweep does nothing, and what it has sent comes again", async () => {
    await roster(null, [ROUTINE]);
    await env.DB.exec(`INSERT INTO due_routines (routine_id, due_at, version) VALUES ('${ROUTINE}', 1, 1)`);
    const { env: at, seen } = elsewhere("eu");
    await scheduled({ scheduledTime: Date.now(), cron: "* * * * *", noRetry: () => undefined }, at);
    const retryAll = vi.fn();
    const messages = [{ body: { routine_id: ROUTINE } }];
    await queue({ messages, retryAll } as unknown as Parameters<typeof queue>[0], at);
    expect(retryAll).toHaveBeenCalledOnce();
    const { results } = await env.DB.prepare("SELECT due_at FROM due_routines").all();
    expect([results, seen]).toEqual([[{ due_at: 1 }], []]);
    await env.DB.exec("DELETE FROM due_routines");
  });

  it.each<[what: string, ids: string[], isFilled: boolean, isFree: boolean]>([
    ["is free while there is no routine", [], true, true],
    ["is not free while it is not known which routines there are", [], false, false],
    ["is not free once there is one", [ROUTINE], true, false],
  ])("it %s", async (_what, ids, isFilled, isFree) => {
    await roster(null, ids, isFilled);
    expect(await rosterObject(env).jurisdiction("eu")).toBe(isFree ? "eu" : null);
    expect(await rosterObject(env).jurisdiction(null)).toBe(null);
  });

  it.each([true, false])(
    "before any sweep has come, D1 says whether it is free: with a routine %s",
    async (hasRoutine) => {
      for (const path of ["/api/v1/routines", "/readyz"]) {
        await roster(null, [], false);
        if (hasRoutine) await env.DB.exec(`INSERT INTO routines (id, doc, version) VALUES ('${ROUTINE}', '{}', 1)`);
        const { status } = await ask(path, elsewhere("eu").env);
        await env.DB.exec("DELETE FROM routines");
        expect(status === 200).toBe(!hasRoutine);
      }
    },
  );

  it("it is not free while D1 can't say", async () => {
    await roster(null, [], false);
    using _out = fail(d1(/FROM "routines"|from "routines"/));
    expect((await ask("/api/v1/sign-ins", elsewhere("eu").env)).status).toBe(500);
  });

  it("is free again when the last routine has been deleted", async () => {
    await roster("eu", [ROUTINE]);
    await rosterObject(env).remove([ROUTINE]);
    expect(await rosterObject(env).jurisdiction("us")).toBe("us");
  });
});

describe("an object that was made elsewhere", () => {
  const MINUTE_MS = 60_000;
  const cases: [before: string | undefined, now: string][] = [
    [undefined, "eu"],
    ["eu", ""],
    ["eu", "us"],
  ];

  /** As an object of a jurisdiction sees itself. */
  function living(state: DurableObjectState, jurisdiction: string | undefined): Disposable {
    Object.defineProperty(state.id, "jurisdiction", { value: jurisdiction, configurable: true });
    return { [Symbol.dispose]: () => void Reflect.deleteProperty(state.id, "jurisdiction") };
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(cases)("in %j and now looked for in %j: a routine keeps its alarm and asks nobody", async (before, now) => {
    const routine = await buildRoutine({ triggers: [{ type: "schedule", cron: "* * * * *", timezone: "UTC" }] });
    await fired(routine);
    const told = await countsOf(routine.id);
    const { env: at, seen } = elsewhere(now);
    await runInDurableObject(ownerOf(routine.id), async (_object, state) => {
      using _where = living(state, before);
      const moved = new RoutineObject(state, at);
      for (let ringing = 0; ringing < 3; ringing += 1) {
        vi.setSystemTime(Date.now() + 10 * MINUTE_MS);
        await moved.alarm();
        expect(await state.storage.getAlarm()).toBe(Date.now() + MINUTE_MS);
      }
      const refusal = { code: "misconfigured", issues: [{ field: "JURISDICTION" }] };
      expect(moved.read(routine.id as OwnedId)).toMatchObject({ ok: false, refusal });
    });
    expect([await countsOf(routine.id), seen]).toEqual([told, []]);
    await evictOwnerOf(routine.id);
    await runDurableObjectAlarm(ownerOf(routine.id));
    expect(Object.keys(await countsOf(routine.id)).length).toBeGreaterThan(Object.keys(told).length);
  });

  it.each(cases)("in %j and now looked for in %j: a pool tells nobody of what has ended", async (before, now) => {
    const { run_id } = await fired(await buildRoutine());
    const lease = { run_id, generation: 1 };
    const { env: at, seen } = elsewhere(now);
    await runInDurableObject(defaultPool(), async (_object, state) => {
      await vi.waitUntil(() => state.storage.sql.exec("SELECT 1 FROM leases").toArray().length > 0);
      state.storage.sql.exec("UPDATE leases SET status = 'ended', due_at = 1, end = 'work_ended'");
      using _where = living(state, before);
      const moved = new PoolObject(state, at);
      moved.alarm();
      expect(await state.storage.getAlarm()).toBe(Date.now() + MINUTE_MS);
      expect(() => moved.release([lease])).toThrow("JURISDICTION");
      state.storage.sql.exec("DELETE FROM leases");
    });
    expect(seen).toEqual([]);
  });
});

describe("a roster that does not answer", () => {
  it("stops nothing, and is named by /readyz", async () => {
    await roster(null, [ROUTINE]);
    using out = fail(method(RosterObject.prototype, "jurisdiction"));
    const fresh = { ...env };
    expect((await ask("/api/v1/routines", fresh)).status).toBe(200);
    expect(await errorOf(await ask("/readyz", fresh))).toMatchObject({ details: { issues: [{ field: "ROSTER" }] } });
    expect(out.met).toBe(2);
  });

  it("is asked again after a while, and no more once it is known", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    let asked = 0;
    const silent: ResidenceRoster = {
      jurisdiction: async () => {
        asked += 1;
        if (asked === 1) throw new Error("out of order");
        return "eu";
      },
    };
    const check = residenceCheck({ roster: () => silent, fillRoster: async () => undefined }, null);
    expect([await check(), await check(), asked]).toEqual([null, null, 1]);
    vi.setSystemTime(Date.now() + 5_000);
    const fault = { field: "JURISDICTION", message: expect.stringContaining('"eu"') };
    // Once more when it has all routines.
    expect([await check(), await check(), asked]).toEqual([fault, fault, 3]);
    vi.useRealTimers();
  });

  it("is waited for a second at most", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    using silent = hang(method(RosterObject.prototype, "jurisdiction"));
    const asked = residenceCheck({ roster: () => rosterObject(env), fillRoster: async () => undefined }, null)();
    await silent.untilMet();
    vi.advanceTimersByTime(1_000);
    expect(await asked).toBe(null);
    vi.useRealTimers();
  });
});
