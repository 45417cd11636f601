/** An image whose first process ends with 7 whatever has happened: engines start such a container again, as it was. */
import assert from "node:assert/strict";
import { after, afterEach, before } from "node:test";
import { Bed } from "./support/bed.ts";
import { containerTest, NO_ENGINE, runIn } from "./support/engine.ts";
import { forgetImage, makeFailing, nameImage, runnerImage } from "./support/images.ts";

const IMAGE = `localhost/reveille-suite-${process.pid}:failing`;
const KEPT = `localhost/reveille-suite-${process.pid}:kept`;

let bed: Bed | null = null;
before(async () => {
  if (NO_ENGINE !== null) return;
  await makeFailing(await runnerImage(), IMAGE, 7);
  await nameImage(IMAGE, KEPT);
  bed = await Bed.start(2, IMAGE);
});
afterEach(async () => await bed?.cancelAll());
after(async () => {
  if (NO_ENGINE !== null) return;
  try {
    await bed?.stop();
  } finally {
    for (const name of [IMAGE, KEPT]) await forgetImage(name);
  }
});

function theBed(): Bed {
  assert.ok(bed);
  return bed;
}

containerTest(
  "the runner exits 7 in the middle of a run: the run is lost, and what is started again does not work on it",
  async () => {
    const script = theBed().model.write(["echo one", "echo two"], 1);
    const id = await theBed().begin(script, { repositories: [] });
    await theBed().untilHeld(script, id);
    await runIn(await theBed().theContainer(), ["pkill", "-KILL", "tini"]);
    const run = await theBed().settled(id);
    assert.equal(run.status, "failed");
    assert.equal(run.error?.code, "runner_lost");
    assert.equal(run.attempt, 1, "the model had been called");
    assert.deepEqual(script.asked, [1, 1]);
    await theBed().untilNoneWorks();
  },
);

containerTest(
  "the runner exits 7 after its run has ended: the run stays as it is, and its container goes",
  async () => {
    const script = theBed().model.write(["echo one"]);
    const run = await theBed().settled(await theBed().begin(script, { repositories: [] }));
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    assert.deepEqual(script.asked, [1, 1, 1]);
    await theBed().untilNoneWorks();
  },
);

containerTest("the image is missing: the run says what to do; once it is there runs start again", async () => {
  await forgetImage(IMAGE);
  const script = theBed().model.write(["echo one"]);
  const run = await theBed().settled(await theBed().begin(script, { repositories: [], retry: { max: 0 } }));
  assert.equal(run.status, "failed");
  assert.equal(run.error?.phase, "provisioning");
  assert.match(run.error?.code ?? "", /^container_(start_failed|image_missing)$/);
  assert.match(run.error?.hint ?? "", /image/);
  assert.deepEqual(script.asked, []);
  await theBed().untilNoneWorks();

  await nameImage(KEPT, IMAGE);
  const next = theBed().model.write(["echo one"]);
  assert.equal((await theBed().settled(await theBed().begin(next, { repositories: [] }))).status, "succeeded");
});
