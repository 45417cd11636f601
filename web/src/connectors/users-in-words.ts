/** Pure: a refusal that names routines by their ids, with their names in place of those. */
import { asProblem, Problem } from "../problem.ts";
import { listed } from "../secrets/secret-words.ts";

/** @param routines those whose names are known; of others the id is told. */
export function withNames(error: unknown, routines: readonly { id: string; name: string }[]): Problem {
  const problem = asProblem(error);
  if (problem.code !== "connector_in_use") return problem;
  const names = problem.issues.map(({ field }) => routines.find(({ id }) => id === field)?.name ?? field);
  const { status, type, code } = problem;
  const message = `${listed(names, 10)} ${names.length === 1 ? "names" : "name"} it, so it can be neither renamed nor deleted.`;
  return new Problem({ status, type, code, message, hint: "Take it out of what names it first, in its editor." });
}
