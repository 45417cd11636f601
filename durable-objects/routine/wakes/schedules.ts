/** The routine's schedules: claims each scheduled instant once, and tells when to look again. */
import { sql } from "drizzle-orm";
import type { Wake } from "#protocol/occurrence.ts";
import { timestamp } from "#protocol/time.ts";
import type { ScheduleTrigger, Trigger } from "#protocol/triggers.ts";
import { factText } from "#rules/run/notify.ts";
import { type PlannedSlot, planSlots, type SlotPlan } from "#rules/schedules/plan-slots.ts";
import { jitterMs, nextSlots } from "#rules/schedules/schedule.ts";
import { shownIn } from "#rules/schedules/zone-clock.ts";
import { type Database, rowsOf } from "../database.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { schedules } from "../schema.ts";
import type { Remembered, Tx, Work } from "../work.ts";
import type { Wakes } from "./wake.ts";

interface Claim {
  spec: string;
  claimedUntil: number;
}

/** The reason of the one occurrence that stands for many slots missed long ago. */
const FOLDED_REASONS = { none: "slot_missed", latest: "slot_superseded", all: "catch_up_limit" } as const;

export class Schedules {
  readonly #database: Database;
  readonly #wakes: Wakes;
  readonly #outbox: Outbox;
  /** By trigger. */
  readonly #claims: Remembered<ReadonlyMap<string, Claim>>;
  /** When the next instant after a claim comes, jitter included, as far as anybody has asked: it takes long to work out. */
  readonly #dueAts = new WeakMap<Claim, number | null>();

  constructor(database: Database, wakes: Wakes, outbox: Outbox, work: Work) {
    this.#database = database;
    this.#wakes = wakes;
    this.#outbox = outbox;
    this.#claims = work.remember(() => this.#read());
  }

  /** Takes in the schedules of a definition: one that is new, or has other instants than before, begins at this moment. */
  takeIn(tx: Tx, routine: RoutineRow): void {
    const triggers = schedulesOf(routine);
    const known = this.#claims.get();
    for (const trigger of triggers) {
      const spec = specOf(trigger);
      const before = known.get(trigger.id);
      if (before?.spec === spec) continue;
      const claim = { triggerId: trigger.id, spec, claimedUntil: Math.max(tx.nowMs, before?.claimedUntil ?? 0) };
      tx.database.insert(schedules).values(claim).onConflictDoUpdate({ target: schedules.triggerId, set: claim }).run();
    }
    // All ids are bound as one text: a statement takes a hundred values.
    const kept = JSON.stringify(triggers.map(({ id }) => id));
    tx.database
      .delete(schedules)
      .where(sql`${schedules.triggerId} NOT IN (SELECT value FROM json_each(${kept}))`)
      .run();
    this.#claims.forget();
  }

  /**
   * Claims what is due before a new definition or status is taken in, so that it is judged by the one that was in force when it
   * came due; of triggers that the change removes or moves also the slots that their jitter still holds back.
   */
  claimBeforeChange(tx: Tx, routine: RoutineRow, next: readonly Trigger[]): void {
    const kept = new Map(schedulesAmong(next).map((trigger) => [trigger.id, specOf(trigger)]));
    for (const trigger of schedulesOf(routine)) {
      const isKept = kept.get(trigger.id) === specOf(trigger);
      this.claimDue(tx, routine, isKept ? trigger : { ...trigger, jitter: undefined });
    }
  }

