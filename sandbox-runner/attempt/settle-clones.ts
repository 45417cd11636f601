/** Puts a clone that was made beside a waiting program's copy into the copy's place, and says whether the program is still fit. */
import type { Clone } from "../git/clone-plan.ts";
import type { Prepared } from "../prepared/prepared.ts";

/** What waits for the run, as it is looked at here. */
type Waiting = Pick<Prepared, "copy" | "isThere" | "giveUp">;

export interface Settled<Kind> {
  /** At their places. */
  clones: Clone[];
  /** What waits for the run; null where it is to start its own. */
  prepared: Kind | null;
}

const TAKEN =
  "The agent was started ahead, in a copy of what an earlier run had cloned. What was cloned now has taken the copy's place; its instruction files are the same.";
const GIVEN_UP =
  "An agent was started ahead, in a copy of what an earlier run had cloned. What it had read there is not what was cloned now, so it is started anew.";
const REFUSED =
  "An agent was started ahead, in a copy of what an earlier run had cloned. What was cloned now could not be moved to the copy's place as it has to be for that, so it is started anew.";
const LOST =
  "An agent was started ahead, in a copy of what an earlier run had cloned. It has ended, so another is started.";

/**
 * Before anything is cloned. @returns what waits for the run; null where it has ended since it was taken: then nothing of it is left.
 * Never rejects.
 */
export async function ifThere<Kind extends Waiting>(waited: Kind | null): Promise<Kind | null> {
  if (waited === null || waited.isThere) return waited;
  await waited.giveUp();
  // What can't be removed is in the way of the clone, which says so.
  await waited.copy?.remove().catch(() => {});
  return null;
}

/** @throws when the file system refuses. */
export async function settleClones<Kind extends Waiting>(
  clones: readonly Clone[],
  prepared: Kind | null,
  signal: AbortSignal,
  onStep: (message: string) => void,
): Promise<Settled<Kind>> {
  const copy = prepared?.copy ?? null;
  const [clone] = clones;
  if (prepared === null || copy === null || clone === undefined) return { clones: [...clones], prepared };
  const isLike = prepared.isThere && (await copy.isLike(clone));
  // It may have ended while the two were compared.
  if (prepared.isThere && isLike) {
    const placed = await copy.giveWayTo(clone, signal);
    if (placed !== null) {
      onStep(TAKEN);
      return { clones: [placed], prepared };
    }
  }
  const step = !prepared.isThere ? LOST : isLike ? REFUSED : GIVEN_UP;
  await prepared.giveUp();
  const placed = await copy.yieldTo(clone, signal);
  onStep(step);
  return { clones: [placed], prepared: null };
}
