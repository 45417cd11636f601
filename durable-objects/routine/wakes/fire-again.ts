/** Gives the routine again what it was given before, because a person asks for it. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Admission, Wake } from "#protocol/occurrence.ts";
import { isSettled } from "#protocol/run.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx } from "../work.ts";
import type { Wakes } from "./wake.ts";

export class FireAgain {
  readonly #wakes: Wakes;
  readonly #runs: RunStore;
  readonly #deadLetters: DeadLetters;

  constructor(wakes: Wakes, runs: RunStore, deadLetters: DeadLetters) {
    this.#wakes = wakes;
    this.#runs = runs;
    this.#deadLetters = deadLetters;
  }

  /**
   * A new run, in a session of its own, with the input of one that has ended, and with the routine as it is now.
   * @param call of the request, with its key. @param isRepeat as for a fire.
   */
  retry(tx: Tx, routine: RoutineRow, runId: string, call: Wake, isRepeat: boolean): Result<Admission> {
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    if (!isSettled(row.doc)) return refuse("run_not_settled");
    if (row.doc.session_deleted === true) return refuse("session_deleted");
    const { type, id, summary, occurrence_id, depth = 0 } = row.doc.trigger;
    const { text, checkout } = row;
    // The key is for this run: with another one it is another request.
    const fingerprint = call.dedupe_key === null ? "" : runId;
    const given = { type, trigger_id: id, summary, depth, text, checkout };
    const wake = { ...call, ...given, fingerprint, retry_of: runId };
    const answer = this.#wakes.fire(tx, routine, wake, isRepeat);
    const letter = answer.ok ? this.#deadLetters.get(occurrence_id) : null;
    if (answer.ok && letter?.doc.fired === null) this.#deadLetters.fired(tx, letter, answer.value);
    return answer;
  }

  /** Fires a dead letter. Fired before, it gives the run of that time. @param call of the request. */
  fire(tx: Tx, routine: RoutineRow, id: string, call: Wake): Result<Admission> {
    const row = this.#deadLetters.get(id);
    if (row === null) return refuse("not_found");
    const { fired, trigger, run_id } = row.doc;
    if (fired !== null) {
      const { at: _at, ...admission } = fired;
      return success({ ...admission, duplicate: true });
    }
    const { text, checkout } = row;
    const { type, id: trigger_id, summary, depth = 0 } = trigger;
    const given = { type, trigger_id, summary, depth, text, checkout, dedupe_key: null, fingerprint: "", again_of: id };
    const wake: Wake = { ...call, ...given, ...(run_id === null ? {} : { retry_of: run_id }) };
    const answer = this.#wakes.fire(tx, routine, wake, false);
    if (answer.ok) this.#deadLetters.fired(tx, row, answer.value);
    return answer;
  }
}
