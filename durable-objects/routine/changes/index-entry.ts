/** The routine as others see it: as the API shows it, and as D1 finds it. */
import type { RoutineEntry, Subscription } from "#instance/d1/routine-index.ts";
import type { Routine } from "#protocol/routine.ts";
import { timestamp } from "#protocol/time.ts";
import type { TriggerStatus, WebhookTrigger } from "#protocol/triggers.ts";
import { earliest } from "#rules/schedules/earliest.ts";
import { placeKey, repositoryPlace, subscriptionsOf } from "#rules/triggers/subscriptions.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { EndpointSecrets, EndpointState } from "../definition/endpoint-secrets.ts";
import type { RepositoryIds } from "../definition/repository-ids.ts";
import type { Schedules } from "../wakes/schedules.ts";
import type { WakeGate } from "../wakes/wake-gate.ts";
import type { Watches } from "../wakes/watches.ts";

export class IndexEntry {
  readonly #secrets: EndpointSecrets;
  readonly #repositoryIds: RepositoryIds;
  readonly #schedules: Schedules;
  readonly #watches: Watches;
  readonly #gate: WakeGate;

  constructor(parts: {
    secrets: EndpointSecrets;
    repositoryIds: RepositoryIds;
    schedules: Schedules;
    watches: Watches;
    gate: WakeGate;
  }) {
    const { secrets, repositoryIds, schedules, watches, gate } = parts;
    this.#gate = gate;
    this.#secrets = secrets;
    this.#repositoryIds = repositoryIds;
    this.#schedules = schedules;
    this.#watches = watches;
  }

  /** The routine as the API shows it. */
  view(row: RoutineRow, nowMs: number): Routine {
    const routine = this.#kept(row, nowMs);
    const triggers = routine.triggers.map((trigger) => {
      const look = trigger.type === "watch" ? this.#watches.state(trigger.id, row.status === "paused") : undefined;
      return look === undefined ? trigger : { ...trigger, look };
    });
    return { ...routine, triggers, gate_state: this.#gate.state(row) };
  }

  /** Without what changes with each look: the index is not told of those. */
  #kept(row: RoutineRow, nowMs: number): Routine {
    return routineView(row, (triggerId) => this.#secrets.state(triggerId, nowMs), this.#repositoryIds.all());
  }

  /** What D1 is to have of the routine. */
  of(row: RoutineRow, nowMs: number): RoutineEntry {
    return {
      routine: this.#kept(row, nowMs),
      version: row.version,
      subscriptions: this.#subscriptions(row),
      dueAt: earliest(this.#schedules.dueAt(row), this.#watches.heartbeatAt(nowMs), this.#gate.heartbeatAt(nowMs)),
    };
  }

  #subscriptions({ definition }: RoutineRow): Subscription[] {
    const ids = this.#repositoryIds.all();
    // By name too, so that an event under a name that another repository has taken over is found, and its occurrence says
    // why it was ignored.
    const repositories = definition.repositories.flatMap((repository) => {
      const place = repositoryPlace(repository);
      const id = ids.get(placeKey(place));
      return id === undefined ? [place.fullName] : [id, place.fullName];
    });
    return definition.triggers.flatMap((trigger) =>
      subscriptionsOf(trigger, repositories).map((key) => ({ triggerId: trigger.id, key })),
    );
  }
}

/**
 * A routine as the API shows it, but for what depends on the time and the address that it is read at: the worker adds it.
 * @param endpointOf the state of a webhook trigger's secrets. @param repositoryIds by place, as far as they are known.
 */
function routineView(
  row: RoutineRow,
  endpointOf: (triggerId: string) => EndpointState,
  repositoryIds: ReadonlyMap<string, number>,
): Routine {
  const known = Object.fromEntries([...repositoryIds].filter(([, id]) => id !== 0));
  return {
    ...row.definition,
    triggers: row.definition.triggers.map((trigger) => ({
      ...trigger,
      ...(trigger.type === "github" && Object.keys(known).length > 0 ? { repository_ids: known } : {}),
      status: "active",
      next_fire_times: [],
      endpoint: trigger.type === "webhook" ? endpointView(trigger, endpointOf(trigger.id)) : null,
    })),
    id: row.id,
    revision: row.revision,
    status: row.status === "paused" ? "paused" : "active",
    paused_reason: row.pausedReason,
    paused_by: row.status === "paused" ? (row.pausedBy ?? "person") : null,
    gate_state: null,
    has_token: row.tokenHash !== null,
    // Worked out whenever it is shown.
    warnings: [],
    token_may_read: row.tokenHash !== null && row.tokenMayRead,
    created_at: timestamp(row.createdAt),
    updated_at: timestamp(row.updatedAt),
  };
}

function endpointView(
  { id, source }: WebhookTrigger,
  { secret, handedOver }: EndpointState,
): TriggerStatus["endpoint"] {
  const until = secret?.previousUntilMs ?? null;
  return {
    url: `/webhooks/${source}/${id}`,
    has_secret: secret !== null,
    previous_secret_until: until === null ? null : timestamp(until),
    ...(handedOver === 0 ? {} : { secrets_handed_over: handedOver }),
  };
}
