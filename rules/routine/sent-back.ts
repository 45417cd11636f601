/**
 * A routine may be sent back as it was read. What it is only shown with is no change, as long as it is as it was. Pure.
 */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutinePatch, RoutineSentBack } from "#protocol/routine.ts";
import { type ShownRoutineKey, shownRoutineKeys } from "#protocol/shown-routine-keys.ts";

/** These follow from other things, and may have become others since the routine was read. */
const DERIVED: readonly ShownRoutineKey[] = ["warnings", "last_run", "next_fire_at", "gate_state"];

const REMEDIES: Partial<Record<ShownRoutineKey, string>> = {
  status: "POST …/pause and …/resume change it",
  paused_reason: 'POST …/pause takes {"reason"}',
  has_token: "POST …/token issues one",
  token_may_read: 'POST …/token takes {"may_read"}',
};

/** Whether the routine has to be read to tell what of this is a change. */
export function isSentBack(given: RoutineSentBack): boolean {
  return shownRoutineKeys.some((key) => given[key] !== undefined && !DERIVED.includes(key));
}

/**
 * @param given what was sent. @param now the routine as it is.
 * @returns what of it can be a change; refusal `revision_conflict` where it was read before another change, and
 *   `invalid_request`, with every key at fault, where it would set what a change can't.
 */
export function changesOf(given: RoutineSentBack, now: Routine): Result<RoutinePatch> {
  // Whoever sends an earlier revision back has not seen what came after it.
  if (Number.isInteger(given.revision) && given.revision !== now.revision) return refuse("revision_conflict");
  const issues = shownRoutineKeys.flatMap((key) => {
    if (given[key] === undefined || DERIVED.includes(key)) return [];
    const is = Object.entries(now).find(([name]) => name === key)?.[1];
    if (given[key] === is) return [];
    const remedy = REMEDIES[key] ?? "leave it out";
    return [{ field: key, message: `can't be set by a change, and is ${JSON.stringify(is)}: ${remedy}` }];
  });
  const [first] = issues;
  if (first !== undefined) {
    return refuse("invalid_request", { message: `${first.field}: ${first.message}`, field: first.field, issues });
  }
  const patch = withoutShown(given);
  // No other change may come between.
  return success(given.revision === undefined ? patch : { if_revision: now.revision, ...patch });
}

/** What of it is no key that a routine is only shown with. */
export function withoutShown(given: RoutineSentBack): RoutinePatch {
  const {
    id: _id,
    revision: _revision,
    status: _status,
    paused_reason: _reason,
    paused_by: _pausedBy,
    has_token: _token,
    token_may_read: _mayRead,
    created_at: _created,
    updated_at: _updated,
    warnings: _warnings,
    last_run: _run,
    next_fire_at: _next,
    gate_state: _gate,
    ...patch
  } = given;
  return patch;
}
