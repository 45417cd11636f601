/** Secrets of a webhook trigger's endpoint: shown once, encrypted, rotated with an overlap, and gone with the trigger. */
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call } from "#test/support/api.ts";
import { post } from "#test/support/deliver.ts";
import { ownerOf } from "#test/support/objects.ts";

const TRIGGER = { type: "webhook", source: "generic" };

async function listening() {
  const routine = await buildRoutine({ triggers: [TRIGGER] });
  const id = routine.triggers[0]?.id ?? "";
  return { routine, id, path: `/webhooks/generic/${id}` };
}

async function rotate(routine: { id: string }, triggerId: string): Promise<string> {
  const path = `/api/v1/routines/${routine.id}/triggers/${triggerId}/secret`;
  const { status, body } = await call<{ secret: string }>("POST", path);
  expect(status).toBe(201);
  return body.secret;
}

async function statusWith(path: string, secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  return (await post(path, "{}", headers)).status;
}

describe("the secret of an endpoint", () => {
  it("opens it beside those before, and none is stored as it is", async () => {
    const { routine, id, path } = await listening();
    expect(await statusWith(path, "anything-at-all")).toBe(401);
    const [first, second] = [await rotate(routine, id), await rotate(routine, id)];
    expect(await Promise.all([first, second].map((secret) => statusWith(path, secret)))).toEqual([202, 202]);
    const third = await rotate(routine, id);
    expect(await Promise.all([first, second, third].map((secret) => statusWith(path, secret)))).toEqual([
      202, 202, 202,
    ]);
    const rows = await runInDurableObject(ownerOf(routine.id), (_, { storage }) =>
      storage.sql.exec("SELECT * FROM endpoints").toArray(),
    );
    expect(rows).toHaveLength(1);
    for (const secret of [first, second, third]) expect(JSON.stringify(rows)).not.toContain(secret.slice(4));
  });

  it("stays with a trigger that changes, and goes with one that is removed", async () => {
    const { routine, id, path } = await listening();
    const secret = await rotate(routine, id);
    const change = (triggers: object[]) => call<Routine>("PATCH", `/api/v1/routines/${routine.id}`, { triggers });
    const changed = await change([{ ...TRIGGER, events: ["deploy.finished"] }]);
    expect(changed.body.triggers).toMatchObject([{ id, endpoint: { has_secret: true, previous_secret_until: null } }]);
    expect(await statusWith(path, secret)).toBe(202);
    await change([]);
    expect(await statusWith(path, secret)).toBe(404);
    const again = await change([TRIGGER]);
    expect(again.body.triggers).toMatchObject([{ endpoint: { has_secret: false } }]);
    expect(again.body.triggers[0]?.id).not.toBe(id);
  });

  it("that was encrypted under another SIGNING_KEY counts as none, until a new one is set", async () => {
    const { routine, id, path } = await listening();
    const lost = await rotate(routine, id);
    await runInDurableObject(ownerOf(routine.id), (_, { storage }) => {
      storage.sql.exec("UPDATE endpoints SET secret = ?", btoa("sealed with a key that is gone by this time"));
    });
    expect(await statusWith(path, lost)).toBe(401);
    expect(await statusWith(path, await rotate(routine, id))).toBe(202);
  });
});
