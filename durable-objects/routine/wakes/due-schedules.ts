/** Fires what is due: when the sweep asks for it, and by the object's own alarm when the sweep does not come. */

import type { DueAnswer } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import { earliest } from "#rules/schedules/earliest.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Work } from "../work.ts";
import type { Schedules } from "./schedules.ts";
import type { WakeGate } from "./wake-gate.ts";
import type { Watches } from "./watches.ts";

/**
 * A routine that the sweep has not asked this long after it was due fires by itself: the sweep's row may be lost, or D1 and
 * the queue may be down. It is early enough for a slot to count as on time.
 */
const UNATTENDED_MS = 4 * 60_000;
/** After firing by itself the routine lets so much time pass before it does so again. */
const AGAIN_MS = 60_000;
/** So many occurrences are made at one time, give or take those of one schedule: the rest is for the next. */
const MADE_AT_ONCE = 2_000;

interface Parts {
  work: Work;
  schedules: Schedules;
  watches: Watches;
  gate: WakeGate;
  definitions: DefinitionStore;
  outbox: Outbox;
}

export class DueSchedules {
  readonly #parts: Parts;
  /** The routine has fired by itself, and does so again at this time at the earliest. */
  #notBeforeMs = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Claims what has come due, one schedule after the other: one that fails holds up no other.
   * @param quietMs what follows from the runs may wait for so long.
   * @returns when to look again: at once where not everything has been fired. @throws what the first that failed threw.
   */
  fireDue(routine: RoutineRow, quietMs: number): Omit<DueAnswer, "faults"> {
    const { schedules, watches, gate, work, outbox } = this.#parts;
    const failures: unknown[] = [];
    let made = 0;
    for (const trigger of schedules.due(routine, Date.now())) {
      if (made >= MADE_AT_ONCE) break;
      try {
        made += outbox.unhurried(quietMs, () => work.change((tx) => schedules.claimDue(tx, routine, trigger)));
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    const nowMs = Date.now();
    const dueAt = earliest(schedules.dueAt(routine), watches.heartbeatAt(nowMs), gate.heartbeatAt(nowMs));
    return { due_at: dueAt, version: routine.version };
  }

  /** When the routine fires by itself, should nobody come before; null when nothing is scheduled. Unix milliseconds. */
  next(): number | null {
    const { schedules, definitions } = this.#parts;
    const routine = definitions.living();
    if (routine === null) return null;
    const dueAt = schedules.dueAt(routine);
    return dueAt === null ? null : Math.max(dueAt + UNATTENDED_MS, this.#notBeforeMs);
  }

  /**
   * Called when the sweep has not come in time: fires what is due, and has D1 told when the routine is due next. @throws
   * what `fireDue` does.
   */
  fireUnattended(): void {
    const { work, definitions, outbox } = this.#parts;
    const routine = definitions.row();
    if (routine === null) return;
    this.#notBeforeMs = Date.now() + AGAIN_MS;
    logTrouble("schedule_unattended", { routine_id: routine.id }, "no sweep has come");
    try {
      this.fireDue(routine, 0);
    } finally {
      // Also when that fails: the sweep may be what is needed.
      work.change((tx) => outbox.owe(tx, "project_routine", routine.id));
    }
  }
}
