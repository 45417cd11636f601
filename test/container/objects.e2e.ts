/**
 * The objects behind the containers, in a worker that asks for each container twice at once and tells how often its objects
 * were made; under the scheduling policy `default`, so that both policies are seen to work.
 */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { Bed } from "./support/bed.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";
import { runnerImage } from "./support/images.ts";
import { linkProject } from "./support/linked-project.ts";

/** An object leaves memory after ten seconds in which nothing is asked of it. */
const IDLE_MS = 14_000;
const madeSchema = z.object({ routine: z.int(), sandbox: z.int() });

let bed: Bed | null = null;
let removeProject = () => {};
before(async () => {
  if (NO_ENGINE !== null) return;
  const project = linkProject();
  removeProject = project.remove;
  bed = await Bed.startOf(project.root, 1, await runnerImage());
});
after(async () => {
  await bed?.stop();
  removeProject();
});

containerTest("two starts at once are one container, and its run outlives the eviction of its objects", async () => {
  assert.ok(bed);
  const script = bed.model.write(["echo one", "echo two"], 1);
  const id = await bed.begin(script, { repositories: [] });
  await bed.untilHeld(script, id);
  const container = await bed.theContainer();
  const made = () => bed?.ask({ method: "GET", path: "/made", answer: madeSchema });
  const before = await made();
  // The time itself is the case: while the model says nothing nothing happens to the run's objects.
  await delay(IDLE_MS);
  script.release();
  const run = await bed.settled(id);
  assert.equal(run.status, "succeeded", JSON.stringify(run.error));
  assert.equal(run.attempt, 1);
  assert.deepEqual(script.asked, [1, 1, 1, 1]);
  const afterwards = await made();
  assert.ok((afterwards?.routine ?? 0) > (before?.routine ?? 0), "the routine's object had left memory");
  assert.ok(container.id);
  await bed.untilNoneWorks();
});
