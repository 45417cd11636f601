/** More runs than containers: each gets its turn, and works once. */
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { Bed } from "./support/bed.ts";
import { containerTest, NO_ENGINE } from "./support/engine.ts";

const CAPACITY = 3;
const RUNS = 20;

let bed: Bed;
before(async () => {
  if (NO_ENGINE === null) bed = await Bed.start(CAPACITY);
});
after(async () => await bed?.stop());

containerTest(
  `${RUNS} runs at once, with room for ${CAPACITY}: all end, none works twice, and never more at a time`,
  async () => {
    const begun = await Promise.all(
      Array.from({ length: RUNS }, async () => {
        const script = bed.model.write(["echo done"]);
        return { script, id: await bed.begin(script, { repositories: [] }) };
      }),
    );
    const watching = new AbortController();
    const most = bed.mostAtWork(watching.signal);
    const ended = await Promise.all(
      begun.map(async ({ script, id }) => ({ script, run: await bed.settled(id, 600_000) })),
    );
    watching.abort();
    for (const { script, run } of ended) {
      assert.equal(run.status, "succeeded", JSON.stringify(run.error));
      assert.equal(run.attempt, 1, retriesOf(run.id));
      assert.deepEqual(script.asked, [1, 1, 1], "each step is asked for once");
    }
    const reached = await most;
    assert.ok(reached >= 1 && reached <= CAPACITY, `${reached} at work`);
    await bed.untilNoneWorks();
  },
);

/** What the log has of a run's attempts that were lost. */
function retriesOf(runId: string): string {
  const lines = bed.log().split("\n");
  return lines.filter((line) => line.includes(runId) && line.includes('"run_retried"')).join("\n");
}
