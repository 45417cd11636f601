/** Handles stored deliveries: reads them, gives them to the routines that wait for them, and notes what became of each. */
import { withinDeadline } from "#instance/in-time.ts";
import { sha256 } from "#instance/secrets.ts";
import { logTrouble } from "#protocol/log.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { RoutineStub } from "../bindings.ts";
import { type DeliveryStore, type HandledDelivery, HELD_BODY_BYTES, type StoredDelivery } from "../store/deliveries.ts";
import type { GithubApp } from "../store/github-app.ts";
import type { Matching } from "../store/matching.ts";
import type { RepositoryNames } from "../store/repository-names.ts";
import { lastDeliveryIdOf } from "./delivery-ids.ts";
import { giveToRoutines } from "./give-to-routines.ts";
import { handledOf, ignoredOf } from "./handled.ts";
import { isChange, learnChange, learnSeen, type Told, toldBy } from "./learn-repositories.ts";
import {
  causeOf,
  type DeliveryReading,
  KEPT_NO_MORE,
  readGithubDelivery,
  readInternalDelivery,
  readLongDelivery,
  readWebhookDelivery,
} from "./read-delivery.ts";
import { readLong } from "./read-long.ts";
import { smallPayload } from "./small-payload.ts";
import { payloadOf } from "./sources/github/form.ts";
import { jsonObject } from "./sources/payload.ts";
import { tellHandled } from "./tell-handled.ts";

export interface InboxParts {
  deliveries: DeliveryStore;
  matching: Matching;
  githubApp: GithubApp;
  names: RepositoryNames;
  ownerOf(id: string): RoutineStub;
  /** The instance's public address, where it is known without a request. */
  baseUrl: string;
  pause(ms: number): Promise<void>;
}

/** How many deliveries are handled together, if their bodies are short. */
const AT_ONCE = 50;
/** Deliveries that come within this time are handled together. */
const GATHER_MS = 100;
/**
 * While deliveries go on coming, for this long few are handled at a time, with rests in between, so that answers come first.
 */
const PATIENT_MS = 10_000;
const AT_ONCE_MEANWHILE = 20;
const REST_MS = 400;
/** When nothing has come for this long, no more is expected. */
const QUIET_MS = 300;
/** The platform allows half a minute for work after an answer; a drain stops before. */
const DRAIN_MS = 20_000;
/** A sweep stops before the next one, which comes after a minute. */
const SWEEP_MS = 50_000;
/** The platform lets one request make ten thousand calls. */
const CALLS_AT_MOST = 9_000;
/** An object knows for a day that an event has been given to it before: after that the inbox gives nothing again by itself. */
const TRYING_MS = 23 * 3_600_000;
/** An object that has not answered by then is asked again later: its delivery waits, and no other. */
const ENDPOINT_DEADLINE_MS = 5_000;
const LONG_BODY_DEADLINE_MS = 15_000;
const NOT_YET = "It could not be handled yet; it is tried again.";
const GIVEN_UP = "It could not be handled for most of a day. Replay it when what stood in its way is gone.";

type DeliveredEvent = Extract<DeliveryReading, { kind: "event" }>["event"];

interface Read {
  delivery: StoredDelivery;
  event: DeliveredEvent;
}

interface Taken {
  delivery: StoredDelivery;
  event: SourceEvent;
}

