/** Tells the routines' objects which leases have ended: one lane for each routine, so that one that hangs holds up no other. */

import { withinDeadline } from "#instance/in-time.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import { type LeaseRow, type Leases, refOf } from "./leases.ts";

/** A routine's object that does not answer within this time is asked again later. */
export const REPORT_DEADLINE_MS = 5_000;
const LANES_AT_ONCE = 10;
/** A report that is under way is not made a second time before this has passed. */
const CLAIM_MS = 60_000;

/** Tells the object of a routine; rejects when that did not go through. */
type Tell = (routineId: string, lease: LeaseRef, end: LeaseEnd) => Promise<void>;

export class ReportEnds {
  readonly #leases: Leases;
  readonly #tell: Tell;
  readonly #onSettled: () => void;
  /** What each routine's object has to be told, by the routine's id; the oldest lane first. */
  readonly #lanes = new Map<string, LeaseRow[]>();
  readonly #busy = new Set<string>();

  /** @param onSettled called when something has gone through, or has been put off. */
  constructor(leases: Leases, tell: Tell, onSettled: () => void) {
    this.#leases = leases;
    this.#tell = tell;
    this.#onSettled = onSettled;
  }

  /** Takes up what is due. Returns at once: nobody waits for a routine's object. */
  start(due: readonly LeaseRow[], nowMs: number): void {
    for (const row of due) {
      const claimed = this.#leases.claimReport(row, nowMs + CLAIM_MS);
      const lane = this.#lanes.get(row.routineId);
      if (lane === undefined) this.#lanes.set(row.routineId, [claimed]);
      else if (!lane.some((one) => isSame(one, row))) lane.push(claimed);
    }
    this.#fill();
  }

  #fill(): void {
    for (const [routineId, lane] of this.#lanes) {
      if (this.#busy.size >= LANES_AT_ONCE) return;
      if (this.#busy.has(routineId)) continue;
      this.#busy.add(routineId);
      void this.#work(lane)
        .catch((error) => logTrouble("lease_reports_stopped", { routine_id: routineId }, error))
        .then(() => {
          this.#busy.delete(routineId);
          this.#lanes.delete(routineId);
          this.#onSettled();
          this.#fill();
        });
    }
  }

  /** One call after the other. After one that failed the rest of the lane is put off as well. */
  async #work(lane: LeaseRow[]): Promise<void> {
    for (let row = lane[0]; row !== undefined; row = lane[0]) {
      try {
        await withinDeadline(this.#tell(row.routineId, refOf(row), row.end ?? "work_ended"), REPORT_DEADLINE_MS);
      } catch (error) {
        logTrouble("lease_end_not_told", { ...refOf(row), routine_id: row.routineId }, error);
        for (const one of lane) this.#leases.postponeReport(one, Date.now());
        return;
      }
      this.#leases.remove(refOf(row));
      lane.shift();
    }
  }
}

function isSame(left: LeaseRow, right: LeaseRow): boolean {
  return left.runId === right.runId && left.generation === right.generation;
}
