/** Webhook endpoints of a routine: what the worker has to know of one, and how its secrets change. */
import type { Unreadable } from "#instance/key-ring.ts";
import type { EncryptedAnew, EndpointAnswer, HandedOver, SecretAnswer } from "#instance/object-contracts.ts";
import { hashSecret, makeSecret } from "#instance/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import { timestamp } from "#protocol/time.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Bringer, EndpointSecrets } from "../definition/endpoint-secrets.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx, Work } from "../work.ts";
import type { RoutineChanges } from "./create-and-remove.ts";

/** Enough to tell ten of them apart. */
const HANDED_OVER_ID_LENGTH = 16;

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  secrets: EndpointSecrets;
  outbox: Outbox;
  changes: RoutineChanges;
}

export class Endpoints {
  readonly #parts: Parts;
  readonly #toldUnreadable = new Set<string>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async read(routine: RoutineRow, triggerId: string): Promise<Result<EndpointAnswer>> {
    const { secrets } = this.#parts;
    const trigger = webhookOf(routine, triggerId);
    if (trigger === null) return refuse("not_found");
    const inForce = await secrets.inForce(triggerId, Date.now());
    if (inForce.unreadable !== null) this.#tellUnreadable(triggerId, inForce.unreadable);
    if (inForce.isStale) await this.encryptAnew();
    const is_unconfirmed = secrets.handedOverCount(triggerId) > 0;
    const is_unreadable = inForce.secrets.length === 0 && inForce.unreadable !== null;
    return success({ trigger, is_unconfirmed, is_unreadable, secrets: inForce.secrets });
  }

  /** Encrypts with the present key what was encrypted with the one before. Asked again, it changes nothing. */
  async encryptAnew(): Promise<Result<EncryptedAnew>> {
    const { work, secrets } = this.#parts;
    const found = await secrets.sealAnew();
    if (found.anew.size > 0) work.change((tx) => secrets.replace(tx, found));
    for (const { triggerId, fault } of found.unreadable) this.#tellUnreadable(triggerId, fault);
    const unreadable = [...new Set(found.unreadable.map(({ triggerId }) => triggerId))];
    return success({ encrypted_anew: found.anew.size, unreadable });
  }

  /** Told once for each endpoint while the object is in memory: strangers can have it found again and again. */
  #tellUnreadable(triggerId: string, fault: Unreadable): void {
    if (this.#toldUnreadable.has(triggerId)) return;
    this.#toldUnreadable.add(triggerId);
    logTrouble("secret_unreadable", { kind: "endpoint-secret", id: triggerId }, fault);
  }

  /** Puts a secret in force. @param given null to have one drawn. */
  async rotate(triggerId: string, given: string | null): Promise<Result<SecretAnswer>> {
    const { secrets, definitions, changes } = this.#parts;
    const secret = given ?? makeSecret("endpoint_secret");
    const sealed = await secrets.seal(triggerId, secret);
    return changes.changeAndTell((tx, routine) => {
      if (webhookOf(routine, triggerId) === null) return refuse("not_found");
      secrets.keep(tx, triggerId, sealed);
      const until = secrets.state(triggerId, tx.nowMs).secret?.previousUntilMs ?? null;
      const told = { secret, previous_secret_until: until === null ? null : timestamp(until) };
      return success({ row: definitions.update(tx, routine, {}), told });
    });
  }

  /** Ends an endpoint's secrets. */
  end(tx: Tx, routine: RoutineRow, triggerId: string): Result<RoutineRow> {
    const { secrets, definitions } = this.#parts;
    if (webhookOf(routine, triggerId) === null) return refuse("not_found");
    secrets.clear(tx, triggerId);
    return success(definitions.update(tx, routine, {}));
  }

  /** The secrets that the owner has not confirmed yet. */
  async handedOver(triggerId: string): Promise<Result<HandedOver[]>> {
    return success(await this.#parts.secrets.handedOver(triggerId));
  }

  /** The owner confirms a secret that was handed over: it is in force from then on. */
  async confirm(triggerId: string, id: string): Promise<Result<SecretAnswer>> {
    const waiting = await this.#parts.secrets.handedOver(triggerId);
    const meant = waiting.find((one) => one.id === id);
    return meant === undefined ? refuse("not_found") : this.rotate(triggerId, meant.secret);
  }

  /** Keeps a secret that a request has brought to an endpoint, for the owner to see. It is not in force. */
  async handOver(triggerId: string, secret: string, from: Bringer): Promise<Result<null>> {
    const { work, secrets, definitions, outbox } = this.#parts;
    const id = (await hashSecret(secret)).slice(0, HANDED_OVER_ID_LENGTH);
    const sealed = await secrets.seal(triggerId, secret);
    return work.change((tx): Result<null> => {
      const routine = definitions.living();
      if (routine === null || webhookOf(routine, triggerId) === null) return refuse("not_found");
      const before = secrets.handedOverCount(triggerId);
      secrets.handOver(tx, triggerId, { id, sealed }, from);
      // Lists tell how many wait: whoever repeats one causes no write beyond this object.
      if (secrets.handedOverCount(triggerId) !== before) {
        definitions.update(tx, routine, {});
        outbox.owe(tx, "project_routine", routine.id);
      }
      return success(null);
    });
  }
}

function webhookOf({ definition }: RoutineRow, triggerId: string): WebhookTrigger | null {
  const trigger = definition.triggers.find(({ id }) => id === triggerId);
  return trigger?.type === "webhook" ? trigger : null;
}
