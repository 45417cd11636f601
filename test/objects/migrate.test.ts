/** Tables that earlier versions made are brought up to date by name; a migration that fails is told, and harms nothing. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/durable-sqlite";
import { migrate as migrateAsBefore } from "drizzle-orm/durable-sqlite/migrator";
import { describe, expect, it, vi } from "vitest";
import { rosterObject } from "#instance/objects.ts";
import { drawOwnerKey, IdMaker, type OwnedId } from "#protocol/ids.ts";
import type { Routine } from "#protocol/routine.ts";
import { buildRoutine, call, fired, readRun } from "#test/support/api.ts";
import { FakeRunner } from "#test/support/fake-runner.ts";
import { defaultPool, ownerOf } from "#test/support/objects.ts";
import poolMigrations from "../../migrations/pool-object/migrations.js";
import routineMigrations from "../../migrations/routine-object/migrations.js";

type Migrations = typeof routineMigrations;

const TAGS = routineMigrations.journal.entries.map(({ tag }) => tag);
/** By the time in a migration, which is all that drizzle's migrator wrote of it. */
const TAG_AT = new Map(routineMigrations.journal.entries.map(({ tag, when }) => [when, tag]));
const PREFIXES = TAGS.map((tag, index) => ({ tag, landed: TAGS.slice(0, index + 1) }));

const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);

/** Some of the migrations, as the version that had them alone brought them along. */
function only(all: Migrations, tags: readonly string[]): Migrations {
  return { ...all, journal: { ...all.journal, entries: all.journal.entries.filter(({ tag }) => tags.includes(tag)) } };
}

/** A routine as an earlier version left it: its tables made by the migrator of that time. */
async function routineOf(tags: readonly string[], also = ""): Promise<string> {
  const model = await buildRoutine();
  const id = new IdMaker(drawOwnerKey(random), random).make("routine", Date.now());
  const rows = await runInDurableObject(ownerOf(model.id), (_object, { storage }) =>
    storage.sql.exec("SELECT definition FROM routine").one(),
  );
  await runInDurableObject(ownerOf(id), async (_object, { storage }) => {
    await migrateAsBefore(drizzle(storage), only(routineMigrations, tags));
    const definition = String(rows["definition"]);
    storage.sql.exec(
      "INSERT INTO routine (id, revision, definition, status, created_at, updated_at, version) VALUES (?, 1, ?, 'active', 1, 1, 1)",
      id,
      definition,
    );
    storage.sql.exec("INSERT INTO revisions (revision, at, by, definition) VALUES (1, 1, 'owner', ?)", definition);
    if (also !== "") storage.sql.exec(also);
  });
  await evictDurableObject(ownerOf(id));
  await rosterObject(env).enter([id]);
  return id;
}

function inStorage<Value>(id: string, work: (storage: DurableObjectStorage) => Value): Promise<Value> {
  return runInDurableObject(ownerOf(id), (_object, { storage }) => work(storage));
}

/** What the database says of its own tables, and which migrations it has. */
function schemaOf(id: string) {
  return inStorage(id, ({ sql }) => ({
    tables: sql
      .exec<{ name: string }>(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name",
      )
      .toArray(),
    marks: sql
      .exec<{ hash: string; created_at: number }>("SELECT hash, created_at FROM __drizzle_migrations")
      .toArray()
      .map(({ hash, created_at }) => (hash === "" ? TAG_AT.get(created_at) : hash))
      .sort(),
  }));
}

const read = (id: string) => call<Routine>("GET", `/api/v1/routines/${id}`);

describe("a routine whose tables were made by an earlier version", () => {
  it.each(PREFIXES)("up to $tag has what a new one has, and every migration once", async ({ landed }) => {
    const id = await routineOf(landed);
    expect((await read(id)).status).toBe(200);
    const fresh = await buildRoutine();
    expect(await schemaOf(id)).toEqual(await schemaOf(fresh.id));
    await evictDurableObject(ownerOf(id));
    expect((await call("GET", `/api/v1/routines/${id}/revisions`)).body).toMatchObject({ data: [{ revision: 1 }] });
    expect(await schemaOf(id)).toEqual(await schemaOf(fresh.id));
    const { body } = await call<{ token: string }>("POST", `/api/v1/routines/${id}/token`);
    expect((await readRun((await fired({ id, token: body.token })).run_id)).status).toBe("starting");
  });

  it("gets one that was merged after newer ones", async () => {
    const id = await routineOf(TAGS.filter((tag) => tag !== "0006_newcomers"));
    expect((await read(id)).status).toBe(200);
    const fresh = await buildRoutine();
    expect((await schemaOf(id)).marks).toEqual((await schemaOf(fresh.id)).marks);
    const names = async (of: string) => (await schemaOf(of)).tables.map(({ name }) => name);
    expect(await names(id)).toEqual(await names(fresh.id));
  });

  it("may have been opened by a newer version", async () => {
    const mark = "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('9999_newer', 9999999999999)";
    const id = await routineOf(TAGS.slice(0, 2), mark);
    expect((await read(id)).status).toBe(200);
    expect((await schemaOf(id)).marks).toHaveLength(TAGS.length + 1);
  });
});

