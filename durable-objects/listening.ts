/** How a routine's object takes in events, and what it tells of a webhook's endpoint. */
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { IncomingEvent } from "#protocol/incoming-event.ts";
import { timestamp } from "#protocol/time.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { EndpointAnswer, SecretAnswer } from "./peers.ts";
import { changeAndTell } from "./routine-birth.ts";
import type { RoutineLife } from "./routine-life.ts";
import type { RoutineParts } from "./routine-parts.ts";
import { makeSecret } from "./secrets.ts";

/** Each event in a transaction of its own: one that can't be taken in holds up no other. */
export function offerEvent(life: RoutineLife, parts: RoutineParts, event: IncomingEvent): DeliveryOutcome[] {
  return life.change((nowMs) => {
    const routine = parts.definitions.row();
    if (routine === null) return [];
    const outcomes = parts.firing.offer(routine, event, nowMs);
    // From here on the routine is found by the repository's number.
    if (parts.repositoryIds.takeNew()) {
      parts.definitions.update(routine, {}, nowMs);
      parts.outbox.owe("project_routine", routine.id, nowMs);
    }
    return outcomes;
  });
}

export function webhookOf({ definition }: RoutineRow, triggerId: string): WebhookTrigger | null {
  const trigger = definition.triggers.find(({ id }) => id === triggerId);
  return trigger?.type === "webhook" ? trigger : null;
}

export async function readEndpoint(
  { endpoints }: RoutineParts,
  routine: RoutineRow,
  triggerId: string,
): Promise<Result<EndpointAnswer>> {
  const trigger = webhookOf(routine, triggerId);
  if (trigger === null) return refuse("not_found");
  return success({ trigger, secrets: await endpoints.inForce(triggerId, Date.now()) });
}

/** @param given null to have a secret drawn. */
async function sealSecret({ endpoints }: RoutineParts, triggerId: string, given: string | null) {
  const secret = given ?? makeSecret("rvw_");
  return { secret, sealed: await endpoints.seal(triggerId, secret) };
}

/** Puts a sealed secret in force. Call it inside a transaction. @returns until when the one before is accepted too. */
function putInForce(
  { endpoints }: RoutineParts,
  routine: RoutineRow,
  { sealed, triggerId, from }: { sealed: string; triggerId: string; from: "owner" | "source" },
  nowMs: number,
): Result<string | null> {
  if (webhookOf(routine, triggerId) === null) return refuse("not_found");
  if (from === "source" && endpoints.state(triggerId, nowMs) !== null) return refuse("webhook_refused");
  endpoints.keep(triggerId, sealed, from === "source", nowMs);
  const until = endpoints.state(triggerId, nowMs)?.previousUntilMs ?? null;
  return success(until === null ? null : timestamp(until));
}

/** Rotates a secret. */
export async function rotateSecret(
  life: RoutineLife,
  { triggerId, given, from }: { triggerId: string; given: string | null; from: "owner" | "source" },
): Promise<Result<SecretAnswer>> {
  const { parts } = life;
  const { secret, sealed } = await sealSecret(parts, triggerId, given);
  return changeAndTell(life, (routine, nowMs) => {
    const put = putInForce(parts, routine, { sealed, triggerId, from }, nowMs);
    if (!put.ok) return put;
    const row = parts.definitions.update(routine, {}, nowMs);
    return success({ row, told: { secret, previous_secret_until: put.value } });
  });
}

/** Ends an endpoint's secrets. Call it inside a transaction. */
export function endSecrets(
  { endpoints, definitions }: RoutineParts,
  routine: RoutineRow,
  triggerId: string,
  nowMs: number,
): Result<RoutineRow> {
  if (webhookOf(routine, triggerId) === null) return refuse("not_found");
  endpoints.clear(triggerId);
  return success(definitions.update(routine, {}, nowMs));
}
