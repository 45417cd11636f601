/** Fires that come at one time are written down together, and each is decided and answered for itself. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { RoutineObject } from "#durable-objects/routine/routine-object.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { Wake } from "#protocol/occurrence.ts";
import { buildRoutine, call, fire } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";
import { FiresUnderWay } from "#worker/routes/fires-under-way.ts";

const firedAtOnce = (routine: { id: string; token: string }, headers: readonly Record<string, string>[]) =>
  Promise.all(headers.map((more, place) => fire(routine, { text: `fire ${place}` }, more)));

const wake = (more: Partial<Wake>): Wake => ({
  ...{
    type: "api",
    trigger_id: null,
    summary: "Fired",
    text: null,
    content_key: null,
    dedupe_key: null,
    fingerprint: "",
  },
  ...{ depth: 0, checkout: null, request_id: null, delivery_id: null, call_id: crypto.randomUUID() },
  ...more,
});

const runsIn = (storage: DurableObjectStorage) =>
  storage.sql.exec<{ n: number }>("SELECT COUNT(*) AS n FROM runs").one().n;

/** What follows without a turn of the object in between has been done. */
async function untilNothingFollows(): Promise<void> {
  for (let step = 0; step < 50; step += 1) await Promise.resolve();
}

const TWENTY = Array.from({ length: 20 }, () => ({}));

describe("fires at one time", () => {
  it("each have a run of their own", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    const answers = await firedAtOnce(routine, TWENTY);
    expect(answers.map(({ status }) => status)).toEqual(TWENTY.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(20);
    const listed = await call<{ data: { id: string }[] }>("GET", `/api/v1/routines/${routine.id}/runs?limit=100`);
    expect(listed.body.data.map(({ id }) => id).sort()).toEqual(answers.map(({ body }) => body.run_id).sort());
  });

  it("with one key are one run", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    const answers = await Promise.all(
      TWENTY.map(() => fire(routine, { text: "one" }, { "idempotency-key": "the same" })),
    );
    expect(answers.map(({ status }) => status)).toEqual(TWENTY.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(1);
    expect(answers.filter(({ body }) => body.duplicate !== true).length).toBe(1);
  });

  it("are refused each for itself where no more may run", async () => {
    const routine = await buildRoutine({ max_concurrent: 1, overlap: "skip" });
    const answers = await firedAtOnce(routine, TWENTY);
    expect(answers.filter(({ status }) => status === 200).length).toBe(1);
    const refused = answers.filter(({ status }) => status !== 200);
    for (const { body } of refused) expect(body).toMatchObject({ error: { details: { code: "overlap_skipped" } } });
  });

  it("with a wrong token among them let the others in", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    const answers = await firedAtOnce(routine, [{}, { authorization: "Bearer wrong" }, {}, {}]);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200, 200]);
  });
});

describe("an object", () => {
  it("decides on one alone at once, and on those that come together when it has read them", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    const id = routine.id as OwnedId;
    // From then on the token is known.
    expect((await fire(routine)).status).toBe(200);
    await runInDurableObject(ownerOf(routine.id), async (object, { storage }) => {
      const { fire: asked } = object as unknown as Pick<RoutineObject, "fire">;
      const first = asked.call(object, id, wake({ among_others: true }), routine.token);
      const second = asked.call(object, id, wake({}), routine.token);
      await untilNothingFollows();
      expect(runsIn(storage)).toBe(1);
      expect([(await first).ok, (await second).ok, runsIn(storage)]).toEqual([true, true, 3]);
      const alone = asked.call(object, id, wake({}), routine.token);
      await untilNothingFollows();
      expect(runsIn(storage)).toBe(4);
      expect((await alone).ok).toBe(true);
    });
  });

  it("lets nobody in whose token was revoked while they waited", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    const id = routine.id as OwnedId;
    expect((await fire(routine)).status).toBe(200);
    await runInDurableObject(ownerOf(routine.id), async (object, { storage }) => {
      const { fire: asked, revokeToken } = object as unknown as Pick<RoutineObject, "fire" | "revokeToken">;
      const waiting = asked.call(object, id, wake({ among_others: true }), routine.token);
      expect(await revokeToken.call(object, id)).toMatchObject({ ok: true });
      expect(await waiting).toMatchObject({ ok: false, refusal: { code: "routine_token_invalid" } });
      expect(runsIn(storage)).toBe(1);
    });
  });
});

describe("a worker", () => {
  it("knows of others while there are some, of one routine alone", () => {
    const underWay = new FiresUnderWay();
    const first = underWay.begin("rtn_1", 0);
    expect(underWay.hasOthers("rtn_1")).toBe(false);
    const second = underWay.begin("rtn_1", 0);
    const other = underWay.begin("rtn_2", 0);
    expect([underWay.hasOthers("rtn_1"), underWay.hasOthers("rtn_2")]).toEqual([true, false]);
    first();
    expect(underWay.hasOthers("rtn_1")).toBe(false);
    second();
    other();
    expect(underWay.hasOthers("rtn_1")).toBe(false);
  });

  it("forgets a fire that never ends, and what ends late counts for nothing", () => {
    const underWay = new FiresUnderWay();
    const lost = underWay.begin("rtn_1", 0);
    underWay.begin("rtn_1", 10_001);
    expect(underWay.hasOthers("rtn_1")).toBe(false);
    lost();
    underWay.begin("rtn_1", 10_002);
    expect(underWay.hasOthers("rtn_1")).toBe(true);
  });

  it("counts no more routines than it has room for", () => {
    const underWay = new FiresUnderWay();
    underWay.begin("rtn_1", 0);
    for (let place = 0; place < 1_000; place += 1) underWay.begin(`other ${place}`, 0);
    underWay.begin("rtn_1", 0);
    expect(underWay.hasOthers("rtn_1")).toBe(false);
  });
});
