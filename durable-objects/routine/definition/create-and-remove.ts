/** How a routine comes to be in its object, how it changes, and how it goes: none of it is done before D1 knows. */
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutineInput } from "#protocol/routine.ts";
import type { RoutineLife } from "../routine-life.ts";
import type { Tx } from "../work.ts";
import { createDefinition, viewOf } from "./change-definition.ts";
import type { RoutineRow } from "./definition-store.ts";

/** What is told once, and lost if it is not, waits for D1 no longer than this: it is in force where the routine lives. */
const TOLD_WITHIN_MS = 2_000;

/** What the one who asked has to know when D1 has not taken a write in: what of it has taken effect. */
const BEHIND = {
  create: { message: "The routine was not created: the index did not take it in." },
  change: {
    message: "The change is made, and the routine shows it. The index has not taken it in yet.",
    hint: "Do not repeat it. Lists, and what events are matched by, follow by themselves.",
  },
  remove: {
    message: "The routine is deleted, and fires no more. The index has not taken that in yet.",
    hint: "Do not repeat it. Lists follow by themselves.",
  },
} as const;

export async function createRoutine(
  life: RoutineLife,
  order: { id: string; input: RoutineInput; actor: Actor },
): Promise<Result<Routine>> {
  const { parts } = life;
  const { definitions, outbox } = parts;
  const { id } = order;
  if (definitions.row() !== null) return refuse("revision_conflict", { message: "This id is taken." });
  const made = life.work.change((tx) => {
    const created = createDefinition(tx, parts, order);
    if (!created.ok) return created;
    outbox.owe(tx, "project_routine", id);
    // Nothing waits for it: what is owed here outlives D1 as the roster does.
    outbox.owe(tx, "enter_roster", id);
    return created;
  });
  if (!made.ok) return made;
  if (await life.isIndexed(made.value.version)) return success(viewOf(parts, made.value, Date.now()));
  // Not accepted, so it must not turn up later, even if the index has taken it and only its answer was lost.
  life.work.change((tx) => {
    definitions.update(tx, made.value, { status: "deleted" });
    outbox.owe(tx, "forget_routine", id);
    outbox.owe(tx, "leave_roster", id);
  });
  return refuse("index_behind", BEHIND.create);
}

export async function removeRoutine(life: RoutineLife, routine: RoutineRow): Promise<Result<null>> {
  const { parts } = life;
  life.work.change((tx) => {
    parts.definitions.update(tx, routine, { status: "deleted", tokenHash: null });
    parts.outbox.owe(tx, "forget_routine", routine.id);
    parts.outbox.owe(tx, "leave_roster", routine.id);
    for (const runId of parts.runs.queue.unsettled()) {
      parts.engine.feed(tx, runId, { type: "cancel_requested", reason: "routine_deleted" });
    }
  });
  life.closeViewers("the routine has been deleted");
  return (await life.isForgotten(routine.id)) ? success(null) : refuse("index_behind", BEHIND.remove);
}

/** Changes the routine's own row. It waits for its own write to D1 alone: another's may be under way, before or after it. */
export async function changeRow(
  life: RoutineLife,
  routine: RoutineRow,
  change: (tx: Tx) => Result<RoutineRow>,
): Promise<Result<Routine>> {
  const { parts } = life;
  const changed = life.work.change((tx) => {
    const result = change(tx);
    if (result.ok) parts.outbox.owe(tx, "project_routine", routine.id);
    return result;
  });
  if (!changed.ok) return changed;
  return (await life.isIndexed(changed.value.version))
    ? success(viewOf(parts, changed.value, Date.now()))
    : refuse("index_behind", BEHIND.change);
}

/**
 * Puts something in force that is told once: a token, a secret. It is told also where D1 can't be, for it is in force, and
 * what it replaces is not: one that nobody was told would shut everybody out.
 * @param change gives the routine's changed row, and what is to be told.
 */
export async function changeAndTell<Value>(
  life: RoutineLife,
  change: (tx: Tx, routine: RoutineRow) => Result<{ row: RoutineRow; told: Value }>,
): Promise<Result<Value>> {
  const { definitions, outbox } = life.parts;
  const changed = life.work.change((tx): Result<{ row: RoutineRow; told: Value }> => {
    const routine = definitions.row();
    if (routine === null || routine.status === "deleted") return refuse("not_found");
    const result = change(tx, routine);
    if (result.ok) outbox.owe(tx, "project_routine", routine.id);
    return result;
  });
  if (!changed.ok) return changed;
  await life.isIndexed(changed.value.row.version, TOLD_WITHIN_MS);
  return success(changed.value.told);
}
