/** Pure: a routine may name only an environment that there is. */
import { DEFAULT_ENVIRONMENT } from "#protocol/environment.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";
import { nearestKey } from "../routine/nearest-key.ts";

/** So many environments are named where none is near. */
const NAMED = 20;

/** @param names of the environments that people have made. @returns null when the environment is there. */
export function unknownEnvironmentRefusal(name: string, names: readonly string[]): Refusal | null {
  const known = [DEFAULT_ENVIRONMENT, ...names.filter((one) => one !== DEFAULT_ENVIRONMENT)];
  if (known.includes(name)) return null;
  const nearest = nearestKey(name, known);
  const listed = known.slice(0, NAMED).join(", ");
  const remedy = nearest === null ? `known: ${listed}` : `did you mean "${nearest}"?`;
  const message = `there is no environment "${name}"; ${remedy}`;
  const issues = [{ field: "environment", message }];
  const hint = `POST /api/v1/environments makes one. Known: ${listed}.`;
  return refuse("invalid_request", { message: `environment: ${message}`, hint, field: "environment", issues }).refusal;
}
