/** Fires that come at one time are admitted together, and each is answered for itself. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { buildRoutine, call, fire } from "#test/support/api.ts";
import { ownerOf } from "#test/support/objects.ts";
import { FiresUnderWay } from "#worker/routes/fires-under-way.ts";

const firedAtOnce = (routine: { id: string; token: string }, headers: readonly Record<string, string>[]) =>
  Promise.all(headers.map((more, place) => fire(routine, { text: `fire ${place}` }, more)));

/** How many transactions the routine's object begins meanwhile. */
async function transactionsOf(id: string, work: () => Promise<unknown>): Promise<number> {
  const spied = await runInDurableObject(ownerOf(id), (_object, { storage }) => vi.spyOn(storage, "transactionSync"));
  await work();
  const count = spied.mock.calls.length;
  spied.mockRestore();
  return count;
}

const TWENTY = Array.from({ length: 20 }, () => ({}));

describe("fires at one time", () => {
  it("each have a run of their own, and share transactions", async () => {
    const routine = await buildRoutine({ max_concurrent: 100 });
    let answers: Awaited<ReturnType<typeof firedAtOnce>> = [];
    const shared = await transactionsOf(routine.id, async () => {
      answers = await firedAtOnce(routine, TWENTY);
    });
    expect(answers.map(({ status }) => status)).toEqual(TWENTY.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.run_id)).size).toBe(20);
    const listed = await call<{ data: { id: string }[] }>("GET", `/api/v1/routines/${routine.id}/runs?limit=100`);
    expect(listed.body.data.map(({ id }) => id).sort()).toEqual(answers.map(({ body }) => body.run_id).sort());
    expect(shared).toBeLessThan(20);
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
