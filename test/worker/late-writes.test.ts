/** Writes to D1 that come late, as one whose answer was given up and that goes through after what followed it. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { dueStore } from "#instance/d1/due.ts";
import { forgetRoutine, routineIndex, writeRoutine, writeRuns } from "#instance/d1/routine-index.ts";
import type { Routine } from "#protocol/routine.ts";

const DAY_MS = 86_400_000;
const NOW = Date.parse("2026-11-25T10:00:00.000Z");
const run = { id: "run_1", routine_id: "rtn_1", status: "queued", trigger: { type: "api" } };
const document = { id: "run_1", status: "queued", doc: JSON.stringify(run) } as const;

function entry(version: number, id = "rtn_1") {
  const routine = { id, name: `version ${version}`, runs_on: "default", environment: "default" } as Routine;
  return { routine, version, subscriptions: [{ triggerId: "t", key: `event:${version}` }], dueAt: NOW + version };
}

const writes: Record<string, (version: number) => Promise<void>> = {
  "the routine": (version) => writeRoutine(env.DB, entry(version)),
  "the routine without a schedule": (version) => writeRoutine(env.DB, { ...entry(version), dueAt: null }),
  "its runs": (version) => writeRuns(env.DB, "rtn_1", [{ ...document, version }]),
  "when it is due": (version) => dueStore(env.DB).settle([{ routine_id: "rtn_1", due_at: NOW, version }]),
};

async function rows() {
  const tables = ["routines", "runs", "subscriptions", "due_routines"];
  const found = await env.DB.batch(tables.map((table) => env.DB.prepare(`SELECT * FROM ${table}`)));
  return Object.fromEntries(tables.map((table, place) => [table, found[place]?.results]));
}

const NOTHING = { routines: [], runs: [], subscriptions: [], due_routines: [] };

beforeEach(async () => {
  await forgetRoutine(env.DB, "rtn_1", NOW);
  await env.DB.exec("DELETE FROM forgotten_routines");
});

it.each(Object.entries(writes))("of %s leave nothing of a routine that has been deleted", async (_what, write) => {
  await writeRoutine(env.DB, entry(2));
  await forgetRoutine(env.DB, "rtn_1", NOW);
  for (const version of [1, 2, 3]) await write(version);
  expect(await rows()).toEqual(NOTHING);
});

it.each(Object.entries(writes))("of %s leave a newer version as it is", async (_what, write) => {
  await writeRoutine(env.DB, entry(2));
  await writeRuns(env.DB, "rtn_1", [{ ...document, version: 2 }]);
  const before = await rows();
  await write(1);
  expect(await rows()).toEqual(before);
});

it("leave nothing of a routine that D1 never had", async () => {
  await forgetRoutine(env.DB, "rtn_1", NOW);
  await writeRoutine(env.DB, entry(1));
  expect(await rows()).toEqual(NOTHING);
});

it("of another routine go through", async () => {
  await forgetRoutine(env.DB, "rtn_1", NOW);
  await writeRoutine(env.DB, entry(1, "rtn_2"));
  expect((await rows())["routines"]).toHaveLength(1);
  await forgetRoutine(env.DB, "rtn_2", NOW);
});

it("are guarded against for a day, however often the deletion is told", async () => {
  await forgetRoutine(env.DB, "rtn_1", NOW - DAY_MS);
  await forgetRoutine(env.DB, "rtn_1", NOW);
  await routineIndex(env.DB).purgeForgotten(NOW);
  await writeRoutine(env.DB, entry(1));
  expect(await rows()).toEqual(NOTHING);
  await routineIndex(env.DB).purgeForgotten(NOW + 1);
  const { results } = await env.DB.prepare("SELECT * FROM forgotten_routines").all();
  expect(results).toEqual([]);
});
