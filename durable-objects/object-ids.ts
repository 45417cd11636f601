/** The one place that makes an object's id, so that every object lives in the instance's jurisdiction. */

type Jurisdiction = "eu" | "fedramp" | null;

/** @param ownerKey the key inside every id of the routine, from `ownerKeyOf`. */
export function routineObject<Class extends Rpc.DurableObjectBranded>(
  env: { ROUTINE: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  ownerKey: string,
): DurableObjectStub<Class> {
  return objectNamed(env.ROUTINE, jurisdiction, ownerKey);
}

/** @param pool the pool's name, for instance `default`. */
export function poolObject<Class extends Rpc.DurableObjectBranded>(
  env: { POOL: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  pool: string,
): DurableObjectStub<Class> {
  return objectNamed(env.POOL, jurisdiction, pool);
}

/** The one object that counts what the instance lets in. */
export function gateObject<Class extends Rpc.DurableObjectBranded>(
  env: { GATE: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
): DurableObjectStub<Class> {
  return objectNamed(env.GATE, jurisdiction, "instance");
}

function objectNamed<Class extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<Class>,
  jurisdiction: Jurisdiction,
  name: string,
): DurableObjectStub<Class> {
  const there = jurisdiction === null ? namespace : namespace.jurisdiction(jurisdiction);
  return there.get(there.idFromName(name));
}
