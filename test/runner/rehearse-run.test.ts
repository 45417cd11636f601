/** A practice of a run's beginning: it is done to its end, and nothing of it stays. */
import { expect, it, onTestFinished, vi } from "vitest";
import { RunLink } from "#sandbox-runner/link/run-link.ts";
import { rehearseRun } from "#sandbox-runner/prepared/rehearse-run.ts";

const open = () => process.getActiveResourcesInfo().filter((name) => /^TCP/.test(name)).length;

it("gets an order over a link of its own and an answer by a relay of its own, and leaves no server or connection open", async () => {
  const before = open();
  expect(await rehearseRun()).toBe(true);
  await expect.poll(open).toBeLessThanOrEqual(before);
});

it("that is not done in time leaves no link that is dialled again", async () => {
  const closed = vi.spyOn(RunLink.prototype, "close");
  onTestFinished(() => closed.mockRestore());
  const before = open();
  expect(await rehearseRun(0)).toBe(false);
  expect(closed).toHaveBeenCalledOnce();
  await expect.poll(open).toBeLessThanOrEqual(before);
});
