/** How a routine comes to be in its object, how it changes, and how it goes: none of it is done before D1 knows. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutineInput } from "#protocol/routine.ts";
import { createDefinition, viewOf } from "./definition-changes.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { RoutineLife } from "./routine-life.ts";

export async function createRoutine(
  life: RoutineLife,
  order: { id: string; input: RoutineInput; actor: string },
): Promise<Result<Routine>> {
  const { parts } = life;
  const { definitions, outbox } = parts;
  const { id } = order;
  if (definitions.row() !== null) return refuse("revision_conflict", { message: "This id is taken." });
  const made = life.change((nowMs) => {
    const created = createDefinition(parts, order, nowMs);
    if (created.ok) outbox.owe("project_routine", id, nowMs);
    return created;
  });
  if (!made.ok) return made;
  if (await isIndexed(life, id)) return success(viewOf(parts, made.value, Date.now()));
  // Not accepted, so it must not turn up later, even if the index has taken it and only its answer was lost.
  life.change((nowMs) => {
    definitions.update(made.value, { status: "deleted" }, nowMs);
    outbox.owe("forget_routine", id, nowMs);
  });
  return refuse("index_behind");
}

export async function removeRoutine(life: RoutineLife, routine: RoutineRow): Promise<Result<null>> {
  const { parts } = life;
  life.change((nowMs) => {
    parts.definitions.update(routine, { status: "deleted", tokenHash: null }, nowMs);
    parts.outbox.owe("forget_routine", routine.id, nowMs);
    for (const runId of parts.runs.unsettled()) {
      parts.engine.happen(runId, { type: "cancel_requested", reason: "routine_deleted" }, nowMs);
    }
  });
  life.closeViewers("the routine has been deleted");
  await life.settled();
  return parts.outbox.has("forget_routine", routine.id) ? refuse("index_behind") : success(null);
}

/** Changes the routine's own row. */
export async function changeRow(
  life: RoutineLife,
  routine: RoutineRow,
  work: (nowMs: number) => Result<RoutineRow>,
): Promise<Result<Routine>> {
  const { parts } = life;
  const changed = life.change((nowMs) => {
    const result = work(nowMs);
    if (result.ok) parts.outbox.owe("project_routine", routine.id, nowMs);
    return result;
  });
  if (!changed.ok) return changed;
  return (await isIndexed(life, routine.id))
    ? success(viewOf(parts, changed.value, Date.now()))
    : refuse("index_behind");
}

/** Whether D1 has the routine as it is. */
async function isIndexed(life: RoutineLife, routineId: string): Promise<boolean> {
  await life.settled();
  return !life.parts.outbox.has("project_routine", routineId);
}
