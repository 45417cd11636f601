/** Fires that come at one time are admitted together, and each is answered for itself. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { FiresTogether } from "#durable-objects/routine/wakes/fires-together.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Admission, Wake } from "#protocol/occurrence.ts";
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

describe("fires that wait for each other", () => {
  const id = "rtn_1" as never;
  const named = (summary: string) => ({ id, event: { summary } as Wake, isRepeat: false });
  const admitted = (summary: string): Result<Admission> =>
    success({ occurrence_id: summary, run_id: summary, session_id: summary, duplicate: false });
  const runOf = (answer: Result<Admission>) => (answer.ok ? answer.value.run_id : answer.refusal.code);

  it("are admitted in their order, at most 32 in one piece of work", async () => {
    const pieces: number[] = [];
    const together = new FiresTogether((fires) => {
      pieces.push(fires.length);
      return fires.map(({ event }) => admitted(event.summary));
    });
    const names = Array.from({ length: 70 }, (_, place) => `fire ${place}`);
    const answers = await Promise.all(names.map((name) => together.add(named(name))));
    expect(answers.map(runOf)).toEqual(names);
    expect(pieces).toEqual([32, 32, 6]);
  });

  it("are admitted each for itself where one of them can't be", async () => {
    const pieces: string[][] = [];
    const together = new FiresTogether((fires) => {
      const names = fires.map(({ event }) => event.summary);
      pieces.push(names);
      if (names.includes("bad")) throw new Error("it can't be");
      return names.map((name) => (name === "refused" ? refuse("routine_paused") : admitted(name)));
    });
    const names = ["one", "bad", "refused"];
    const answers = await Promise.allSettled(names.map((name) => together.add(named(name))));
    expect(answers.map((one) => (one.status === "fulfilled" ? runOf(one.value) : String(one.reason)))).toEqual([
      "one",
      "Error: it can't be",
      "routine_paused",
    ]);
    expect(pieces).toEqual([names, ["one"], ["bad"], ["refused"]]);
    expect(runOf(await together.add(named("later")))).toBe("later");
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
