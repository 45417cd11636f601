/** The objects behind an id, for tests in workerd that evict them or look inside. */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { poolObject, routineObject } from "#durable-objects/object-ids.ts";
import { ownerKeyOf } from "#protocol/ids.ts";

export function ownerOf(id: string) {
  return routineObject(env, null, ownerKeyOf(id) ?? "");
}

export function defaultPool() {
  return poolObject(env, null, "default");
}

/** Takes an object out of memory: storage and hibernating sockets stay. */
export async function evictOwnerOf(id: string): Promise<void> {
  // Only an object that is in memory can be taken out of it.
  await ownerOf(id).read();
  await evictDurableObject(ownerOf(id));
}
