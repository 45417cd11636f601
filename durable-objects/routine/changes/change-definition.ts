/** Changes of a routine's definition, with what depends on it: schedules, endpoints, and the keys by which events find it. */

import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { IdMaker } from "#protocol/ids.ts";
import type { RoutineDefinition, RoutineInput, RoutinePatch } from "#protocol/routine.ts";
import type { SessionMode } from "#protocol/session-key.ts";
import type { Trigger } from "#protocol/triggers.ts";
import { sessionKeyRefusal } from "#rules/routine/session-key.ts";
import { prepareTriggers } from "#rules/triggers/prepare-triggers.ts";
import { placeKey, repositoryPlace } from "#rules/triggers/subscriptions.ts";
import { isSameGate } from "#rules/wake-gate/gate-in-force.ts";
import { gateRefusal } from "#rules/wake-gate/gate-refusal.ts";
import { watchRefusal } from "#rules/watch/watch-refusal.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { EndpointSecrets } from "../definition/endpoint-secrets.ts";
import type { RepositoryIds } from "../definition/repository-ids.ts";
import type { Budgets } from "../runs/budgets.ts";
import type { RoutineHealth } from "../runs/health.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { SharedBudgets } from "../runs/shared-budgets.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { GatedWakes } from "../wakes/gated-wakes.ts";
import type { Schedules } from "../wakes/schedules.ts";
import type { Watches } from "../wakes/watches.ts";
import type { Tx } from "../work.ts";

/** Why a new routine is refused, before anything is stored; null when nothing is wrong. */
export function definitionFault(input: RoutineInput, nowMs: number): Extract<Result<never>, { ok: false }> | null {
  const triggers = prepareTriggers(input.triggers, [], () => "", nowMs);
  if (!triggers.ok) return triggers;
  const { repositories, connectors, session, session_key = null, gate = null } = input;
  return (
    unheardFault(triggers.value, repositories) ??
    unconnectedFault(triggers.value, connectors, gate) ??
    keyFault(session, session_key)
  );
}

function keyFault(session: SessionMode, session_key: string | null) {
  const refusal = sessionKeyRefusal({ session, session_key });
  return refusal === null ? null : ({ ok: false, refusal } as const);
}

/** GitHub tells of repositories: without one its trigger would wait for ever. */
function unheardFault(triggers: readonly Trigger[], repositories: readonly unknown[]) {
  const place = triggers.findIndex(({ type }) => type === "github");
  if (place === -1 || repositories.length > 0) return null;
  const field = `triggers[${place}]`;
  const message = "waits for a repository's events: name one under repositories";
  return refuse("invalid_request", { message: `${field}: ${message}`, field, issues: [{ field, message }] });
}

function unconnectedFault(
  triggers: readonly Trigger[],
  connectors: RoutineInput["connectors"],
  gate: RoutineDefinition["gate"],
) {
  const refusal = watchRefusal(triggers, connectors) ?? gateRefusal(gate, connectors);
  return refusal === null ? null : ({ ok: false, refusal } as const);
}

interface Parts {
  ids: IdMaker;
  definitions: DefinitionStore;
  schedules: Schedules;
  watches: Watches;
  secrets: EndpointSecrets;
  repositoryIds: RepositoryIds;
  engine: RunEngine;
  health: RoutineHealth;
  budgets: Budgets;
  sessionKeys: SessionKeys;
  shared: SharedBudgets;
  gated: GatedWakes;
}

export class DefinitionChanges {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  create(tx: Tx, { id, input, actor }: { id: string; input: RoutineInput; actor: Actor }): Result<RoutineRow> {
    const triggers = prepareTriggers(input.triggers, [], () => this.#makeId(tx), tx.nowMs);
    if (!triggers.ok) return triggers;
    this.#parts.health.watchAnew(tx);
    return success(this.#adopted(tx, this.#parts.definitions.create(tx, id, input, triggers.value, actor)));
  }

  /** Makes a new revision. */
  change(tx: Tx, order: { routine: RoutineRow; patch: RoutinePatch; actor: Actor }): Result<RoutineRow> {
    const { routine, patch, actor } = order;
    const { definitions, schedules, engine, health, budgets, shared } = this.#parts;
    const { if_revision, triggers: inputs } = patch;
    if (if_revision !== undefined && if_revision !== routine.revision) {
      return refuse("revision_conflict", { field: "if_revision" });
    }
    const before = routine.definition.triggers;
    const prepared = inputs === undefined ? null : prepareTriggers(inputs, before, () => this.#makeId(tx), tx.nowMs);
    if (prepared?.ok === false) return prepared;
    const triggers = prepared?.value ?? before;
    const unheard = unheardFault(triggers, patch.repositories ?? routine.definition.repositories);
    if (unheard !== null) return unheard;
    const { connectors = routine.definition.connectors, gate = routine.definition.gate } = patch;
    const unconnected = unconnectedFault(triggers, connectors, gate);
    if (unconnected !== null) return unconnected;
    const { session = routine.definition.session, session_key = routine.definition.session_key } = patch;
    const badKey = keyFault(session, session_key);
    if (badKey !== null) return badKey;
    const isOtherKey = session !== routine.definition.session || session_key !== routine.definition.session_key;
    if (isOtherKey) this.#parts.sessionKeys.forget(tx);
    // What was due under the old definition is claimed under it.
    schedules.claimBeforeChange(tx, routine, triggers);
    const row = this.#adopted(tx, definitions.change(tx, routine, patch, prepared?.value ?? null, actor));
    if (inputs !== undefined || patch.limits !== undefined) health.watchAnew(tx);
    if (patch.limits !== undefined || patch.tags !== undefined) budgets.goOn(tx);
    shared.tagsChanged(tx, row.id, routine.definition.tags, row.definition.tags);
    // Another change uses up none of its tries.
    if (!isSameGate(routine.definition.gate, row.definition.gate)) this.#parts.gated.askAnew(tx, row.id);
    engine.promote(tx);
    return success(row);
  }

  /** Pauses or resumes: what has come due before is decided by what the routine was until then. */
  changeStatus(
    tx: Tx,
    routine: RoutineRow,
    change: Pick<RoutineRow, "status" | "pausedReason" | "pausedBy">,
  ): Result<RoutineRow> {
    this.#parts.schedules.claimBeforeChange(tx, routine, routine.definition.triggers);
    if (change.status === "active") {
      this.#parts.health.watchAnew(tx);
      this.#parts.watches.lookSoon(tx);
    }
    this.#parts.gated.askSoon(tx, routine.id);
    return success(this.#parts.definitions.update(tx, routine, change));
  }

  #makeId(tx: Tx): string {
    return this.#parts.ids.make("trigger", tx.nowMs);
  }

  #adopted(tx: Tx, row: RoutineRow): RoutineRow {
    const { schedules, watches, secrets, repositoryIds } = this.#parts;
    const { triggers, repositories } = row.definition;
    const webhooks = triggers.filter(({ type }) => type === "webhook");
    schedules.takeIn(tx, row);
    watches.takeIn(tx, row);
    secrets.retain(
      tx,
      webhooks.map(({ id }) => id),
    );
    repositoryIds.retain(
      tx,
      repositories.map((repository) => placeKey(repositoryPlace(repository))),
    );
    return row;
  }
}
