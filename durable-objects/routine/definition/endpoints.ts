/** How a routine's object takes in events, and what it tells of a webhook's endpoint. */

import type { EndpointAnswer, SecretAnswer } from "#instance/object-contracts.ts";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import { timestamp } from "#protocol/time.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import { placeKey, type RepositoryPlace, repositoryPlace } from "#rules/triggers/subscriptions.ts";
import type { RoutineParts } from "../assemble.ts";
import type { Open } from "../opening.ts";
import type { RoutineLife } from "../routine-life.ts";
import type { Tx } from "../work.ts";
import { changeAndTell } from "./create-and-remove.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { Bringer } from "./endpoint-secrets.ts";
import type { RepositoryLesson } from "./repository-ids.ts";

/** Enough to tell ten of them apart. */
const HANDED_OVER_ID_LENGTH = 16;

/** Each event in a transaction of its own: one that can't be taken in holds up no other. */
export function offerEvent(life: RoutineLife, parts: RoutineParts, event: SourceEvent): DeliveryOutcome[] {
  return life.work.change((tx) => {
    const routine = parts.definitions.row();
    if (routine === null) return [];
    const { outcomes, hasLearned } = parts.firing.event(tx, routine, event);
    if (hasLearned) projectIds(tx, parts, routine);
    return outcomes;
  });
}

/** Until then a routine is found by the names too. */
const INDEXED_WITHIN_MS = 5_000;

/** Learns which repositories the routine's addresses stand for. Resolves when it is found by them. */
export async function learnRepositories(
  open: Result<Open>,
  lessons: readonly RepositoryLesson[],
): Promise<Result<null>> {
  if (!open.ok) return open;
  const { life, parts } = open.value;
  const version = life.work.change((tx) => {
    const routine = parts.definitions.row();
    if (routine === null) return null;
    const places = routine.definition.repositories.map(repositoryPlace);
    let hasLearned = false;
    for (const lesson of lessons) {
      for (const place of places.filter((one) => isMeant(one, lesson))) {
        const key = placeKey(place);
        const since = parts.definitions.repositorySince((url) => placeKey(repositoryPlace({ url })) === key);
        hasLearned = parts.repositoryIds.learn(tx, key, lesson, since) || hasLearned;
      }
    }
    return hasLearned ? projectIds(tx, parts, routine) : null;
  });
  if (version !== null) await life.isIndexed(version, INDEXED_WITHIN_MS);
  return success(null);
}

function isMeant({ host, fullName }: RepositoryPlace, lesson: RepositoryLesson): boolean {
  return fullName === lesson.name && (lesson.host === null || lesson.host === host);
}

/** From here on the routine is found by the numbers that it has learned. @returns its version with them. */
function projectIds(tx: Tx, { definitions, outbox }: RoutineParts, routine: RoutineRow): number {
  const { version } = definitions.update(tx, routine, {});
  outbox.owe(tx, "project_routine", routine.id);
  return version;
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
  const is_unconfirmed = endpoints.handedOverCount(triggerId) > 0;
  return success({ trigger, is_unconfirmed, secrets: await endpoints.inForce(triggerId, Date.now()) });
}

/** @param given null to have a secret drawn. */
async function sealSecret({ endpoints }: RoutineParts, triggerId: string, given: string | null) {
  const secret = given ?? makeSecret("rvw_");
  return { secret, sealed: await endpoints.seal(triggerId, secret) };
}

/** Rotates a secret. */
export async function rotateSecret(
  life: RoutineLife,
  { triggerId, given }: { triggerId: string; given: string | null },
): Promise<Result<SecretAnswer>> {
  const { endpoints, definitions } = life.parts;
  const { secret, sealed } = await sealSecret(life.parts, triggerId, given);
  return changeAndTell(life, (tx, routine) => {
    if (webhookOf(routine, triggerId) === null) return refuse("not_found");
    endpoints.keep(tx, triggerId, sealed);
    const until = endpoints.state(triggerId, tx.nowMs).secret?.previousUntilMs ?? null;
    const told = { secret, previous_secret_until: until === null ? null : timestamp(until) };
    return success({ row: definitions.update(tx, routine, {}), told });
  });
}

/** The owner has seen what was handed over, and says yes: it is in force from then on. */
export async function confirmSecret(
  life: RoutineLife,
  { triggerId, id }: { triggerId: string; id: string },
): Promise<Result<SecretAnswer>> {
  const waiting = await life.parts.endpoints.handedOver(triggerId);
  const meant = waiting.find((one) => one.id === id);
  return meant === undefined ? refuse("not_found") : rotateSecret(life, { triggerId, given: meant.secret });
}

/** Keeps a secret that somebody has brought to an endpoint, for the owner to see: nobody is believed by it. */
export async function handOver(
  life: RoutineLife,
  { triggerId, secret, from }: { triggerId: string; secret: string; from: Bringer },
): Promise<Result<null>> {
  const { endpoints, definitions, outbox } = life.parts;
  const id = (await hashSecret(secret)).slice(0, HANDED_OVER_ID_LENGTH);
  const sealed = await endpoints.seal(triggerId, secret);
  return life.work.change((tx): Result<null> => {
    const routine = definitions.row();
    if (routine === null || routine.status === "deleted") return refuse("not_found");
    if (webhookOf(routine, triggerId) === null) return refuse("not_found");
    const before = endpoints.handedOverCount(triggerId);
    endpoints.handOver(tx, triggerId, { id, sealed }, from);
    // Lists tell how many wait: whoever repeats one causes no write beyond this object.
    if (endpoints.handedOverCount(triggerId) !== before) {
      definitions.update(tx, routine, {});
      outbox.owe(tx, "project_routine", routine.id);
    }
    return success(null);
  });
}

/** Ends an endpoint's secrets. */
export function endSecrets(
  tx: Tx,
  { endpoints, definitions }: RoutineParts,
  routine: RoutineRow,
  triggerId: string,
): Result<RoutineRow> {
  if (webhookOf(routine, triggerId) === null) return refuse("not_found");
  endpoints.clear(tx, triggerId);
  return success(definitions.update(tx, routine, {}));
}
