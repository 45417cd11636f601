/** An opening that fails half-way is made again as a whole. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, expect, it, vi } from "vitest";
import { Outbox } from "#durable-objects/routine/outbox/outbox.ts";
import { buildRoutine } from "#test/support/api.ts";
import { asking, evictOwnerOf, ownerOf } from "#test/support/objects.ts";
import { rowsOf } from "#test/support/retention.ts";

afterEach(() => void vi.restoreAllMocks());

const CLAIMED = `INSERT INTO outbox (kind, ref, tries, due_at, stamp, is_claimed) VALUES ('project_run', 'run_x', 0, 1, 1, 1)`;

it("gives back what an earlier life has claimed, also where that fails at first", async () => {
  const { id } = await buildRoutine();
  await runInDurableObject(ownerOf(id), async (_object, { storage }) => void storage.sql.exec(CLAIMED));
  const giveBack = vi.spyOn(Outbox.prototype, "giveBack").mockImplementationOnce(() => {
    throw new Error("the storage fails");
  });
  await evictOwnerOf(id);
  expect(await asking(id).read()).toMatchObject({ ok: false, refusal: { code: "internal_error" } });
  await runInDurableObject(ownerOf(id), (object) => (object as unknown as { alarm(): Promise<void> }).alarm());
  expect(await asking(id).read()).toMatchObject({ ok: true, value: { id } });
  expect(giveBack).toHaveBeenCalledTimes(2);
  await vi.waitFor(async () => expect(await rowsOf(id, "SELECT 1 FROM outbox WHERE ref = 'run_x'")).toEqual([]));
});
