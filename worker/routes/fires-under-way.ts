/** Which routines this worker brings several fires at one time: their objects write those down together. */

/** A request whose caller has gone may never end here. After this long without another fire of the routine it is not counted any more. */
const FORGOTTEN_AFTER_MS = 10_000;
const ROUTINES_COUNTED = 1_000;

interface UnderWay {
  count: number;
  lastMs: number;
}

/** One that is counted too long does no harm: the next fire of its routine waits for a moment in which nobody comes. */
export class FiresUnderWay {
  readonly #routines = new Map<string, UnderWay>();

  /** Until what it returns has been called, a fire of the routine is under way. @param routineId as it was sent. */
  begin(routineId: string, nowMs: number): () => void {
    const known = this.#routines.get(routineId);
    const fires = known === undefined || nowMs - known.lastMs > FORGOTTEN_AFTER_MS ? { count: 0, lastMs: 0 } : known;
    fires.count += 1;
    fires.lastMs = nowMs;
    if (known === undefined && this.#routines.size >= ROUTINES_COUNTED) this.#routines.clear();
    this.#routines.set(routineId, fires);
    return () => {
      fires.count -= 1;
      if (fires.count === 0 && this.#routines.get(routineId) === fires) this.#routines.delete(routineId);
    };
  }

  /** Whether there are others beside the one that asks. */
  hasOthers(routineId: string): boolean {
    return (this.#routines.get(routineId)?.count ?? 0) > 1;
  }
}
