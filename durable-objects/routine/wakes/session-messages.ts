/** Messages of people, to the run that is on or to one that they start; and what a run has ended without. */

import type { Actor } from "#protocol/actor.ts";
import { firstCharacters } from "#protocol/characters.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { MessageAnswer } from "#protocol/message.ts";
import type { Wake } from "#protocol/occurrence.ts";
import { oneSeenLine } from "#protocol/unseen-characters.ts";
import { withOccurrence } from "#rules/run/named-occurrences.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunRow } from "../runs/run-store.ts";
import type { SessionFollows } from "../runs/session-follows.ts";
import { isSilent, type Steering } from "../runs/steering.ts";
import type { Given, Messages } from "../sessions/messages.ts";
import type { SaidByViewer } from "../viewers/viewers.ts";
import type { Tx, Work } from "../work.ts";
import type { Wakes } from "./wake.ts";

/** How much of a message stands in the summary of the run that it starts. */
const SUMMARY_LENGTH = 80;

export interface ToSession {
  sessionId: string;
  id: string;
  by: Actor;
  /** Of the request that brings it; null where none does. */
  requestId: string | null;
}

export class SessionMessages implements SessionFollows {
  readonly #work: Work;
  readonly #definitions: DefinitionStore;
  readonly #engine: RunEngine;
  readonly #steering: Steering;
  readonly #messages: Messages;
  readonly #wakes: Wakes;

  constructor(parts: {
    work: Work;
    definitions: DefinitionStore;
    engine: RunEngine;
    steering: Steering;
    messages: Messages;
    wakes: Wakes;
  }) {
    this.#work = parts.work;
    this.#definitions = parts.definitions;
    this.#engine = parts.engine;
    this.#steering = parts.steering;
    this.#messages = parts.messages;
    this.#wakes = parts.wakes;
  }

  /** Said twice under one id, it is said once. */
  say(tx: Tx, routine: RoutineRow, said: ToSession & { text: string }): Result<MessageAnswer> {
    const { sessionId, id, by, text } = said;
    const before = this.#before(sessionId, id);
    if (before !== null) return success(before);
    const given = this.#steering.say(tx, sessionId, { id, text, by });
    if (!given.ok) return given;
    if (given.value !== null) return success(answer(said, given.value));
    const started = this.#wakes.intoSession(tx, routine, sessionId, wakeOf(said));
    if (!started.ok) return started;
    const { run_id } = started.value;
    this.#steering.add(tx, run_id, { sessionId, id, text, by });
    return success(answer(said, run_id));
  }

  /** What was said before, to a run that somebody has asked for since: once, under that run's own id. */
  sayAgain(tx: Tx, runId: string, { sessionId, text, by }: { sessionId: string; text: string; by: Actor }): void {
    if (this.#messages.runOf(sessionId, runId) === null)
      this.#steering.add(tx, runId, { sessionId, id: runId, text, by });
  }

  interrupt(tx: Tx, said: ToSession): Result<MessageAnswer> {
    const before = this.#before(said.sessionId, said.id);
    if (before !== null) return success(before);
    const given = this.#steering.interrupt(tx, said.sessionId, said);
    return given.ok ? success(answer(said, given.value)) : given;
  }

  /** What a viewer says, by its own connection. */
  hear(sessionId: string, { type, ...said }: SaidByViewer, by: Actor): Result<MessageAnswer> {
    const routine = this.#definitions.living();
    if (routine === null) return refuse("not_found");
    const whole = { ...said, sessionId, by, requestId: null };
    return this.#work.change((tx): Result<MessageAnswer> => {
      if (type === "interrupt") return this.interrupt(tx, whole);
      return this.say(tx, routine, { ...whole, text: "text" in said ? said.text : "" });
    });
  }

  /**
   * A run has ended. Events that its agent has not got are for the session's next run. What people have said is so where this one
   * has ended well, or stays in the transcript as it is; of a run that messages have started it is what a retry says again.
   * @returns the run's row afterwards.
   */
  ended(tx: Tx, row: RunRow): RunRow {
    const next = this.#handOn(tx, row);
    if (row.status === "succeeded") {
      if (next !== null) this.#messages.pass(tx, row.id, next);
      if (next !== null || this.#goOn(tx, row)) return row;
    }
    return this.#steering.leave(tx, row);
  }

  /**
   * A run waits, without a sandbox. One that waits for something to be said makes way for a run of its session that waits behind it:
   * what has been said in it is there for that one, and for people to go on with.
   */
  parked(tx: Tx, row: RunRow): void {
    const isBehind = row.id !== this.#steering.listening(row.sessionId)?.id;
    if (isBehind && isSilent(row)) this.#engine.feed(tx, row.id, { type: "cancel_requested", reason: "superseded" });
  }

  /**
   * @returns the run that has the events now; null where there are none. Each is the task of a run that is made for it once at
   * most; what such a task has no room for, that run is told as it is told what comes while it is on.
   */
  #handOn(tx: Tx, { id: runId, sessionId }: RunRow): string | null {
    const routine = this.#definitions.living();
    const [first, ...more] = this.#messages.given(runId);
    if (routine === null || first === undefined) return null;
    const waiting = this.#steering.listening(sessionId);
    if (waiting !== null && waiting.id !== runId) {
      this.#messages.passEvents(tx, runId, waiting.id);
      this.#engine.name(tx, waiting, [first, ...more].reduce(withGiven, waiting.doc.trigger));
      return waiting.id;
    }
    const next = this.#wakes.goOn(tx, routine, sessionId, [first, ...more]);
    for (const { n } of [first, ...more].slice(0, next.told)) this.#messages.take(tx, runId, n);
    this.#messages.passEvents(tx, runId, next.runId);
    return next.runId;
  }

  /** A runner that knows nothing of messages ends without them. A run that messages have started starts no other. */
  #goOn(tx: Tx, { id: runId, sessionId, doc }: RunRow): boolean {
    const routine = this.#definitions.living();
    const [first] = this.#messages.said(runId);
    if (routine === null || first === undefined || doc.trigger.type === "message") return false;
    const wake = wakeOf({ sessionId, id: first.id, by: first.by, requestId: null, text: first.text });
    const started = this.#wakes.intoSession(tx, routine, sessionId, wake);
    if (started.ok) this.#messages.pass(tx, runId, started.value.run_id);
    return started.ok;
  }

  #before(sessionId: string, id: string): MessageAnswer | null {
    const runId = this.#messages.runOf(sessionId, id);
    return runId === null ? null : { ...answer({ sessionId, id }, runId), duplicate: true };
  }
}

function withGiven(trigger: RunRow["doc"]["trigger"], { event }: Given): RunRow["doc"]["trigger"] {
  return withOccurrence(trigger, event.occurrence_id, event.depth);
}

function answer({ sessionId, id }: Pick<ToSession, "sessionId" | "id">, runId: string): MessageAnswer {
  return { id, session_id: sessionId, run_id: runId, duplicate: false };
}

function wakeOf({ by, text, requestId }: ToSession & { text: string }): Wake {
  const [line = ""] = text.trim().split("\n");
  return {
    type: "message",
    trigger_id: null,
    summary: `Message from ${by.name}: ${firstCharacters(oneSeenLine(line), SUMMARY_LENGTH)}`,
    // It is the sender's own words to the agent, and no text from outside.
    text: null,
    dedupe_key: null,
    content_key: null,
    fingerprint: "",
    depth: 0,
    checkout: null,
    request_id: requestId,
    delivery_id: null,
  };
}
