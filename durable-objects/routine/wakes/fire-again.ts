/** Gives the routine again what it was given before, because a person asks for it. */
import { type Result, refuse } from "#protocol/errors.ts";
import type { Admission, Wake } from "#protocol/occurrence.ts";
import { isSettled } from "#protocol/run.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx } from "../work.ts";
import type { Wakes } from "./wake.ts";

export class FireAgain {
  readonly #wakes: Wakes;
  readonly #runs: RunStore;

  constructor(wakes: Wakes, runs: RunStore) {
    this.#wakes = wakes;
    this.#runs = runs;
  }

  /**
   * A new run, in a session of its own, with the input of one that has ended, and with the routine as it is now.
   * @param call of the request, with its key. @param isRepeat as for a fire.
   */
  retry(tx: Tx, routine: RoutineRow, runId: string, call: Wake, isRepeat: boolean): Result<Admission> {
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    if (!isSettled(row.doc)) return refuse("run_not_settled");
    const { type, id, summary, depth = 0 } = row.doc.trigger;
    const { text, checkout } = row;
    // The key is for this run: with another one it is another request.
    const fingerprint = call.dedupe_key === null ? "" : runId;
    const given = { type, trigger_id: id, summary, depth, text, checkout };
    return this.#wakes.fire(tx, routine, { ...call, ...given, fingerprint, retry_of: runId }, isRepeat);
  }
}
