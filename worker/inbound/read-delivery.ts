/** What a stored delivery says, as an event to be matched, or why there is nothing to match. Pure. */

import { composed } from "#protocol/characters.ts";
import type { JsonObject } from "#protocol/schema.ts";
import { type Cause, CONTEXT_LIMIT, type SourceEvent } from "#protocol/source-event.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import type { WebhookSource } from "#protocol/webhook-sources.ts";
import { eventKey, githubKey } from "#rules/triggers/subscriptions.ts";
import type { StoredDelivery } from "../store/deliveries.ts";
import type { LongPayload } from "./read-long.ts";
import { LISTENERS } from "./sources/all.ts";
import { prettyJson } from "./sources/any-body.ts";
import { readGithub } from "./sources/github/read-event.ts";
import { isRepeatable } from "./sources/github/repeatable.ts";
import type { EndpointSettings } from "./sources/listener.ts";
import { cut, isObject, jsonObject, readEvent } from "./sources/payload.ts";
import { knownByBody } from "./sources/repeatable.ts";

/** A delivery whose body is still kept. */
type KeptDelivery = StoredDelivery & { body: Uint8Array<ArrayBuffer> };

/** What a stored delivery says, whatever the id under which it is given to routines. */
export type DeliveryReading =
  | { kind: "event"; event: Omit<SourceEvent, "event_id" | "delivery_id" | "caused_by"> }
  /** `told`: GitHub tells of a repository by it all the same. */
  | { kind: "ignored"; reason: string; told?: { name: string; payload: JsonObject } };

export const KEPT_NO_MORE = { kind: "ignored", reason: "Its body is kept no more." } as const;
const LONG_ALL_OVER = {
  kind: "ignored",
  reason: "Its payload is too long: even the beginnings of its parts are more than filters and runs can be given.",
} as const;

/**
 * @param payload null when the body has none that can be read.
 * @param bodyHash a second key, since the id is not signed: only where no two events have one body.
 */
export function readGithubDelivery(
  delivery: Pick<StoredDelivery, "id" | "event" | "providerId">,
  payload: JsonObject | null,
  bodyHash: string,
): DeliveryReading {
  if (payload === null) return { kind: "ignored", reason: "The body is not a JSON object, or nested too deeply." };
  const name = delivery.event ?? "";
  const providerId = delivery.providerId ?? delivery.id;
  const reading = readGithub(name, providerId, payload);
  if (reading.kind === "ignored") return { ...reading, told: { name, payload } };
  const { event, github } = reading;
  return {
    kind: "event",
    event: {
      ...event,
      source: "github",
      trigger_id: null,
      dedupe_key: providerId,
      content_key: isRepeatable(payload) ? null : `body:${name}:${bodyHash}`,
      github,
    },
  };
}

/** @param trigger whose endpoint it came to. @param bodyHash see `readGithubDelivery`. */
export function readWebhookDelivery(
  delivery: KeptDelivery,
  trigger: WebhookTrigger,
  bodyHash: string,
  baseUrl: string,
): DeliveryReading {
  const request = { headers: new Headers(delivery.headers), body: delivery.body };
  const reading = LISTENERS[trigger.source].read(request, settingsOf(trigger, baseUrl));
  if (reading.kind !== "event") return { kind: "ignored", reason: reading.reason };
  const { name, payload } = reading.event;
  const known = knownByBody(trigger.source, name, isObject(payload) ? payload : {});
  return {
    kind: "event",
    event: {
      ...reading.event,
      source: trigger.source,
      trigger_id: trigger.id,
      // Where the source gives no key, each delivery is an event of its own.
      dedupe_key: reading.event.dedupe_key ?? delivery.id,
      content_key: known === null ? null : `body:${bodyHash}`,
      ...(known === "once" ? { content_once: true } : {}),
      github: null,
    },
  };
}

/** One of GitHub's whose body is too long to be held. @param long null when it is kept no more. */
export function readLongDelivery(
  delivery: Pick<StoredDelivery, "id" | "event" | "providerId">,
  long: LongPayload | null,
): DeliveryReading {
  if (long === null) return KEPT_NO_MORE;
  return long.isLongAllOver ? LONG_ALL_OVER : readGithubDelivery(delivery, long.payload, long.hash);
}

/** An internal event, as `POST /api/v1/events` stores it. */
export function readInternalDelivery(delivery: KeptDelivery): DeliveryReading {
  const body = jsonObject(delivery.body);
  if (body === null) return { kind: "ignored", reason: "The payload is nested too deeply." };
  const name = delivery.event ?? "";
  const payload = body["payload"] ?? null;
  const event = readEvent({
    name,
    action: null,
    summary: `Event ${name}`,
    dedupe_key: null,
    payload,
    fields: {},
    context: cut(prettyJson(payload, delivery.body.length) ?? "", CONTEXT_LIMIT),
  });
  return {
    kind: "event",
    event: {
      ...event,
      // As it was taken in: triggers wait for it letter by letter.
      name,
      source: "event",
      trigger_id: null,
      // The sender's key counts among events of this name alone.
      dedupe_key: delivery.providerId === null ? delivery.id : composed(`${name}\n${delivery.providerId}`),
      content_key: null,
      github: null,
    },
  };
}

/** The keys under which triggers wait for an event; none where it came to an endpoint, whose trigger alone is meant. */
export function keysOf(event: Pick<SourceEvent, "source" | "name" | "github">): string[] {
  if (event.source === "event") return [eventKey(event.name)];
  const repository = event.github?.repository ?? null;
  if (event.source !== "github" || repository === null) return [];
  const names = [repository.full_name.toLowerCase(), ...(repository.former_names ?? [])];
  return [repository.id, ...names].map((one) => githubKey(one, event.name));
}

/** The run that caused an event, by the marks of its pushes. */
export function causeOf({ github }: Pick<SourceEvent, "github">, causes: ReadonlyMap<string, Cause>): Cause | null {
  for (const mark of github?.push_marks ?? []) {
    const cause = causes.get(mark);
    if (cause !== undefined) return cause;
  }
  return null;
}

export function settingsOf(trigger: WebhookTrigger, baseUrl: string): EndpointSettings {
  return {
    auth: trigger.auth ?? null,
    pubsub: trigger.pubsub ?? null,
    allowBots: trigger.allow_bots ?? false,
    url: endpointUrl(trigger.source, trigger.id, baseUrl),
  };
}

export function endpointUrl(source: WebhookSource, triggerId: string, baseUrl: string): string {
  return `${baseUrl}/webhooks/${source}/${triggerId}`;
}
