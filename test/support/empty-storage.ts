/** Leaves nothing of the tests before: no object, table, body or alarm. */
import { reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { defaultPool } from "./objects.ts";

/**
 * Empties all storage. `reset` alone empties what is in memory: whatever has been idle for ten seconds, or was evicted by a
 * test, would keep what it has, also D1 and R2, which are the platform's own objects. So whatever is met again under its
 * old name is called first. A routine's object has a name that was drawn: nobody comes back to it.
 */
export async function emptyStorage(): Promise<void> {
  await Promise.all([
    env.DB.prepare("SELECT 1").run(),
    env.BODIES.list({ limit: 1 }),
    runInDurableObject(defaultPool(), () => undefined),
  ]);
  await reset();
}
