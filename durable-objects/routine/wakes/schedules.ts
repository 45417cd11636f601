/** The routine's schedules: claims each scheduled instant once, and tells when to look again. */
import { eq, sql } from "drizzle-orm";
import type { Wake } from "#protocol/occurrence.ts";
import { timestamp } from "#protocol/time.ts";
import type { ScheduleTrigger, Trigger } from "#protocol/triggers.ts";
import { type PlannedSlot, planSlots } from "#rules/schedules/plan-slots.ts";
import { jitterMs, nextSlots } from "#rules/schedules/schedule.ts";
import { shownIn } from "#rules/schedules/zone-clock.ts";
import type { Database } from "../database.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import { schedules } from "../schema.ts";
import type { Wakes } from "./wake.ts";

interface Claim {
  spec: string;
  claimedUntil: number;
  /** When the next instant comes that is not claimed, jitter included; undefined while nobody has asked. */
  dueAt?: number | null;
}

/** Why many times long ago are missed together. */
const FOLDED_REASONS = { none: "slot_missed", latest: "slot_superseded", all: "catch_up_limit" } as const;

export class Schedules {
  readonly #database: Database;
  readonly #firing: Wakes;
  /** As it was last read or written; null when it is not known. */
  #claims: Map<string, Claim> | null = null;

  constructor(database: Database, firing: Wakes) {
    this.#database = database;
    this.#firing = firing;
  }

  /** What is kept may be wrong. */
  forget(): void {
    this.#claims = null;
  }

  /**
   * Takes in the schedules of a definition: a new one, and one whose instants are others, begins at this moment. Call it
   * inside a transaction.
   */
  takeIn(routine: RoutineRow, nowMs: number): void {
    const triggers = schedulesOf(routine);
    const known = this.#known();
    for (const trigger of triggers) {
      const spec = specOf(trigger);
      const before = known.get(trigger.id);
      if (before?.spec === spec) continue;
      const claim = { triggerId: trigger.id, spec, claimedUntil: Math.max(nowMs, before?.claimedUntil ?? 0) };
      this.#database
        .insert(schedules)
        .values(claim)
        .onConflictDoUpdate({ target: schedules.triggerId, set: claim })
        .run();
    }
    // As one text: a statement takes a hundred values.
    const kept = JSON.stringify(triggers.map(({ id }) => id));
    this.#database
      .delete(schedules)
      .where(sql`${schedules.triggerId} NOT IN (SELECT value FROM json_each(${kept}))`)
      .run();
    this.forget();
  }

  /**
   * Claims whatever is not claimed before another definition is adopted: what came due, and of triggers that it does away
   * with or moves also what their jitter still held back. Call it inside a transaction.
   */
  claimBeforeChange(routine: RoutineRow, next: readonly Trigger[], nowMs: number): void {
    const kept = new Map(schedulesAmong(next).map((trigger) => [trigger.id, specOf(trigger)]));
    for (const trigger of schedulesOf(routine)) {
      const isKept = kept.get(trigger.id) === specOf(trigger);
      this.claimDue(routine, isKept ? trigger : { ...trigger, jitter: undefined }, nowMs);
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
   * Claims what has come of one schedule, and has it fire or be recorded as missed. Call it inside a transaction.
   * @returns how many occurrences that made.
   */
  claimDue(routine: RoutineRow, trigger: ScheduleTrigger, nowMs: number): number {
    const claim = this.#known().get(trigger.id);
    if (claim === undefined) return 0;
    const plan = planSlots({ trigger, claimedUntilMs: claim.claimedUntil, nowMs });
    if (plan.claimedUntilMs === claim.claimedUntil) return 0;
    if (plan.folded !== null) {
      const { count, firstMs, lastMs } = plan.folded;
      const summary = `${count} times from ${timestamp(firstMs)} to ${timestamp(lastMs)}`;
      this.#firing.scheduled(routine, eventOf(trigger, summary), FOLDED_REASONS[trigger.catch_up], nowMs);
    }
    for (const slot of plan.slots) {
      this.#firing.scheduled(routine, eventOf(trigger, summaryOf(slot, trigger)), slot.reason, nowMs);
    }
    this.#database
      .update(schedules)
      .set({ claimedUntil: plan.claimedUntilMs })
      .where(eq(schedules.triggerId, trigger.id))
      .run();
    this.#known().set(trigger.id, { ...claim, claimedUntil: plan.claimedUntilMs, dueAt: plan.lookAtMs });
    return plan.slots.length + Number(plan.folded !== null);
  }

  /** When the routine has to be looked at next; null when nothing is scheduled. Unix milliseconds. */
  dueAt(routine: RoutineRow): number | null {
    const moments = schedulesOf(routine).flatMap((trigger) => this.#dueAt(trigger) ?? []);
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #dueAt(trigger: ScheduleTrigger): number | null {
    const claim = this.#known().get(trigger.id);
    if (claim === undefined) return null;
    if (claim.dueAt === undefined) {
      const [next] = nextSlots(trigger, claim.claimedUntil, 1);
      claim.dueAt = next === undefined ? null : next + jitterMs(trigger.id, trigger.jitter);
    }
    return claim.dueAt;
  }

  #known(): Map<string, Claim> {
    this.#claims ??= new Map(
      this.#database
        .select()
        .from(schedules)
        .all()
        .map(({ triggerId, spec, claimedUntil }) => [triggerId, { spec, claimedUntil }]),
    );
    return this.#claims;
  }
}

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
    // The claim is the key: what is claimed up to here never comes again.
    dedupe_key: null,
    content_key: null,
    fingerprint: "",
    depth: 0,
    checkout: null,
  };
}
