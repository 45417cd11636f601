/** Gives the routine again what it was given before, because a person asks for it. */

import type { Actor } from "#protocol/actor.ts";
import { characterCount } from "#protocol/characters.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { MESSAGES_WAITING_LENGTH } from "#protocol/message.ts";
import type { Admission, Wake } from "#protocol/occurrence.ts";
import { isSettled } from "#protocol/run.ts";
import type { RoutineRow } from "../definition/definition-store.ts";
import type { DeadLetters } from "../runs/dead-letters.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx } from "../work.ts";
import type { OccurrenceStore } from "./occurrences.ts";
import { wokenBy } from "./record-occurrence.ts";
import type { SessionMessages } from "./session-messages.ts";
import type { Wakes } from "./wake.ts";

/** Who asks, by which call, and whether that is made again because its answer was lost. */
interface Asked {
  call: Wake;
  by: Actor;
  isRepeat: boolean;
}

export class FireAgain {
  readonly #wakes: Wakes;
  readonly #runs: RunStore;
  readonly #occurrences: OccurrenceStore;
  readonly #deadLetters: DeadLetters;
  readonly #messages: SessionMessages;

  constructor(parts: {
    wakes: Wakes;
    runs: RunStore;
    occurrences: OccurrenceStore;
    deadLetters: DeadLetters;
    messages: SessionMessages;
  }) {
    this.#wakes = parts.wakes;
    this.#runs = parts.runs;
    this.#occurrences = parts.occurrences;
    this.#deadLetters = parts.deadLetters;
    this.#messages = parts.messages;
  }

  /** A new run with the input of one that has ended, and with the routine as it is now. The call has its request's key. */
  retry(tx: Tx, routine: RoutineRow, runId: string, asked: Asked): Result<Admission> {
    const { call } = asked;
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    if (!isSettled(row.doc)) return refuse("run_not_settled");
    if (row.doc.session_deleted === true) return refuse("session_deleted");
    const { type, id, summary, occurrence_id, depth = 0, woken_by } = row.doc.trigger;
    const { text, checkout } = row;
    // The key is for this run: with another one it is another request.
    const fingerprint = call.dedupe_key === null ? "" : runId;
    const given = { type, trigger_id: id, summary, depth, text, checkout, ...wokenBy(woken_by) };
    const wake = { ...call, ...given, ...this.#keyOf(routine, occurrence_id), fingerprint, retry_of: runId };
    const answer = this.#give(tx, routine, wake, asked);
    const letter = answer.ok ? this.#deadLetters.get(occurrence_id) : null;
    if (answer.ok && letter?.doc.fired === null) this.#deadLetters.fired(tx, letter, answer.value);
    return answer;
  }

  /** Fires a dead letter. Fired before, it gives the run of that time. */
  fire(tx: Tx, routine: RoutineRow, id: string, asked: Asked): Result<Admission> {
    const row = this.#deadLetters.get(id);
    if (row === null) return refuse("not_found");
    const { fired, trigger, run_id } = row.doc;
    if (fired !== null) {
      const { at: _at, ...admission } = fired;
      return success({ ...admission, duplicate: true });
    }
    const { text, checkout } = row;
    const { type, id: trigger_id, summary, depth = 0, woken_by } = trigger;
    const given = { type, trigger_id, summary, depth, ...wokenBy(woken_by), text, checkout };
    const again = { dedupe_key: null, fingerprint: "", again_of: id, ...this.#keyOf(routine, id) };
    const wake: Wake = { ...asked.call, ...given, ...again, ...(run_id === null ? {} : { retry_of: run_id }) };
    const answer = this.#give(tx, routine, wake, asked);
    if (answer.ok) this.#deadLetters.fired(tx, row, answer.value);
    return answer;
  }

  /** The key that it had when it came: the event is not there any more. */
  #keyOf({ definition }: RoutineRow, occurrenceId: string): Pick<Wake, "session_key"> {
    if (definition.session === "new") return {};
    const { session_key: key, session_key_fault: fault } = this.#occurrences.get(occurrenceId) ?? {};
    return { session_key: key === undefined ? { fault: fault ?? "It had no key when it came" } : { key } };
  }

  /** In a session of its own, or of its key; what people have said to a session goes there again, since its conversation is there. */
  #give(tx: Tx, routine: RoutineRow, wake: Wake, { by, isRepeat }: Asked): Result<Admission> {
    const { type, text, retry_of } = wake;
    const before = type === "message" && retry_of !== undefined ? this.#runs.get(retry_of) : null;
    // The session has gone with its runs: what was said to it has nowhere to go.
    if (before === null && type === "message" && retry_of !== undefined) return refuse("session_deleted");
    if (before === null) return this.#wakes.fire(tx, routine, wake, isRepeat);
    if (isSettled(before.doc) && before.doc.session_deleted === true) return refuse("session_deleted");
    // What had been said to a run and what was said to it later can be more, together, than one task may be.
    if (text !== null && characterCount(text) > MESSAGES_WAITING_LENGTH) return refuse("too_much_said");
    const { sessionId } = before;
    const answer = this.#wakes.fire(tx, routine, { ...wake, text: null }, isRepeat, sessionId);
    if (answer.ok && text !== null) this.#messages.sayAgain(tx, answer.value.run_id, { sessionId, text, by });
    return answer;
  }
}
