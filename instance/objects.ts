/** The one place that makes an object's id, so that every object but the roster lives in the instance's jurisdiction. */

import type { OwnedId } from "#protocol/ids.ts";
import { ownerKeyOf } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";

/** Null for none. In another jurisdiction the same name leads to another object: see `RosterObject.jurisdiction`. */
export type Jurisdiction = DurableObjectJurisdiction | null;

/** An object as it is asked in the name of one id: its methods whose first parameter is the id, without that parameter. */
export type InNameOf<Class> = {
  [Method in keyof Class as Class[Method] extends (id: infer Id, ...rest: never[]) => unknown
    ? Id extends OwnedId
      ? Method
      : never
    : never]: Class[Method] extends (id: OwnedId, ...rest: infer Rest) => infer Answer
    ? (...rest: Rest) => Promise<Awaited<Answer>>
    : never;
} & Pick<Fetcher, "fetch">;

/**
 * A routine's object, asked in the name of an id. The object compares the whole id with what it owns, and answers
 * `not_found` where it owns no such thing. There is no way to ask it without an id.
 * @param id of any kind. @throws RangeError on a text that is no id.
 */
export function routineObject<Class extends Rpc.DurableObjectBranded>(
  env: { ROUTINE: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  id: string,
): InNameOf<Class> {
  const ownerKey = ownerKeyOf(id);
  if (ownerKey === null) throw new RangeError("not an id");
  return inNameOf(objectNamed(env.ROUTINE, jurisdiction, ownerKey), id);
}

/** @param pool the pool's name, for instance `default`. */
export function poolObject<Class extends Rpc.DurableObjectBranded>(
  env: { POOL: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  pool: string,
): DurableObjectStub<Class> {
  return objectNamed(env.POOL, jurisdiction, pool);
}

/** The object of an attempt's container: one for each attempt, so that an attempt has one container at most. */
export function sandboxObject<Class extends Rpc.DurableObjectBranded>(
  env: { SANDBOX: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  lease: LeaseRef,
): DurableObjectStub<Class> {
  return objectNamed(env.SANDBOX, jurisdiction, `${lease.run_id}.${lease.generation}`);
}

const WARM_NAME = /^warm-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A name for the object of a container that waits for a lease, never given before. */
export function newWarmName(): string {
  return `warm-${crypto.randomUUID()}`;
}

export function isWarmName(name: string): boolean {
  return WARM_NAME.test(name);
}

/** The object of a container that was started before there was a lease. @param name as `newWarmName` gives it. */
export function warmObject<Class extends Rpc.DurableObjectBranded>(
  env: { SANDBOX: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  name: string,
): DurableObjectStub<Class> {
  return objectNamed(env.SANDBOX, jurisdiction, name);
}

/** The object of the container in which a runner works on a lease. @param runnerId as the runner calls itself. */
export function containerObject<Class extends Rpc.DurableObjectBranded>(
  env: { SANDBOX: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
  lease: LeaseRef,
  runnerId: string,
): DurableObjectStub<Class> {
  return isWarmName(runnerId) ? warmObject(env, jurisdiction, runnerId) : sandboxObject(env, jurisdiction, lease);
}

/** The one object that counts what the instance lets in. */
export function gateObject<Class extends Rpc.DurableObjectBranded>(
  env: { GATE: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
): DurableObjectStub<Class> {
  return objectNamed(env.GATE, jurisdiction, "instance");
}

/** The one object that keeps the budgets which several routines share. */
export function budgetObject<Class extends Rpc.DurableObjectBranded>(
  env: { BUDGET: DurableObjectNamespace<Class> },
  jurisdiction: Jurisdiction,
): DurableObjectStub<Class> {
  return objectNamed(env.BUDGET, jurisdiction, "instance");
}

/** The one object that knows which routines there are, and in which jurisdiction: it is asked before that is known. */
export function rosterObject<Class extends Rpc.DurableObjectBranded>(env: {
  ROSTER: DurableObjectNamespace<Class>;
}): DurableObjectStub<Class> {
  return objectNamed(env.ROSTER, null, "instance");
}

function objectNamed<Class extends Rpc.DurableObjectBranded>(
  namespace: DurableObjectNamespace<Class>,
  jurisdiction: Jurisdiction,
  name: string,
): DurableObjectStub<Class> {
  const there = jurisdiction === null ? namespace : namespace.jurisdiction(jurisdiction);
  return there.get(there.idFromName(name));
}

/** Puts the id before the arguments of each call. */
function inNameOf<Class extends Rpc.DurableObjectBranded>(stub: DurableObjectStub<Class>, id: string): InNameOf<Class> {
  const asked: object = new Proxy(stub, {
    get: (_stub, name) => {
      // A stub has a method of any name: without this, `await` would take it for a promise.
      if (name === "then") return undefined;
      const method: unknown = Reflect.get(stub, name);
      if (typeof method !== "function") return method;
      return (...rest: unknown[]) => Reflect.apply(method, stub, name === "fetch" ? rest : [id, ...rest]);
    },
  });
  return asked as InNameOf<Class>;
}