it("the pool's tables that drizzle's migrator made stay as they are", async () => {
  const marks = await runInDurableObject(defaultPool(), (_pool, { storage }) => {
    for (const { tag, when } of poolMigrations.journal.entries) {
      storage.sql.exec("UPDATE __drizzle_migrations SET hash = '', created_at = ? WHERE hash = ?", when, tag);
    }
    return storage.sql.exec("SELECT * FROM __drizzle_migrations").toArray();
  });
  await evictDurableObject(defaultPool());
  await runInDurableObject(defaultPool(), (pool, { storage }) => {
    expect(pool.request([])).toEqual({ runners: 0, waiting: [], why: null });
    expect(storage.sql.exec("SELECT * FROM __drizzle_migrations").toArray()).toEqual(marks);
  });
});

describe("a migration that fails", () => {
  it("is named to whoever asks, and its cause is in the log; when the cause is gone, all is there", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const id = await routineOf(TAGS.slice(0, 3), "CREATE TABLE bursts (in_the_way text)");
    expect(await read(id)).toMatchObject({
      status: 503,
      body: {
        error: {
          type: "overloaded_error",
          message: "The routine's storage is not up to date: migration 0003_triggers failed.",
          hint: expect.stringContaining("deploy"),
          details: { code: "storage_not_migrated" },
        },
      },
    });
    const lines = log.mock.calls.map(([line]) => JSON.parse(String(line)));
    expect(lines).toContainEqual(
      expect.objectContaining({
        code: "storage_not_migrated",
        migration: "0003_triggers",
        reason: expect.stringContaining("table `bursts` already exists"),
      }),
    );
    expect((await schemaOf(id)).marks).toHaveLength(3);

    // Its alarm comes back for as long as it lasts.
    expect(await runDurableObjectAlarm(ownerOf(id))).toBe(true);
    expect(await inStorage(id, (storage) => storage.getAlarm())).toBeGreaterThan(Date.now());
    const lease = { run_id: id.replace("rtn_", "run_"), generation: 1 };
    await runInDurableObject(ownerOf(id), (object) => {
      expect(() => object.leaseEnded(id as OwnedId, lease, "work_ended")).toThrow("0003_triggers");
    });
    for (const answer of [
      await call("POST", `/api/v1/routines/${id}/run`),
      await call("POST", `/api/v1/routines/${id}/token`),
      await call("PATCH", `/api/v1/routines/${id}`, { name: "other" }),
      await call("DELETE", `/api/v1/routines/${id}`),
    ]) {
      expect(answer).toMatchObject({ status: 503, body: { error: { details: { code: "storage_not_migrated" } } } });
    }

    await inStorage(id, ({ sql }) => void sql.exec("DROP TABLE bursts"));
    expect(await runDurableObjectAlarm(ownerOf(id))).toBe(true);
    expect((await read(id)).status).toBe(200);
    expect((await schemaOf(id)).marks).toHaveLength(TAGS.length);
    expect((await call("POST", `/api/v1/routines/${id}/run`)).status).toBe(200);
  });

  it("of the pool holds runs up, and they go on afterwards", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const forget = `DELETE FROM __drizzle_migrations`;
    await runInDurableObject(defaultPool(), (_pool, { storage }) => void storage.sql.exec(forget));
    await evictDurableObject(defaultPool());
    const routine = await buildRoutine();
    const { run_id } = await fired(routine);
    expect((await readRun(run_id)).status).toBe("starting");
    await runInDurableObject(defaultPool(), (pool) => {
      expect(() => pool.request([])).toThrow("0000_initial: Error: table `leases` already exists");
    });
    expect(await runDurableObjectAlarm(defaultPool())).toBe(true);

    await runInDurableObject(defaultPool(), async (_pool, { storage }) => {
      storage.sql.exec("DROP TABLE leases; DROP TABLE runners; DROP TABLE gone_runners");
      expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
    });
    expect(await runDurableObjectAlarm(defaultPool())).toBe(true);
    using runner = await FakeRunner.join();
    await runDurableObjectAlarm(ownerOf(run_id));
    const work = await runner.work(await runner.accept());
    await work.finish();
    expect((await readRun(run_id)).status).toBe("succeeded");
  });
});
