/** Leaves nothing of the tests before: no object, table, body or alarm. */
import { listDurableObjectIds, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Env } from "#worker/bindings.ts";

type NamespaceName = { [Name in keyof Env]-?: Env[Name] extends { idFromName: unknown } ? Name : never }[keyof Env];

/** All whose objects may be met again under their old names. A routine's object has a name that was drawn. */
const MET_AGAIN: Record<Exclude<NamespaceName, "ROUTINE">, DurableObjectNamespace> = {
  POOL: env.POOL,
  GATE: env.GATE,
  ROSTER: env.ROSTER,
  BUDGET: env.BUDGET,
  SANDBOX: env.SANDBOX,
};

/**
 * Empties all storage. `reset` alone empties what is in memory: whatever has been idle for ten seconds, or was evicted by a
 * test, would keep what it has, also D1 and R2, which are the platform's own objects. So whatever may be met again is
 * called first.
 */
export async function emptyStorage(): Promise<void> {
  await Promise.all([
    env.DB.prepare("SELECT 1").run(),
    env.BODIES.list({ limit: 1 }),
    ...Object.values(MET_AGAIN).map(async (namespace) => {
      const ids = await listDurableObjectIds(namespace);
      await Promise.all(ids.map((id) => runInDurableObject(namespace.get(id), () => undefined)));
    }),
  ]);
  await reset();
}