  /** Schedules of which an instant has come that is not claimed, the one that waits longest first. */
  due(routine: RoutineRow, nowMs: number): ScheduleTrigger[] {
    return schedulesOf(routine)
      .map((trigger) => ({ trigger, dueAt: this.#dueAt(trigger) ?? Number.POSITIVE_INFINITY }))
      .filter(({ dueAt }) => dueAt <= nowMs)
      .sort((one, other) => one.dueAt - other.dueAt)
      .map(({ trigger }) => trigger);
  }

  /**
   * Claims what has come of one schedule, and has it fire or be recorded as missed; what comes while the routine is paused
   * is refused, whatever `catch_up` says.
   * @returns how many occurrences that made.
   */
  claimDue(tx: Tx, routine: RoutineRow, trigger: ScheduleTrigger): number {
    const claim = this.#claims.get().get(trigger.id);
    if (claim === undefined) return 0;
    const plan = planSlots({ trigger, claimedUntilMs: claim.claimedUntil, nowMs: tx.nowMs });
    if (plan.claimedUntilMs === claim.claimedUntil) return 0;
    const missed = <Reason>(reason: Reason) => (routine.status === "paused" ? null : reason);
    if (plan.folded !== null) {
      const { count, firstMs, lastMs } = plan.folded;
      const summary = `${count} times from ${timestamp(firstMs)} to ${timestamp(lastMs)}`;
      this.#wakes.scheduled(tx, routine, eventOf(trigger, summary), missed(FOLDED_REASONS[trigger.catch_up]));
    }
    for (const slot of plan.slots) {
      this.#wakes.scheduled(tx, routine, eventOf(trigger, summaryOf(slot, trigger)), missed(slot.reason));
    }
    if (routine.status !== "paused") this.#tellMissed(tx, trigger, plan);
    this.#keep(tx, trigger.id, { ...claim, claimedUntil: plan.claimedUntilMs }, plan.lookAtMs);
    return plan.slots.length + Number(plan.folded !== null);
  }

  /** When the routine has to be looked at next; null when nothing is scheduled. Unix milliseconds. */
  dueAt(routine: RoutineRow): number | null {
    const moments = schedulesOf(routine).flatMap((trigger) => this.#dueAt(trigger) ?? []);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #dueAt(trigger: ScheduleTrigger): number | null {
    const claim = this.#claims.get().get(trigger.id);
    if (claim === undefined) return null;
    const known = this.#dueAts.get(claim);
    if (known !== undefined) return known;
    const [next] = nextSlots(trigger, claim.claimedUntil, 1);
    const dueAt = next === undefined ? null : next + jitterMs(trigger.id, trigger.jitter);
    this.#dueAts.set(claim, dueAt);
    return dueAt;
  }

  /** However many were missed together, it is one fact. */
  #tellMissed(tx: Tx, trigger: ScheduleTrigger, { slots, folded }: SlotPlan): void {
    const missed = slots.filter(({ verdict }) => verdict === "missed");
    const count = missed.length + (folded?.count ?? 0);
    const lastMs = missed.at(-1)?.atMs ?? folded?.lastMs;
    if (count === 0 || lastMs === undefined) return;
    const { timezone } = trigger;
    const detail = `Missed ${count === 1 ? "" : `${count} times, the last `}at ${shownIn(timezone, lastMs)} (${timezone}).`;
    this.#outbox.owe(tx, "notify", factText({ kinds: ["missed"], runId: null, atMs: tx.nowMs, detail }));
  }

  #keep(tx: Tx, triggerId: string, claim: Claim, dueAt: number | null): void {
    const { claimedUntil } = claim;
    const claims = new Map(this.#claims.get()).set(triggerId, claim);
    tx.sql.exec(CLAIM, claimedUntil, triggerId);
    this.#claims.set(tx, claims);
    this.#dueAts.set(claim, dueAt);
  }

  #read(): ReadonlyMap<string, Claim> {
    return new Map(
      rowsOf(this.#database, schedules).map(({ triggerId, spec, claimedUntil }) => [triggerId, { spec, claimedUntil }]),
    );
  }
}

const CLAIM = "UPDATE schedules SET claimed_until = ? WHERE trigger_id = ?";

function schedulesOf({ definition }: RoutineRow): ScheduleTrigger[] {
  return schedulesAmong(definition.triggers);
}

function schedulesAmong(triggers: readonly Trigger[]): ScheduleTrigger[] {
  return triggers.filter((trigger) => trigger.type === "schedule");
}

function specOf({ cron, every, time, minute, weekday, day, at, timezone }: ScheduleTrigger): string {
  return JSON.stringify({ cron, every, time, minute, weekday, day, at, timezone });
}

function summaryOf({ atMs, verdict }: PlannedSlot, { timezone }: ScheduleTrigger): string {
  const words = verdict === "catch_up" ? "Made up for" : "Scheduled for";
  return `${words} ${shownIn(timezone, atMs)} (${timezone})`;
}

function eventOf({ id }: ScheduleTrigger, summary: string): Wake {
  return {
    type: "schedule",
    trigger_id: id,
    summary,
    text: null,
    // No key is needed: the claim keeps a slot from coming twice.
    dedupe_key: null,
    content_key: null,
    fingerprint: "",
    depth: 0,
    checkout: null,
    request_id: null,
    delivery_id: null,
  };
}
