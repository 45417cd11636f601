/** People's messages and interrupts, and events of a keyed session, from where they are said to the runner of the run that is on. */

import type { Actor } from "#protocol/actor.ts";
import { characterCount } from "#protocol/characters.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { MESSAGES_WAITING, MESSAGES_WAITING_LENGTH, messageTextSchema } from "#protocol/message.ts";
import { isSettled } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { EventBody } from "#protocol/transcript.ts";
import type { SessionState } from "#rules/admission.ts";
import type { GivenEvent } from "../session-tables.ts";
import type { Message, Messages } from "../sessions/messages.ts";
import type { Tx, Work } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunSockets } from "./run-sockets.ts";
import type { RunRow, RunStore } from "./run-store.ts";
import { toldAs } from "./told-messages.ts";

interface Parts {
  engine: RunEngine;
  runs: RunStore;
  messages: Messages;
  sockets: RunSockets;
  work: Work;
}

export class Steering {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Gives a message to the session's run that is on, or waits.
   * @returns the run; null where none takes messages any more, so that another has to be started.
   */
  say(tx: Tx, sessionId: string, said: { id: string; text: string; by: Actor }): Result<string | null> {
    const { engine, messages } = this.#parts;
    const text = messageTextSchema.safeParse(said.text);
    if (!text.success) {
      const issues = text.error.issues.map(({ message }) => ({ field: "text", message }));
      return refuse("invalid_request", { message: `text: ${issues[0]?.message}`, field: "text", issues });
    }
    const row = this.#hearing(sessionId);
    if (row === null) return success(null);
    if (isFull(messages.waiting(row.id), said.text)) return refuse("messages_full", { retry_after_s: 60 });
    this.add(tx, row.id, { sessionId, ...said });
    if (isSilent(row)) engine.feed(tx, row.id, { type: "continued" });
    return success(row.id);
  }

  /** Writes a message down for a run. */
  add(tx: Tx, runId: string, said: { sessionId: string; id: string; text: string; by: Actor }): void {
    this.#tell(tx, this.#parts.messages.add(tx, { ...said, kind: "message", event: null, runId }));
  }

  /** How a session stands for an event of its key. @param text of the event. */
  stateFor(sessionId: string, text: string | null): SessionState {
    const { runs, messages } = this.#parts;
    if (!runs.hasUnsettledRun(sessionId)) return "ended";
    const row = this.listening(sessionId);
    if (row === null || isFull(messages.waiting(row.id), text ?? "")) return "busy";
    if (isSilent(row)) return "silent";
    return row.doc.status === "waiting" ? "busy" : "open";
  }

  /** The run gets an event as a message. */
  give(tx: Tx, runId: string, given: { sessionId: string; text: string; event: GivenEvent }): void {
    const { engine, messages, runs } = this.#parts;
    const { occurrence_id: id } = given.event;
    this.#tell(tx, messages.add(tx, { ...given, id, kind: "message", by: null, runId }));
    const row = runs.get(runId);
    if (row !== null && isSilent(row)) engine.feed(tx, runId, { type: "continued" });
  }

  /** Has the turn stopped that is on. @returns the run. */
  interrupt(tx: Tx, sessionId: string, said: { id: string; by: Actor }): Result<string> {
    const { messages } = this.#parts;
    const row = this.#hearing(sessionId);
    if (row !== null && isSilent(row)) return success(row.id);
    if (row?.status !== "running") return refuse("nothing_to_interrupt");
    if (!row.features.includes("steer")) return refuse("runner_not_steered");
    // One that is under way does the same for both.
    if (messages.waiting(row.id).some(({ kind }) => kind === "interrupt")) return success(row.id);
    this.#tell(tx, messages.add(tx, { sessionId, ...said, kind: "interrupt", text: "", event: null, runId: row.id }));
    return success(row.id);
  }

