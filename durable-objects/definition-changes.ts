/** Changes of a routine's definition, with all that hangs on it: its schedules, endpoints, and what it is found by. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import { repositoryPlace, subscriptionsOf } from "#protocol/subscriptions.ts";
import { type RoutineRow, routineView } from "./definition-store.ts";
import type { RoutineProjection, Subscription } from "./projection/writes.ts";
import type { RoutineParts } from "./routine-parts.ts";
import { prepareTriggers } from "./triggers/prepare-triggers.ts";

/** Creates the routine. Call it inside a transaction. */
export function createDefinition(
  parts: RoutineParts,
  { id, input, actor }: { id: string; input: RoutineInput; actor: string },
  nowMs: number,
): Result<RoutineRow> {
  const triggers = prepareTriggers(input.triggers, [], () => parts.ids.make("trigger", nowMs), nowMs);
  if (!triggers.ok) return triggers;
  return success(adopted(parts, parts.definitions.create(id, input, triggers.value, actor, nowMs), nowMs));
}

/** Makes a new revision. Call it inside a transaction. */
export function changeDefinition(
  parts: RoutineParts,
  { routine, patch, actor }: { routine: RoutineRow; patch: RoutinePatch; actor: string },
  nowMs: number,
): Result<RoutineRow> {
  const { if_revision, triggers: inputs } = patch;
  if (if_revision !== undefined && if_revision !== routine.revision) {
    return refuse("revision_conflict", { field: "if_revision" });
  }
  const makeId = () => parts.ids.make("trigger", nowMs);
  const before = routine.definition.triggers;
  const triggers = inputs === undefined ? null : prepareTriggers(inputs, before, makeId, nowMs);
  if (triggers?.ok === false) return triggers;
  // What was due under the old definition is claimed under it.
  parts.clock.conclude(routine, triggers?.value ?? before, nowMs);
  const row = adopted(parts, parts.definitions.change(routine, patch, triggers?.value ?? null, actor, nowMs), nowMs);
  parts.engine.promote(nowMs);
  return success(row);
}

/** The routine as the API shows it. */
export function viewOf({ endpoints }: RoutineParts, row: RoutineRow, nowMs: number): Routine {
  return routineView(row, (triggerId) => endpoints.state(triggerId, nowMs));
}

/** What D1 is to have of the routine. */
export function projectionOf(parts: RoutineParts, row: RoutineRow, nowMs: number): RoutineProjection {
  return {
    routine: viewOf(parts, row, nowMs),
    version: row.version,
    subscriptions: subscriptions(parts, row),
    dueAt: parts.clock.dueAt(row),
  };
}

function subscriptions({ repositoryIds }: RoutineParts, { definition }: RoutineRow): Subscription[] {
  const ids = repositoryIds.all();
  const repositories = definition.repositories.map((repository) => {
    const { fullName } = repositoryPlace(repository);
    return ids.get(fullName) ?? fullName;
  });
  return definition.triggers.flatMap((trigger) =>
    subscriptionsOf(trigger, repositories).map((key) => ({ triggerId: trigger.id, key })),
  );
}

function adopted(parts: RoutineParts, row: RoutineRow, nowMs: number): RoutineRow {
  const { triggers, repositories } = row.definition;
  parts.clock.adopt(row, nowMs);
  parts.endpoints.retain(triggers.map(({ id }) => id));
  parts.repositoryIds.retain(repositories.map((repository) => repositoryPlace(repository).fullName));
  return row;
}
