/** Secrets of a webhook trigger's endpoint: shown once, encrypted, rotated with an overlap, and gone with the trigger. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { KeyRing, type Place } from "#instance/key-ring.ts";
import type { EncryptAnewStep } from "#protocol/encrypt-anew.ts";
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

const SECRET = "the-secret-of-a-source-0123456789";
const KEYS = [env.SIGNING_KEY ?? "", env.SIGNING_KEY_PREVIOUS ?? ""] as const;

/** Puts a sealed secret in the place of the one in force. */
async function keep(routine: { id: string }, sealed: string): Promise<void> {
  await runInDurableObject(ownerOf(routine.id), (_, { storage }) => {
    storage.sql.exec("UPDATE endpoints SET secret = ?", sealed);
  });
}

async function kept(routine: { id: string }): Promise<string> {
  return runInDurableObject(ownerOf(routine.id), (_, { storage }) =>
    String(storage.sql.exec("SELECT secret FROM endpoints").one()["secret"]),
  );
}

async function reencrypt(): Promise<EncryptAnewStep> {
  const { status, body } = await call<EncryptAnewStep>("POST", "/api/v1/instance/secrets/encrypt-anew");
  expect(status).toBe(200);
  return body;
}

describe("while SIGNING_KEY is changed, a secret that was encrypted under the one before", () => {
  const before = new KeyRing([KEYS[1]]);
  const now = new KeyRing([KEYS[0]]);

  it("is good, and encrypted anew when it is used", async () => {
    const { routine, id, path } = await listening();
    await rotate(routine, id);
    const place = { kind: "endpoint-secret", id } as const;
    await keep(routine, await before.seal(place, SECRET));
    expect(await statusWith(path, SECRET)).toBe(202);
    expect(await now.open(place, await kept(routine))).toEqual({ ok: true, text: SECRET, isStale: false });
    expect(await statusWith(path, SECRET)).toBe(202);
  });

  it("is encrypted anew by one command, those before it and those handed over too", async () => {
    const { routine, id } = await listening();
    await rotate(routine, id);
    const place = { kind: "endpoint-secret", id } as const;
    await runInDurableObject(ownerOf(routine.id), async (_, { storage }) => {
      const [secret, earlier, waiting] = [await before.seal(place, "a"), await before.seal(place, "b"), "c"];
      const previous = JSON.stringify([{ secret: earlier, untilMs: Date.now() + 60_000 }]);
      storage.sql.exec("UPDATE endpoints SET secret = ?, previous = ?", secret, previous);
      storage.sql.exec(
        "INSERT INTO handed_over (trigger_id, id, secret, at, last_at, times) VALUES (?, 'h', ?, 1, 1, 1)",
        id,
        await before.seal(place, waiting),
      );
    });
    expect(await reencrypt()).toMatchObject({ encrypted_anew: 3, unreadable: [], failed: [], next_cursor: null });
    const rows = await runInDurableObject(ownerOf(routine.id), (_, { storage }) => [
      ...storage.sql.exec("SELECT secret, previous ->> '$[0].secret' AS earlier FROM endpoints").toArray(),
      ...storage.sql.exec("SELECT secret FROM handed_over").toArray(),
    ]);
    const texts = await Promise.all(
      [rows[0]?.["secret"], rows[0]?.["earlier"], rows[1]?.["secret"]].map((text) => now.open(place, String(text))),
    );
    expect(texts.map((opened) => opened.ok && opened.text)).toEqual(["a", "b", "c"]);
    expect(await reencrypt()).toMatchObject({ encrypted_anew: 0, unreadable: [], failed: [] });
  });
});

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

  it.each([
    ["under another SIGNING_KEY", (place: Place) => new KeyRing([`${"another".repeat(9)}`]).seal(place, SECRET)],
    ["under another SIGNING_KEY, by an earlier version", async () => btoa("sealed with a key that is gone by now")],
    ["for another trigger", () => new KeyRing(KEYS).seal({ kind: "endpoint-secret", id: "trg_x" }, SECRET)],
  ])("that was encrypted %s counts as none, says so, and gives way to a new one", async (_what, seal) => {
    const { routine, id, path } = await listening();
    await rotate(routine, id);
    await keep(routine, await seal({ kind: "endpoint-secret", id }));
    expect(await statusWith(path, SECRET)).toBe(401);
    expect(await reencrypt()).toMatchObject({ unreadable: [{ routine_id: routine.id, trigger_id: id }], failed: [] });
    await vi.waitFor(async () => {
      const failures = "/api/v1/deliveries/failures";
      const { body } = await call<{ data: { trigger_id: string; failure: string }[] }>("GET", failures);
      expect(body.data).toContainEqual(expect.objectContaining({ trigger_id: id, failure: "secret_unreadable" }));
    });
    expect(await statusWith(path, await rotate(routine, id))).toBe(202);
    // What was to be done is done: the one before, which nobody can decrypt, asks for nothing more.
    expect(await reencrypt()).toMatchObject({ unreadable: [], failed: [] });
    expect((await call("DELETE", `/api/v1/routines/${routine.id}`)).status).toBe(204);
  });
});
