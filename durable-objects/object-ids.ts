/** The one place that makes an object's id, so that every object lives in the instance's jurisdiction. */
import type { Env } from "./environment.ts";

type Jurisdiction = "eu" | "fedramp" | null;

function inJurisdiction<Class extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<Class>,
  jurisdiction: Jurisdiction,
): DurableObjectNamespace<Class> {
  return jurisdiction === null ? namespace : namespace.jurisdiction(jurisdiction);
}

/** @param ownerKey the key inside every id of the routine, from `ownerKeyOf`. */
export function routineObject(env: Env, jurisdiction: Jurisdiction, ownerKey: string) {
  const namespace = inJurisdiction(env.ROUTINE, jurisdiction);
  return namespace.get(namespace.idFromName(ownerKey));
}

/** @param pool the pool's name, for instance `default`. */
export function poolObject(env: Env, jurisdiction: Jurisdiction, pool: string) {
  const namespace = inJurisdiction(env.POOL, jurisdiction);
  return namespace.get(namespace.idFromName(pool));
}
