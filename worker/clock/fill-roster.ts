/** Takes the routines of versions without a roster into it, from D1, while D1 still lists them. */
import type { RoutineIndex } from "#instance/d1/routine-index.ts";
import type { RosterStub } from "../parties/parties.ts";

const PAGE = 500;
/** At one sweep; what is left is for the next. */
const PAGES = 20;

type Roster = Pick<RosterStub, "fill" | "fillAfter">;

/** @returns what a sweep does. Once all are in, nothing is asked any more in the isolate's life. */
export function rosterFilling(roster: () => Roster, index: Pick<RoutineIndex, "ids">): () => Promise<void> {
  let isFilled = false;
  return async () => {
    for (let page = 0; page < PAGES && !isFilled; page += 1) {
      const after = await roster().fillAfter();
      if (after === null) {
        isFilled = true;
        return;
      }
      const ids = await index.ids(after, PAGE);
      await roster().fill(ids, ids.length === 0);
    }
  };
}
