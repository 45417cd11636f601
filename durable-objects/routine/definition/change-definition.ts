/** Changes of a routine's definition, with all that hangs on it: its schedules, endpoints, and what it is found by. */

import type { RoutineProjection, Subscription } from "#instance/d1/routine-index.ts";
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";
import { placeKey, repositoryPlace, subscriptionsOf } from "#rules/triggers/subscriptions.ts";
import type { RoutineParts } from "../assemble.ts";
import type { Tx } from "../work.ts";
import { type RoutineRow, routineView } from "./definition-store.ts";

/** What a new routine is refused for, before anything is stored; null when nothing is wrong. */
export function definitionFault(input: RoutineInput, nowMs: number): Extract<Result<never>, { ok: false }> | null {
  const triggers = prepareTriggers(input.triggers, [], () => "", nowMs);
  return triggers.ok ? unheardFault(triggers.value, input.repositories) : triggers;
}

/** GitHub tells of repositories: without one its trigger would wait for ever. */
function unheardFault(triggers: readonly Trigger[], repositories: readonly unknown[]) {
  const place = triggers.findIndex(({ type }) => type === "github");
  if (place === -1 || repositories.length > 0) return null;
  const field = `triggers[${place}]`;
  const message = "waits for a repository's events: name one under repositories";
  return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] });
}

/** Creates the routine. */
export function createDefinition(
  tx: Tx,
  parts: RoutineParts,
  { id, input, actor }: { id: string; input: RoutineInput; actor: Actor },
): Result<RoutineRow> {
  const { nowMs } = tx;
  const triggers = prepareTriggers(input.triggers, [], () => parts.ids.make("trigger", nowMs), nowMs);
  if (!triggers.ok) return triggers;
  return success(adopted(tx, parts, parts.definitions.create(tx, id, input, triggers.value, actor)));
}

/** Makes a new revision. */
export function changeDefinition(
  tx: Tx,
  parts: RoutineParts,
  { routine, patch, actor }: { routine: RoutineRow; patch: RoutinePatch; actor: Actor },
): Result<RoutineRow> {
  const { nowMs } = tx;
  const { if_revision, triggers: inputs } = patch;
  if (if_revision !== undefined && if_revision !== routine.revision) {
    return refuse("revision_conflict", { field: "if_revision" });
  }
  const makeId = () => parts.ids.make("trigger", nowMs);
  const before = routine.definition.triggers;
  const triggers = inputs === undefined ? null : prepareTriggers(inputs, before, makeId, nowMs);
  if (triggers?.ok === false) return triggers;
  const unheard = unheardFault(triggers?.value ?? before, patch.repositories ?? routine.definition.repositories);
  if (unheard !== null) return unheard;
  // What was due under the old definition is claimed under it.
  parts.clock.claimBeforeChange(tx, routine, triggers?.value ?? before);
  const row = adopted(tx, parts, parts.definitions.change(tx, routine, patch, triggers?.value ?? null, actor));
  parts.engine.promote(tx);
  return success(row);
}

/** The routine as the API shows it. */
export function viewOf({ endpoints, repositoryIds }: RoutineParts, row: RoutineRow, nowMs: number): Routine {
  return routineView(row, (triggerId) => endpoints.state(triggerId, nowMs), repositoryIds.all());
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
  // By name too: what comes under a name that another repository has taken over is told of, not passed over in silence.
  const repositories = definition.repositories.flatMap((repository) => {
    const place = repositoryPlace(repository);
    const id = ids.get(placeKey(place));
    return id === undefined ? [place.fullName] : [id, place.fullName];
  });
  return definition.triggers.flatMap((trigger) =>
    subscriptionsOf(trigger, repositories).map((key) => ({ triggerId: trigger.id, key })),
  );
}

function adopted(tx: Tx, parts: RoutineParts, row: RoutineRow): RoutineRow {
  const { triggers, repositories } = row.definition;
  parts.clock.takeIn(tx, row);
  parts.endpoints.retain(
    tx,
    triggers.filter(({ type }) => type === "webhook").map(({ id }) => id),
  );
  parts.repositoryIds.retain(
    tx,
    repositories.map((repository) => placeKey(repositoryPlace(repository))),
  );
  return row;
}
