/** A practice of the link's dialling: it is done to its end, and nothing of it stays. */
import { expect, it } from "vitest";
import { rehearseLink } from "#sandbox-runner/link/rehearse-link.ts";

it("hears a message over a WebSocket of its own, and leaves no server or connection open", async () => {
  const open = () => process.getActiveResourcesInfo().filter((name) => /^TCP/.test(name)).length;
  const before = open();
  expect(await rehearseLink()).toBe(true);
  await expect.poll(open).toBeLessThanOrEqual(before);
});
