/** Creates a routine: once for each key, where the caller has sent one. */
import { hashSecret } from "#instance/secrets.ts";
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse } from "#protocol/errors.ts";
import { drawOwnerKey, IdMaker } from "#protocol/ids.ts";
import type { Routine, RoutineInput } from "#protocol/routine.ts";
import type { Deps } from "../deps.ts";

type CreateDeps = Pick<Deps, "ownerOf" | "madeByKey" | "knownRoutines">;

/** How often a key is given to another routine, because the one that it had is gone, or never came to be. */
const TRIES = 3;

/** @param key null for a routine of its own each time. */
export async function createRoutine(
  { ownerOf, madeByKey, knownRoutines }: CreateDeps,
  input: RoutineInput,
  actor: Actor,
  key: string | null,
): Promise<Result<Routine>> {
  const create = async (id: string) => {
    const created: Result<Routine> = await ownerOf(id).create(input, actor);
    if (created.ok) knownRoutines.add(id);
    return created;
  };
  if (key === null) return await create(drawRoutineId());
  const hash = await hashSecret(`POST /api/v1/routines ${key}`);
  const asked = { hash, fingerprint: await hashSecret(JSON.stringify(input)), id: drawRoutineId() };
  let id = await madeByKey.take(asked, Date.now());
  for (let tries = 1; id !== null; tries += 1) {
    const created = await create(id);
    const isGone = !created.ok && created.refusal.code === "not_found";
    if (!isGone || tries === TRIES) return created;
    id = await madeByKey.renew({ hash, before: id, id: drawRoutineId() }, Date.now());
  }
  return refuse("idempotency_key_reused", { field: "Idempotency-Key" });
}

function drawRoutineId(): string {
  const random = (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes);
  return new IdMaker(drawOwnerKey(random), random).make("routine", Date.now());
}
