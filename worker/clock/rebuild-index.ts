/**
 * One step of making the index in D1 again. First what D1 has is compared: routines that have been deleted are taken out, and
 * those that the roster does not know are entered there. Then, by the roster, each routine's object writes itself and its runs.
 */
import type { RoutineIndex } from "#instance/d1/routine-index.ts";
import type { Result } from "#protocol/errors.ts";
import type { RebuildStep } from "#protocol/index-rebuild.ts";
import type { RosterStub } from "../parties/parties.ts";
import { askRoutines } from "./ask-routines.ts";

/** So many objects are asked in a step, side by side. */
const ROUTINES_AT_ONCE = 20;

export interface RebuildParts {
  index: Pick<RoutineIndex, "ids" | "forget">;
  roster(): Pick<RosterStub, "enter" | "remove" | "page">;
  ownerOf(id: string): { read(): Promise<Result<unknown>>; writeIndexAgain(): Promise<Result<{ runs: number }>> };
}

/** @param cursor where the step before has ended; null for the first. Repeated, a step changes nothing. */
export function rebuildStep(parts: RebuildParts, cursor: string | null, nowMs: number): Promise<RebuildStep> {
  const [phase, after = ""] = (cursor ?? "index:").split(":");
  return phase === "index" ? lookAtEntries(parts, after, nowMs) : writeAll(parts, after);
}

async function lookAtEntries(
  { index, roster, ownerOf }: RebuildParts,
  after: string,
  nowMs: number,
): Promise<RebuildStep> {
  const ids = await index.ids(after, ROUTINES_AT_ONCE);
  const { answers, failed } = await askRoutines(ids, "index_not_rebuilt", (id) => ownerOf(id).read());
  const alive = answers.filter(({ answer }) => answer.ok).map(({ id }) => id);
  const gone = answers.filter(({ answer }) => !answer.ok && answer.refusal.code === "not_found").map(({ id }) => id);
  await roster().enter(alive);
  await roster().remove(gone);
  for (const id of gone) await index.forget(id, nowMs);
  const unanswered = failed.filter(({ routine_id }) => !gone.includes(routine_id));
  const next_cursor = ids.length < ROUTINES_AT_ONCE ? "roster:" : `index:${ids.at(-1)}`;
  return { routines: 0, runs: 0, forgotten: gone.length, failed: unanswered, next_cursor };
}

async function writeAll({ roster, ownerOf }: RebuildParts, after: string): Promise<RebuildStep> {
  const { ids, next } = await roster().page(after, ROUTINES_AT_ONCE);
  const { answers, failed } = await askRoutines(ids, "index_not_rebuilt", (id) => ownerOf(id).writeIndexAgain());
  const gone = answers.filter(({ answer }) => !answer.ok && answer.refusal.code === "not_found").map(({ id }) => id);
  // These have been deleted, and the roster has not been told yet.
  await roster().remove(gone);
  const runs = answers.map(({ answer }) => (answer.ok ? answer.value.runs : 0));
  return {
    routines: answers.filter(({ answer }) => answer.ok).length,
    runs: runs.reduce((sum, count) => sum + count, 0),
    forgotten: 0,
    failed: failed.filter(({ routine_id }) => !gone.includes(routine_id)),
    next_cursor: next === null ? null : `roster:${next}`,
  };
}
