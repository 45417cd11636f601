/** Has the routine's clock strike: when the sweep comes for it, and also when nobody does. */
import { errorText, logLine } from "#protocol/log.ts";
import type { RoutineRow } from "./definition-store.ts";
import type { DueAnswer } from "./peers.ts";
import type { RoutineParts } from "./routine-parts.ts";

/**
 * A routine for which nobody has come so long after it was due strikes by itself: the sweep's row may be lost, or D1 and
 * the queue away. Still early enough that what was due is not missed.
 */
const UNATTENDED_MS = 4 * 60_000;
/** What failed, or was too much for one time, goes on after this long at the earliest. */
const AGAIN_MS = 60_000;
/** So many occurrences are made at one time, give or take those of one schedule: the rest is for the next. */
const MADE_AT_ONCE = 2_000;

interface Doors {
  /** One transaction, with what follows from it. */
  change<Value>(work: (nowMs: number) => Value): Value;
  /** Has `attend` called then, at the latest. */
  wakeAt(momentMs: number): void;
}

type Parts = Pick<RoutineParts, "clock" | "definitions" | "outbox">;

export class TimeKeeping {
  readonly #parts: Parts;
  readonly #doors: Doors;

  constructor(parts: Parts, doors: Doors) {
    this.#parts = parts;
    this.#doors = doors;
  }

  /**
   * Claims what has come due, one schedule after the other: one that fails holds up no other.
   * @returns when to look again: at once where not everything has been struck. @throws what the first that failed threw.
   */
  strike(routine: RoutineRow): DueAnswer {
    const { clock } = this.#parts;
    const failures: unknown[] = [];
    let made = 0;
    for (const trigger of clock.due(routine, Date.now())) {
      if (made >= MADE_AT_ONCE) break;
      try {
        made += this.#doors.change((nowMs) => clock.strike(routine, trigger, nowMs));
      } catch (error) {
        failures.push(error);
      }
    }
    const dueAt = clock.dueAt(routine);
    this.expect(dueAt);
    if (failures.length > 0) throw failures[0];
    return { due_at: dueAt, version: routine.version };
  }

  /** Sees to it that the routine does not wait in vain to be looked at. @param dueAt Unix milliseconds, or null. */
  expect(dueAt: number | null): void {
    if (dueAt !== null) this.#doors.wakeAt(Math.max(dueAt + UNATTENDED_MS, Date.now() + AGAIN_MS));
  }

  /** Strikes where nobody has come in time, and has D1 told anew when the routine is due. */
  attend(): void {
    const { clock, definitions, outbox } = this.#parts;
    const routine = definitions.row();
    if (routine === null || routine.status === "deleted") return;
    const dueAt = clock.dueAt(routine);
    if (dueAt === null || dueAt + UNATTENDED_MS > Date.now()) {
      this.expect(dueAt);
      return;
    }
    logLine("warn", { what: "unattended", routine_id: routine.id, outcome: "struck by its own alarm" });
    try {
      this.strike(routine);
    } catch (error) {
      logLine("error", { what: "strike", routine_id: routine.id, outcome: errorText(error) });
    }
    this.#doors.change((nowMs) => outbox.owe("project_routine", routine.id, nowMs));
  }
}
