/**
 * A schedule comes due while workerd is killed, again and again: after the restarts each time has fired, and once. Linux
 * only, since it looks into /proc. Run it by `node --test test/scripts/clock-killed.e2e.ts`; it waits for whole minutes.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { occurrenceSchema } from "#protocol/occurrence.ts";
import { routineSchema } from "#protocol/routine.ts";
import { killWorkerd, ownerOf } from "./support/killed-instance.ts";
import { cleanUp, printedCurl, type StartedInstance, startProcess } from "./support/started-instance.ts";
import { until } from "./support/until.ts";

const MINUTE_MS = 60_000;
/** From the minute on, and then from the moment at which the instance answers again. */
const KILLS_AFTER_MS = [20, 150, 900, 1_500];
const ROUTINES = 4;
const TRIGGERS = 3;
const pageSchema = z.object({ data: z.array(occurrenceSchema) });

const folders: string[] = [];
after(() => {
  for (const folder of folders) cleanUp(folder);
});

function logsOf({ state, output }: StartedInstance): string {
  const folder = path.join(state, "logs");
  return [output(), ...readdirSync(folder).map((name) => readFileSync(path.join(folder, name), "utf8"))].join(
    "\n---\n",
  );
}

test("workerd is killed around the minute: each time fires once", async (t) => {
  const instance = await startProcess();
  folders.push(instance.state);
  let isOver = false;
  t.after(() => {
    if (!isOver) t.diagnostic(logsOf(instance));
  });
  await printedCurl(instance);
  const ask = ownerOf(instance);
  const slotMs = Math.ceil((Date.now() + 5_000) / MINUTE_MS) * MINUTE_MS;
  const schedule = { type: "schedule", at: new Date(slotMs).toISOString() };
  const ids: string[] = [];
  while (ids.length < ROUTINES) {
    const triggers = Array.from({ length: TRIGGERS }, () => schedule);
    const input = { name: `killed ${ids.length}`, prompt: "Do the work.", overlap: "queue", triggers };
    ids.push((await ask(routineSchema, "/api/v1/routines", input)).id);
  }
  await delay(slotMs - Date.now());
  for (const afterMs of KILLS_AFTER_MS) {
    // The moment itself is the case: there is no event to wait for.
    await delay(afterMs);
    await killWorkerd(instance);
  }
  const read = (id: string) => ask(pageSchema, `/api/v1/routines/${id}/occurrences`);
  for (const id of ids) {
    await until(`the times of ${id}`, 3 * MINUTE_MS, async () => (await read(id)).data.length >= TRIGGERS);
  }
  t.diagnostic(`all had fired ${Math.round((Date.now() - slotMs) / 1_000)} s after their minute`);
  // Whatever would fire once more has had its sweep.
  await delay(MINUTE_MS - (Date.now() % MINUTE_MS) + 3_000);
  for (const id of ids) {
    const { data } = await read(id);
    assert.equal(new Set(data.map(({ trigger }) => trigger.id)).size, TRIGGERS);
    assert.equal(data.length, TRIGGERS);
    assert.ok(data.every(({ outcome }) => outcome === "started" || outcome === "queued"));
  }
  instance.child.kill("SIGINT");
  assert.equal(await instance.exited, 0, instance.output());
  isOver = true;
});
