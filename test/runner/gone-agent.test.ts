/** An agent that has ended between the moment when its run took it and the clone: nothing of it is in the way of that. */
import { expect, it, vi } from "vitest";
import { ifThere } from "#sandbox-runner/attempt/settle-clones.ts";
import type { RepositoryCopy } from "#sandbox-runner/prepared/repository-copy.ts";

function waiting(isThere: boolean) {
  const done: string[] = [];
  const giveUp = async () => void done.push("given up");
  const remove = vi.fn(async () => void done.push("copy removed"));
  const copy = { remove } as unknown as RepositoryCopy;
  return { done, remove, waited: { isThere, giveUp, copy } };
}

it("is its run's while it is there", async () => {
  const { done, waited } = waiting(true);
  expect(await ifThere(waited)).toBe(waited);
  expect(done).toEqual([]);
});

it("leaves neither what it has written nor its copy", async () => {
  const { done, waited } = waiting(false);
  expect(await ifThere(waited)).toBeNull();
  expect(done).toEqual(["given up", "copy removed"]);
});

it("fails no run whose copy can't be removed", async () => {
  const { remove, waited } = waiting(false);
  remove.mockRejectedValue(new Error("EBUSY"));
  expect(await ifThere(waited)).toBeNull();
});
