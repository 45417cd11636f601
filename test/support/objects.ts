/** The objects behind an id, for tests in workerd that evict them or look inside. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { poolObject, routineObject } from "#instance/objects.ts";
import { ownerKeyOf } from "#protocol/ids.ts";

/** The object itself, whether or not it owns the id. */
export function ownerOf(id: string) {
  return env.ROUTINE.get(env.ROUTINE.idFromName(ownerKeyOf(id) ?? ""));
}

/** The object as the worker asks it. */
export function asking(id: string) {
  return routineObject(env, null, id);
}

export function defaultPool() {
  return poolObject(env, null, "default");
}

/** Takes an object out of memory: storage and hibernating sockets stay. */
export async function evictOwnerOf(id: string): Promise<void> {
  // Only an object that is in memory can be taken out of it.
  await asking(id).read();
  await evictDurableObject(ownerOf(id));
}
