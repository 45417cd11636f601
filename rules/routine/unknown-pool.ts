/** Pure: a routine may name only a pool that there is. */
import { type Refusal, refuse } from "#protocol/errors.ts";
import { DEFAULT_POOL, poolOf, type RunsOn } from "#protocol/pool.ts";
import { nearestKey } from "./nearest-key.ts";

/** So many pools are named where none is near. */
const NAMED = 20;

/** @param names of the pools that people have made. @returns null when the pool is there. */
export function unknownPoolRefusal(runsOn: RunsOn, names: readonly string[]): Refusal | null {
  const name = poolOf(runsOn);
  if (name === DEFAULT_POOL || names.includes(name)) return null;
  const known = [DEFAULT_POOL, ...names.map((one) => `pool:${one}`)];
  const nearest = nearestKey(name, names);
  const remedy = nearest === null ? `known: ${known.slice(0, NAMED).join(", ")}` : `did you mean "pool:${nearest}"?`;
  const message = `there is no pool "${name}"; ${remedy}`;
  const issues = [{ field: "runs_on", message }];
  const hint = `POST /api/v1/pools makes a pool. Known: ${known.slice(0, NAMED).join(", ")}.`;
  return refuse("invalid_request", { message: `runs_on: ${message}`, hint, field: "runs_on", issues }).refusal;
}