export class Inbox {
  readonly #parts: InboxParts;
  /** Until when a drain is under way: one that was cut off must not hold up the next for ever. */
  #busyUntilMs = 0;
  #isAskedAgain = false;
  #askedAtMs = 0;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /**
   * Handles what waits. One drain is under way in an isolate at most; what is stored meanwhile is handled by it, and what
   * it can't get to, or what is cut off, by the sweep. Never rejects.
   */
  async drain(): Promise<void> {
    const drainStartedAtMs = Date.now();
    this.#isAskedAgain = true;
    this.#askedAtMs = drainStartedAtMs;
    if (drainStartedAtMs < this.#busyUntilMs) return;
    const endsAtMs = drainStartedAtMs + DRAIN_MS;
    this.#busyUntilMs = endsAtMs;
    try {
      await this.#parts.pause(GATHER_MS);
      // Nothing is awaited between the last check of this flag and the end, so a later caller finds that no drain is under way.
      for (let calls = 0; this.#isAskedAgain && Date.now() < endsAtMs && calls < CALLS_AT_MOST; ) {
        this.#isAskedAgain = false;
        const isPatient = this.#isMoreComing(drainStartedAtMs);
        const { isMore, calls: made } = await this.#handleNext(isPatient ? AT_ONCE_MEANWHILE : AT_ONCE);
        calls += made;
        if (isMore && isPatient) await this.#parts.pause(REST_MS);
        if (isMore) this.#isAskedAgain = true;
      }
    } catch (error) {
      logTrouble("inbox_stopped", {}, error);
    } finally {
      if (this.#busyUntilMs === endsAtMs) this.#busyUntilMs = 0;
    }
  }

  /** Whether others have asked since a drain began, and just now. */
  #isMoreComing(drainStartedAtMs: number): boolean {
    const nowMs = Date.now();
    const isRecent = this.#askedAtMs > drainStartedAtMs && nowMs - this.#askedAtMs < QUIET_MS;
    return isRecent && nowMs < drainStartedAtMs + PATIENT_MS;
  }

  /** Takes up what was cut off or failed, until nothing waits. Never rejects. */
  async sweep(nowMs: number): Promise<void> {
    const endsAtMs = Date.now() + SWEEP_MS;
    try {
      const lost = await this.#parts.deliveries.giveUp(lastDeliveryIdOf(nowMs - TRYING_MS), GIVEN_UP, nowMs);
      if (lost > 0) logTrouble("deliveries_given_up", { deliveries: lost }, "not handled for 23 hours");
      for (let calls = 0, isMore = true; isMore && Date.now() < endsAtMs && calls < CALLS_AT_MOST; ) {
        const handled = await this.#handleNext(AT_ONCE);
        calls += handled.calls;
        isMore = handled.isMore;
      }
    } catch (error) {
      logTrouble("inbox_stopped", {}, error);
    }
  }

  /**
   * Handles one delivery, which nobody else may take up meanwhile.
   * @param eventId with another id than the delivery's the event counts as a new one. @returns whether it could be handled;
   *   never rejects.
   */
  async handleOne(delivery: StoredDelivery, eventId: string): Promise<boolean> {
    try {
      const { failed } = await this.#handle([delivery], eventId);
      return failed === 0;
    } catch (error) {
      logTrouble("delivery_not_handled", { delivery_id: delivery.id }, error);
      return false;
    }
  }

  /** What a delivery says. */
  async read(delivery: StoredDelivery): Promise<DeliveryReading> {
    const { body, openLong } = delivery;
    if (openLong !== null) {
      return readLongDelivery(delivery, await withinDeadline(readLong(openLong), LONG_BODY_DEADLINE_MS));
    }
    if (body === null) return KEPT_NO_MORE;
    const kept = { ...delivery, body };
    if (delivery.source === "github") {
      return readGithubDelivery(delivery, jsonObject(payloadOf(delivery.headers, body)), await sha256(body));
    }
    if (delivery.triggerId === null) return readInternalDelivery(kept);
    const asked = this.#parts.ownerOf(delivery.triggerId).endpoint(delivery.triggerId);
    const endpoint = await withinDeadline(asked, ENDPOINT_DEADLINE_MS);
    if (!endpoint.ok && endpoint.refusal.code !== "not_found") throw new Error(endpoint.refusal.code);
    if (!endpoint.ok) return { kind: "ignored", reason: "The trigger that it came to is gone." };
    return readWebhookDelivery(kept, endpoint.value.trigger, await sha256(body), this.#parts.baseUrl);
  }

  /** An event as routines take it. @param eventId with another id than the delivery's the event counts as a new one. */
  async incoming(delivery: StoredDelivery, event: DeliveredEvent, eventId: string): Promise<SourceEvent> {
    const causes = await this.#parts.matching.causes(event.github?.push_marks ?? []);
    const [known = event] = await this.#withFormerNames([event]);
    return sourceEvent(delivery, known, causeOf(event, causes), eventId);
  }

  async #handleNext(limit: number): Promise<{ isMore: boolean; calls: number }> {
    const waiting = await this.#parts.deliveries.claim(limit, Date.now());
    if (waiting.length === 0) return { isMore: false, calls: 1 };
    const { calls } = await this.#handle(waiting, null);
    return { isMore: true, calls: calls + 1 };
  }

  /**
   * Handles each as far as it goes: one that fails holds up no other.
   * @param eventId for all, in place of the deliveries' own ids; null for these.
   */
  async #handle(
    waiting: readonly StoredDelivery[],
    eventId: string | null,
  ): Promise<{ calls: number; failed: number }> {
    const { deliveries, matching, ownerOf } = this.#parts;
    const failed = new Set<string>();
    const handled: HandledDelivery[] = [];
    const readings = await Promise.all(waiting.map((one) => this.#tried(failed, one, () => this.read(one))));
    const marks = readings.flatMap((one) => (one?.kind === "event" ? (one.event.github?.push_marks ?? []) : []));
    const causes = await matching.causes(marks);
    const all = waiting.map((delivery, place) => ({ delivery, reading: readings[place] ?? null }));
    await this.#learn(failed, all.flatMap(toldBy));
    const read = all.flatMap(({ delivery, reading }): Read[] =>
      reading?.kind === "event" ? [{ delivery, event: reading.event }] : [],
    );
    for (const { delivery, reading } of all) {
      if (reading?.kind === "ignored" && !failed.has(delivery.id)) handled.push(ignoredOf(delivery, reading.reason));
    }
    const known = await this.#withFormerNames(read.map(({ event }) => event));
    const taken = read.flatMap(({ delivery, event }, place): Taken[] =>
      failed.has(delivery.id)
        ? []
        : [
            {
              delivery,
              event: sourceEvent(delivery, known[place] ?? event, causeOf(event, causes), eventId ?? delivery.id),
            },
          ],
    );
    const given = await giveToRoutines(
      { matching, ownerOf },
      taken.map(({ event }) => event),
    );
    for (const { delivery, event } of taken) {
      if (given.failed.has(event.event_id)) failed.add(delivery.id);
      if (!failed.has(delivery.id)) handled.push(handledOf(delivery, event, given.outcomes.get(event.event_id) ?? []));
    }
    await deliveries.finish(handled);
    tellHandled(waiting, handled);
    await deliveries.postpone([...failed], NOT_YET);
    const endpoints = waiting.filter(({ triggerId }) => triggerId !== null).length;
    return { calls: given.calls + endpoints + 4, failed: failed.size };
  }

  /** Learns what deliveries tell of repositories. Changes are learned one after the other, because the last one counts. */
  async #learn(failed: Set<string>, told: readonly Told[]): Promise<void> {
    const nowMs = Date.now();
    let seen: Told[] = [];
    const learnGathered = async () => {
      const gathered = seen;
      seen = [];
      for (const { delivery } of gathered.slice(0, 1)) {
        const again = await this.#tried(failed, delivery, () => learnSeen(this.#parts, gathered, nowMs));
        for (const one of again ?? gathered) failed.add(one.delivery.id);
      }
    };
    for (const one of told) {
      const { delivery, name, payload } = one;
      if (!isChange(name, payload)) {
        seen.push(one);
        continue;
      }
      await learnGathered();
      await this.#tried(failed, delivery, async () => {
        if (!(await this.#parts.deliveries.cameBefore(delivery))) await learnChange(this.#parts, name, payload, nowMs);
      });
    }
    await learnGathered();
  }

  /** A routine may know a repository by a name that it had before. */
  async #withFormerNames(events: readonly DeliveredEvent[]): Promise<DeliveredEvent[]> {
    const repositories = events.flatMap(({ github }) => github?.repository ?? []);
    if (repositories.length === 0) return [...events];
    const named = repositories.map(({ id, full_name }) => ({ id, name: full_name.toLowerCase() }));
    const former = await this.#parts.names.formerNames(named);
    return events.map((event) => {
      const repository = event.github?.repository ?? null;
      const names = repository === null ? undefined : former.get(repository.id);
      if (event.github === null || repository === null || names === undefined) return event;
      return { ...event, github: { ...event.github, repository: { ...repository, former_names: names } } };
    });
  }

  async #tried<Value>(failed: Set<string>, { id }: StoredDelivery, work: () => Promise<Value>): Promise<Value | null> {
    try {
      return await work();
    } catch (error) {
      logTrouble("delivery_not_handled", { delivery_id: id }, error);
      failed.add(id);
      return null;
    }
  }
}

function sourceEvent(
  { id, sizeBytes }: StoredDelivery,
  event: DeliveredEvent,
  cause: SourceEvent["caused_by"],
  eventId: string,
): SourceEvent {
  const keys = eventId === id ? {} : { dedupe_key: eventId, content_key: null };
  const isWhole = sizeBytes <= HELD_BODY_BYTES;
  const payload = isWhole ? event.payload : smallPayload(event.payload);
  return { ...event, ...keys, payload, event_id: eventId, delivery_id: id, caused_by: cause };
}
