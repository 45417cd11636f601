/** A practice of a run's beginning: it is done to its end, and nothing of it stays. */
import { expect, it } from "vitest";
import { rehearseRun } from "#sandbox-runner/prepared/rehearse-run.ts";

it("gets an order over a link of its own and an answer by a relay of its own, and leaves no server or connection open", async () => {
  const open = () => process.getActiveResourcesInfo().filter((name) => /^TCP/.test(name)).length;
  const before = open();
  expect(await rehearseRun()).toBe(true);
  await expect.poll(open).toBeLessThanOrEqual(before);
});