  /**
   * An attempt begins of a run that people's messages have started: those that have come are its task. One that goes on has its task
   * already, and gets them as any other does.
   */
  begin(tx: Tx, row: RunRow): void {
    const { engine, messages } = this.#parts;
    if (row.doc.trigger.type !== "message" || row.before !== null) return;
    const said = messages.said(row.id);
    if (said.length === 0) return;
    this.#giveAsTask(tx, row, said);
    for (const { n } of said) messages.take(tx, row.id, n);
    engine.append(tx, row, said.map(eventOf));
  }

  /** The run has ended without what people have said: the transcript shows it so. @returns the run's row afterwards. */
  leave(tx: Tx, row: RunRow): RunRow {
    const { engine, runs, messages } = this.#parts;
    const said = messages.said(row.id);
    for (const { n } of messages.waiting(row.id)) messages.take(tx, row.id, n);
    if (said.length === 0) return row;
    engine.append(
      tx,
      row,
      said.map(({ by, id, text }) => ({
        type: "user.message",
        source: "person",
        by,
        message_id: id,
        undelivered: true,
        text,
      })),
    );
    if (row.doc.trigger.type !== "message") return row;
    this.#giveAsTask(tx, row, said);
    return runs.get(row.id) ?? row;
  }

  #giveAsTask(tx: Tx, row: RunRow, said: readonly Message[]): void {
    const { doc, checkout, notBefore } = row;
    const text = [...(row.text === null ? [] : [row.text]), ...said.map((message) => message.text)].join("\n\n");
    this.#parts.runs.rewrite(tx, row, { doc, text, checkout, notBefore });
  }

  /** The agent has got a message, or an interrupt has stopped what it was to stop. */
  took(tx: Tx, row: RunRow, n: number): void {
    const message = this.#parts.messages.take(tx, row.id, n);
    if (message !== null) this.#parts.engine.append(tx, row, [eventOf(message)]);
  }

  /** The newest run of the session, while it takes messages: events go to it, in the order in which they come. */
  listening(sessionId: string): RunRow | null {
    const row = this.#parts.runs.newest(sessionId);
    return row !== null && takesMessages(row) ? row : null;
  }

  /** The oldest that takes messages: people speak to the run that is on, and not to those that wait behind it. */
  #hearing(sessionId: string): RunRow | null {
    const { runs } = this.#parts;
    for (const id of runs.unsettledOf(sessionId)) {
      const row = runs.get(id);
      if (row !== null && takesMessages(row)) return row;
    }
    return null;
  }

  #tell(tx: Tx, message: Message): void {
    const { runs, sockets, work } = this.#parts;
    work.afterwards(tx, `said:${message.sessionId}:${message.n}`, () => {
      const row = runs.get(message.runId);
      if (row?.features.includes("steer")) sockets.tell(leaseOf(row), toldAs(message));
    });
  }
}

function takesMessages({ doc, ending }: RunRow): boolean {
  return !isSettled(doc) && doc.cancel_reason === null && ending !== "closing";
}

/** Nothing happens in it until a message has come. */
export function isSilent({ doc }: RunRow): boolean {
  return doc.status === "waiting" && doc.waiting.for === "message";
}

function isFull(waiting: readonly Message[], added: string): boolean {
  const length = waiting.reduce((sum, { text }) => sum + characterCount(text), characterCount(added));
  return waiting.length >= MESSAGES_WAITING || length > MESSAGES_WAITING_LENGTH;
}

function eventOf({ id, kind, text, by, event }: Message): EventBody {
  if (event !== null) {
    const { type, trigger_id, occurrence_id, summary } = event;
    const trigger = { type, id: trigger_id, occurrence_id };
    return { type: "user.message", source: "trigger", trigger, text: text || summary };
  }
  if (kind === "interrupt") return { type: "run.interrupted", by };
  return { type: "user.message", source: "person", by, message_id: id, text };
}

function leaseOf({ id: run_id, doc }: RunRow): LeaseRef {
  return { run_id, generation: doc.attempt };
}
