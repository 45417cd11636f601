/** Takes routines that were made by versions without a roster into it, from D1, while D1 still lists them. */
import type { RoutineIndex } from "#instance/d1/routine-index.ts";
import type { RosterStub } from "../parties/parties.ts";

const PAGE = 500;
/** At one sweep; what is left is for the next. */
const PAGES = 20;
const ASKED_AGAIN_MS = 3_600_000;

type Roster = Pick<RosterStub, "fill" | "fillAfter">;

/** @returns what a sweep does. Once all are in, the roster is not asked for an hour. */
export function rosterFilling(roster: () => Roster, index: Pick<RoutineIndex, "ids">): () => Promise<void> {
  let notBeforeMs = 0;
  return async () => {
    for (let page = 0; page < PAGES && Date.now() >= notBeforeMs; page += 1) {
      const after = await roster().fillAfter();
      if (after === null) {
        notBeforeMs = Date.now() + ASKED_AGAIN_MS;
        return;
      }
      const ids = await index.ids(after, PAGE);
      await roster().fill(ids, ids.length === 0);
    }
  };
}
