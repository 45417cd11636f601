/** Handles stored deliveries: reads them, finds who waits for them, offers them, and writes down what became of each. */
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { IncomingEvent } from "#protocol/incoming-event.ts";
import { errorText, logLine } from "#protocol/log.ts";
import type { RoutineStub } from "../deps.ts";
import { readInstallation } from "../listeners/github/installation.ts";
import { jsonObject } from "../listeners/payload.ts";
import type { DeliveryStore, HandledDelivery, StoredDelivery } from "../store/deliveries.ts";
import type { GithubApp } from "../store/github-app.ts";
import type { Matching } from "../store/matching.ts";
import {
  causeOf,
  type DeliveryReading,
  keysOf,
  readGithubDelivery,
  readInternalDelivery,
  readWebhookDelivery,
} from "./read-delivery.ts";
import { sha256 } from "./sha256.ts";

export interface InboxParts {
  deliveries: DeliveryStore;
  matching: Matching;
  githubApp: GithubApp;
  ownerOf(id: string): RoutineStub;
  /** Of the instance, where it is known without a request. */
  baseUrl: string;
}

const AT_ONCE = 50;
/** A request that handles what others have stored goes on for so long: the platform gives it half a minute. */
const DRAIN_MS = 20_000;

export class Inbox {
  readonly #parts: InboxParts;
  /** Until when a drain is under way: one that was cut off must not hold up the next for ever. */
  #busyUntilMs = 0;
  #isAskedAgain = false;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** Handles what is new. One drain is under way at most: what is stored meanwhile is handled by it. Never rejects. */
  async drain(): Promise<void> {
    this.#isAskedAgain = true;
    if (Date.now() < this.#busyUntilMs) return;
    const endsAtMs = Date.now() + DRAIN_MS;
    this.#busyUntilMs = endsAtMs;
    try {
      while (this.#isAskedAgain && Date.now() < endsAtMs) {
        this.#isAskedAgain = false;
        const waiting = await this.#parts.deliveries.waiting(AT_ONCE, { tried: false });
        if (waiting.length > 0) this.#isAskedAgain = true;
        await this.#handle(waiting);
      }
    } catch (error) {
      logLine("error", { what: "inbox", outcome: errorText(error) });
    } finally {
      this.#busyUntilMs = 0;
    }
  }

  /** Takes up again what was cut off or failed. Never rejects. */
  async sweep(): Promise<void> {
    try {
      await this.#handle(await this.#parts.deliveries.waiting(AT_ONCE, { tried: true }));
    } catch (error) {
      logLine("error", { what: "inbox_sweep", outcome: errorText(error) });
    }
  }

  /** Handles one delivery. @param offerId another one makes it happen anew. */
  async handleOne(delivery: StoredDelivery, offerId: string): Promise<HandledDelivery> {
    const reading = await this.read(delivery);
    const handled =
      reading.kind === "ignored"
        ? ignored(delivery, reading.reason)
        : await this.#offerOne(delivery, await this.incoming(delivery, reading.event, offerId));
    await this.#parts.deliveries.finish([handled]);
    return handled;
  }

  /** What a delivery says. */
  async read(delivery: StoredDelivery): Promise<DeliveryReading> {
    if (delivery.source === "github") return readGithubDelivery(delivery, await sha256(delivery.body));
    if (delivery.triggerId === null) return readInternalDelivery(delivery);
    const endpoint = await this.#parts.ownerOf(delivery.triggerId).endpoint(delivery.triggerId);
    if (!endpoint.ok) return { kind: "ignored", reason: "The trigger that it came to is gone." };
    return readWebhookDelivery(delivery, endpoint.value.trigger, await sha256(delivery.body), this.#parts.baseUrl);
  }

  /** An event as it is offered. @param offerId another than the delivery's makes it happen again, whatever came before. */
  async incoming(
    delivery: StoredDelivery,
    event: Extract<DeliveryReading, { kind: "event" }>["event"],
    offerId: string,
  ): Promise<IncomingEvent> {
    const causes = await this.#parts.matching.causes(event.github?.push_marks ?? []);
    const keys = offerId === delivery.id ? {} : { dedupe_key: offerId, also_key: null };
    return { ...event, ...keys, offer_id: offerId, delivery_id: delivery.id, caused_by: causeOf(event, causes) };
  }

  async #offerOne(delivery: StoredDelivery, event: IncomingEvent): Promise<HandledDelivery> {
    const found = await this.#routinesOf([{ event }]);
    const outcomes = await Promise.all((found[0] ?? []).map((id) => this.#offer(id, [event])));
    return handledOf(delivery, event, outcomes.flat(2));
  }

  /** Handles each as far as it goes: one that fails holds up no other. */
  async #handle(waiting: readonly StoredDelivery[]): Promise<void> {
    if (waiting.length === 0) return;
    const failed = new Set<string>();
    const readings = await Promise.all(
      waiting.map((delivery) => this.#tried(failed, delivery, () => this.read(delivery))),
    );
    const events: { delivery: StoredDelivery; event: IncomingEvent }[] = [];
    const handled: HandledDelivery[] = [];
    const marks = readings.flatMap((one) => (one?.kind === "event" ? (one.event.github?.push_marks ?? []) : []));
    const causes = await this.#parts.matching.causes(marks);
    for (const [place, delivery] of waiting.entries()) {
      const reading = readings[place];
      if (reading === null || reading === undefined) continue;
      if (reading.kind === "ignored") handled.push(ignored(delivery, reading.reason));
      else {
        const { event } = reading;
        const caused_by = causeOf(event, causes);
        events.push({ delivery, event: { ...event, offer_id: delivery.id, delivery_id: delivery.id, caused_by } });
      }
    }
    await Promise.all(
      events.map(({ delivery }) => this.#tried(failed, delivery, () => this.#noteInstallation(delivery))),
    );
    const outcomes = await this.#offerAll(events, failed);
    for (const { delivery, event } of events) {
      if (!failed.has(delivery.id)) handled.push(handledOf(delivery, event, outcomes.get(delivery.id) ?? []));
    }
    await this.#parts.deliveries.finish(handled);
    await this.#parts.deliveries.postpone([...failed]);
  }

  /** Offers all events to all who wait for them, with one call to each routine's object. */
  async #offerAll(
    events: readonly { delivery: StoredDelivery; event: IncomingEvent }[],
    failed: Set<string>,
  ): Promise<Map<string, DeliveryOutcome[]>> {
    const wanted = await this.#routinesOf(events);
    const byRoutine = new Map<string, IncomingEvent[]>();
    for (const [place, { event }] of events.entries()) {
      for (const id of wanted[place] ?? []) byRoutine.set(id, [...(byRoutine.get(id) ?? []), event]);
    }
    const outcomes = new Map<string, DeliveryOutcome[]>();
    await Promise.all(
      [...byRoutine].map(async ([routineId, offered]) => {
        try {
          const answers = await this.#offer(routineId, offered);
          for (const [place, { offer_id }] of offered.entries()) {
            outcomes.set(offer_id, [...(outcomes.get(offer_id) ?? []), ...(answers[place] ?? [])]);
          }
        } catch (error) {
          logLine("warn", { what: "offer", routine_id: routineId, outcome: errorText(error) });
          for (const { offer_id } of offered) failed.add(offer_id);
        }
      }),
    );
    return outcomes;
  }

  /** @returns nothing for a routine that has been deleted. */
  async #offer(routineId: string, events: IncomingEvent[]): Promise<DeliveryOutcome[][]> {
    const answer = await this.#parts.ownerOf(routineId).offer(events);
    return answer.ok ? answer.value : [];
  }

  /** For each event the ids by which the objects are found that may have a trigger for it. */
  async #routinesOf(events: readonly { event: IncomingEvent }[]): Promise<string[][]> {
    const keys = events.map(({ event }) => keysOf(event));
    const found = await this.#parts.matching.subscribers([...new Set(keys.flat())]);
    return events.map(({ event }, place) => {
      if (event.trigger_id !== null) return [event.trigger_id];
      return [...new Set((keys[place] ?? []).flatMap((key) => found.get(key) ?? []))];
    });
  }

  async #noteInstallation(delivery: StoredDelivery): Promise<void> {
    if (delivery.source !== "github") return;
    const change = readInstallation(delivery.event ?? "", jsonObject(delivery.body));
    if (change !== null) await this.#parts.githubApp.note(change);
  }

  async #tried<Value>(failed: Set<string>, { id }: StoredDelivery, work: () => Promise<Value>): Promise<Value | null> {
    try {
      return await work();
    } catch (error) {
      logLine("warn", { what: "delivery", delivery_id: id, outcome: errorText(error) });
      failed.add(id);
      return null;
    }
  }
}

function ignored({ id, event }: StoredDelivery, reason: string): HandledDelivery {
  return { id, status: "ignored", note: reason, event, action: null, summary: null, outcomes: [] };
}

function handledOf({ id }: StoredDelivery, event: IncomingEvent, outcomes: DeliveryOutcome[]): HandledDelivery {
  const decided = outcomes.filter(({ outcome }) => outcome !== null);
  const isRepeat = decided.length > 0 && decided.every(({ outcome }) => outcome === "duplicate");
  const { name, action, summary } = event;
  return {
    id,
    status: isRepeat ? "duplicate" : "handled",
    note: noteOf(outcomes),
    event: name,
    action,
    summary,
    outcomes,
  };
}

function noteOf(outcomes: readonly DeliveryOutcome[]): string | null {
  return outcomes.length === 0 ? "No trigger waits for it." : null;
}
