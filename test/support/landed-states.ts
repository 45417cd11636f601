/// <reference types="vite/types/importMeta.d.ts" />
/** What instances of landed versions have stored (test/fixtures/states), put where today's code finds it as its own. */
import { applyD1Migrations, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Shown } from "#scripts/keep-state/shown.ts";
import { emptyStorage } from "./empty-storage.ts";
import { defaultPool, ownerOf } from "./objects.ts";

const SQL = import.meta.glob<string>("../fixtures/states/*/*.sql", { query: "?raw", import: "default", eager: true });
const SHOWN = import.meta.glob<Shown>("../fixtures/states/*/shown.json", { import: "default", eager: true });

export const LANDED = Object.entries(SHOWN).map(([path, shown]) => ({ name: folderOf(path), shown }));

/** Empties all storage, and puts there what this version had stored. D1 is then migrated; objects do that themselves. */
export async function openState(name: string): Promise<void> {
  await emptyStorage();
  for (const [path, sql] of Object.entries(SQL)) {
    if (folderOf(path) !== name) continue;
    const file = path.slice(path.lastIndexOf("/") + 1, -".sql".length);
    if (file === "d1") await openD1(sql);
    else if (file === "pool") await putInto(defaultPool(), sql);
    else await putInto(ownerOf(file), sql);
  }
}

async function openD1(sql: string): Promise<void> {
  await env.DB.exec(sql);
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
}

/** The tables that a new object may have made are replaced. */
async function putInto(object: DurableObjectStub, sql: string): Promise<void> {
  await runInDurableObject(object, async (_object, { storage }) => {
    await storage.deleteAll();
    storage.sql.exec(sql);
  });
  await evictDurableObject(object);
}

/** @param path of a file in a state's folder. */
function folderOf(path: string): string {
  return path.split("/").at(-2) ?? "";
}
