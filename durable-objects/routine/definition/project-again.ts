/** Everything that D1 has of a routine, made again: for when D1 was lost, or set back to an earlier day. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Open } from "../opening.ts";

/**
 * Writes the routine's entry, and owes all of its runs. Repeated, it changes nothing.
 * @returns how many runs are owed; `index_behind` when D1 does not take the entry in: it is owed as well.
 */
export async function projectAgain(open: Result<Open>): Promise<Result<{ runs: number }>> {
  if (!open.ok) return open;
  const { life, parts, routine } = open.value;
  const { outbox } = parts;
  life.work.change((tx) => outbox.owe(tx, "project_routine", routine.id));
  // First the entry: runs of a routine that D1 does not have are not taken in.
  if (!(await life.isProjected(routine.id))) return refuse("index_behind");
  const runs = life.work.change((tx) => outbox.oweRuns(tx));
  life.owed.drain();
  return success({ runs });
}
