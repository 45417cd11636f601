/** The routine's schedules: claims each scheduled instant once, and tells when to look again. */
import { eq, notInArray } from "drizzle-orm";
import { timestamp } from "#protocol/time.ts";
import type { TriggerEvent } from "#protocol/trigger-event.ts";
import type { ScheduleTrigger } from "#protocol/triggers.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { Firing } from "./firing.ts";
import type { Database } from "./routine-database.ts";
import { schedules } from "./routine-schema.ts";
import { type PlannedSlot, planSlots } from "./triggers/plan-slots.ts";
import { jitterMs, nextSlots } from "./triggers/schedule-rules.ts";

type Claim = typeof schedules.$inferSelect;

/** Why many times long ago are missed together. */
const FOLDED_REASONS = { none: "slot_missed", latest: "slot_superseded", all: "catch_up_limit" } as const;

export class Clock {
  readonly #database: Database;
  readonly #firing: Firing;

  constructor(database: Database, firing: Firing) {
    this.#database = database;
    this.#firing = firing;
  }

  /**
   * Takes in the schedules of a definition: a new one, and one whose instants are others, begins at this moment. Call it
   * inside a transaction.
   */
  adopt(routine: RoutineRow, nowMs: number): void {
    const triggers = schedulesOf(routine);
    const known = this.#claims();
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
    const kept = triggers.map(({ id }) => id);
    if (known.size > 0) this.#database.delete(schedules).where(notInArray(schedules.triggerId, kept)).run();
  }

  /** Claims whatever has come due, and has it fire or be recorded as missed. Call it inside a transaction. */
  strike(routine: RoutineRow, nowMs: number): void {
    const claims = this.#claims();
    for (const trigger of schedulesOf(routine)) {
      const claim = claims.get(trigger.id);
      if (claim !== undefined) this.#strikeOne(routine, trigger, claim, nowMs);
    }
  }

  /** When the routine has to be looked at next; null when nothing is scheduled. Unix milliseconds. */
  dueAt(routine: RoutineRow): number | null {
    const claims = this.#claims();
    const moments = schedulesOf(routine).flatMap((trigger) => {
      const claim = claims.get(trigger.id);
      const [next] = claim === undefined ? [] : nextSlots(trigger, claim.claimedUntil, 1);
      return next === undefined ? [] : [next + jitterMs(trigger.id, trigger.jitter)];
    });
    return moments.length === 0 ? null : Math.min(...moments);
  }

  #strikeOne(routine: RoutineRow, trigger: ScheduleTrigger, claim: Claim, nowMs: number): void {
    const plan = planSlots({ trigger, claimedUntilMs: claim.claimedUntil, nowMs });
    if (plan.claimedUntilMs === claim.claimedUntil) return;
    if (plan.folded !== null) {
      const { count, firstMs, lastMs } = plan.folded;
      const summary = `${count} times from ${timestamp(firstMs)} to ${timestamp(lastMs)}`;
      this.#firing.strike(routine, eventOf(trigger, summary), FOLDED_REASONS[trigger.catch_up], nowMs);
    }
    for (const slot of plan.slots) {
      this.#firing.strike(routine, eventOf(trigger, summaryOf(slot, trigger)), slot.reason, nowMs);
    }
    this.#database
      .update(schedules)
      .set({ claimedUntil: plan.claimedUntilMs })
      .where(eq(schedules.triggerId, trigger.id))
      .run();
  }

  #claims(): Map<string, Claim> {
    const rows = this.#database.select().from(schedules).all();
    return new Map(rows.map((row) => [row.triggerId, row]));
  }
}

function schedulesOf({ definition }: RoutineRow): ScheduleTrigger[] {
  return definition.triggers.filter((trigger) => trigger.type === "schedule");
}

function specOf({ cron, every, time, minute, weekday, day, at, timezone }: ScheduleTrigger): string {
  return JSON.stringify({ cron, every, time, minute, weekday, day, at, timezone });
}

function summaryOf({ atMs, verdict }: PlannedSlot, { timezone }: ScheduleTrigger): string {
  const local = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    dateStyle: "medium",
    timeStyle: "short",
    hourCycle: "h23",
  }).format(atMs);
  const words = verdict === "catch_up" ? "Made up for" : "Scheduled for";
  return `${words} ${local} (${timezone})`;
}

function eventOf({ id }: ScheduleTrigger, summary: string): TriggerEvent {
  return {
    type: "schedule",
    trigger_id: id,
    summary,
    text: null,
    // The claim is the key: what is claimed up to here never comes again.
    dedupe_key: null,
    also_key: null,
    fingerprint: "",
    depth: 0,
    checkout: null,
  };
}
