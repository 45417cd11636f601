/** What a push is about to set, noted before it leaves: the upstream's webhook can be here before its answer. */

import { logTrouble } from "#protocol/log.ts";
import type { Cause } from "#protocol/source-event.ts";
import { marksOf, type RefUpdate } from "#rules/push-marks.ts";
import type { Matching } from "#worker/store/matching.ts";

export interface PushFacts {
  /** The repository's id or name, as it stands in marks. */
  key: number | string;
  /** The run to which the events that the push causes are traced back. */
  cause: Cause;
  commands: readonly RefUpdate[];
}

export interface NotedPush {
  /**
   * Takes back what was noted of refs that the upstream has refused: what others push there later is not the run's. What
   * the run had pushed before stays its own. Never rejects.
   */
  takeBack(isRefused: (ref: string) => boolean): Promise<void>;
}

/** @returns null when it could not be noted: then the push must not leave. */
export async function notePush(matching: Matching, facts: PushFacts, nowMs: number): Promise<NotedPush | null> {
  const { key, cause, commands } = facts;
  const marksFor = (some: readonly RefUpdate[]) => [...new Set(some.flatMap((command) => marksOf(key, command)))];
  try {
    const fresh = new Set(await matching.notePush(marksFor(commands), cause, nowMs));
    return {
      takeBack: async (isRefused) => {
        const others = new Set(marksFor(commands.filter(({ ref }) => !isRefused(ref))));
        const refused = marksFor(commands.filter(({ ref }) => isRefused(ref)));
        const wrong = refused.filter((mark) => fresh.has(mark) && !others.has(mark));
        await matching
          .forgetPush(wrong, cause)
          .catch((error) => logTrouble("push_note_kept", { run_id: cause.run_id }, error));
      },
    };
  } catch (error) {
    logTrouble("push_refused_unnoted", { run_id: cause.run_id }, error);
    return null;
  }
}
