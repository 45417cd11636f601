/** The object's one alarm, and everything that it looks after: each concern by itself, so that none stops another. */
import type { AlarmFault } from "#instance/object-contracts.ts";
import { errorText, logTrouble } from "#protocol/log.ts";
import { backoffMs } from "#rules/backoff.ts";

/** Something that has to be looked at again at a later time. */
export interface Concern {
  /** As it is called in the log. */
  name: string;
  /** When it has to be looked at next, in Unix milliseconds; null when nothing waits. */
  next(): number | null;
  /** Sees to what is due. What it throws is logged, and it is looked at again later. */
  look(nowMs: number): void;
}

/**
 * A concern that is still due after it was looked at is not looked at again for this long, so that the alarm does not ring
 * without end.
 */
const REST_MS = 1_000;
/** After so many failures in a row a concern counts as faulty, which the sweep is told. */
const FAULT_AFTER = 10;
/** An alarm that is so long overdue has been lost: the platform drops one whose object could not be opened six times. */
export const LOST_AFTER_MS = 30_000;

interface PutOff {
  /** How often in a row it has failed. */
  failures: number;
  untilMs: number;
  /** The text of the last error; empty when there was none. */
  outcome: string;
}

export class Alarm {
  readonly #object: string;
  readonly #storage: Pick<DurableObjectStorage, "setAlarm">;
  readonly #concerns: readonly Concern[];
  readonly #putOff = new Map<Concern, PutOff>();
  #armedAt: number | null;
  #isRinging = false;

  /**
   * @param object its name, for the log.
   * @param armedAt when the object's alarm rings as things are, in Unix milliseconds; null when it does not.
   */
  constructor(
    object: string,
    storage: Pick<DurableObjectStorage, "setAlarm">,
    concerns: readonly Concern[],
    armedAt: number | null,
  ) {
    this.#object = object;
    this.#storage = storage;
    this.#concerns = concerns;
    this.#armedAt = armedAt;
  }

  /** Takes over when the storage says that the alarm will ring: an alarm that was lost is armed again by the next `arm`. */
  know(armedAt: number | null): void {
    this.#armedAt = armedAt;
  }

  /**
   * Arms the alarm for the earliest concern. An alarm that is armed for an earlier moment stays: when it rings it finds
   * nothing to do, and arms the next. Never throws.
   */
  arm(): void {
    if (this.#isRinging) return;
    const nowMs = Date.now();
    const moments = this.#concerns.flatMap((concern) => this.#nextOf(concern, nowMs) ?? []);
    if (moments.length === 0) return;
    const moment = Math.max(nowMs, Math.min(...moments));
    const armedAt = this.#armedAt;
    if (armedAt !== null && armedAt <= moment && armedAt > nowMs - LOST_AFTER_MS) return;
    this.#armedAt = moment;
    this.#storage.setAlarm(moment).catch((error) => {
      logTrouble("alarm_failed", { object: this.#object, concern: "arm", failures: 1 }, error);
    });
  }

  /** The alarm rings: sees to every concern that is due, and arms the next. Never throws. */
  ring(): void {
    this.#armedAt = null;
    this.#isRinging = true;
    for (const concern of this.#concerns) this.#lookAfter(concern, Date.now());
    this.#isRinging = false;
    this.arm();
  }

  /** What has failed ten times in a row, and still does. */
  faults(): AlarmFault[] {
    return [...this.#putOff]
      .filter(([, { failures }]) => failures >= FAULT_AFTER)
      .map(([{ name }, { failures, outcome }]) => ({ concern: name, failures, outcome }));
  }

  #lookAfter(concern: Concern, nowMs: number): void {
    const putOff = this.#putOff.get(concern);
    if (putOff !== undefined && putOff.untilMs > nowMs) return;
    try {
      if (!isDue(concern, nowMs)) {
        this.#putOff.delete(concern);
        return;
      }
      concern.look(nowMs);
      if (isDue(concern, nowMs)) this.#rest(concern, nowMs);
      else this.#putOff.delete(concern);
    } catch (error) {
      const failures = (putOff?.failures ?? 0) + 1;
      const outcome = errorText(error);
      this.#putOff.set(concern, { failures, untilMs: nowMs + backoffMs(failures), outcome });
      const code = failures < FAULT_AFTER ? "alarm_failed" : "alarm_goes_on_failing";
      logTrouble(code, { object: this.#object, concern: concern.name, failures }, error);
    }
  }

  #rest(concern: Concern, nowMs: number): void {
    this.#putOff.set(concern, { failures: 0, untilMs: nowMs + REST_MS, outcome: "" });
  }

  /** When a concern is due. One whose `next` throws is looked at soon. */
  #nextOf(concern: Concern, nowMs: number): number | null {
    const untilMs = this.#putOff.get(concern)?.untilMs ?? 0;
    try {
      const moment = concern.next();
      return moment === null ? null : Math.max(moment, untilMs);
    } catch {
      return Math.max(nowMs + REST_MS, untilMs);
    }
  }
}

function isDue(concern: Concern, nowMs: number): boolean {
  const moment = concern.next();
  return moment !== null && moment <= nowMs;
}
