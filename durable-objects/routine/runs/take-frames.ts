/** What the frames of an attempt do to its run and its transcript. */
import type { Frame, LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import type { EventBody } from "#protocol/transcript.ts";
import type { RunRecord } from "#rules/run/record.ts";
import type { Conversations } from "../conversations/conversations.ts";
import { workspaceKey } from "../conversations/r2-keys.ts";
import type { Messages } from "../sessions/messages.ts";
import { type Mark, markOf, type TranscriptLog } from "../transcript/transcript-log.ts";
import type { Tx, Work } from "../work.ts";
import type { AskedHosts } from "./asked-hosts.ts";
import type { Questions } from "./questions.ts";
import type { RunEngine } from "./run-engine.ts";
import { isForgotten, tellForgotten } from "./run-lines.ts";
import type { RunRow } from "./run-store.ts";
import type { Steering } from "./steering.ts";

interface Parts {
  work: Work;
  engine: RunEngine;
  log: TranscriptLog;
  hosts: AskedHosts;
  conversations: Conversations;
  steering: Steering;
  messages: Messages;
  questions: Questions;
}

export class TakeFrames {
  readonly #engine: RunEngine;
  readonly #log: TranscriptLog;
  readonly #hosts: AskedHosts;
  readonly #conversations: Conversations;
  readonly #work: Work;
  readonly #steering: Steering;
  readonly #messages: Messages;
  readonly #questions: Questions;

  constructor({ work, engine, log, hosts, conversations, steering, messages, questions }: Parts) {
    this.#work = work;
    this.#engine = engine;
    this.#log = log;
    this.#hosts = hosts;
    this.#conversations = conversations;
    this.#steering = steering;
    this.#messages = messages;
    this.#questions = questions;
  }

  /** Takes in a frame of an attempt that is on; one that is stored already changes nothing. */
  take(tx: Tx, lease: LeaseRef, frame: Frame): void {
    const row = this.#engine.leased(lease);
    if (row === null) return;
    const mark = this.#markOf(row);
    if (frame.n <= mark.frame) return;
    const { body } = frame;
    const isCall = body.kind === "event" && body.event.type === "tool.call";
    // Before all else: an attempt that ends with this frame starts its successor at frame 0.
    this.#log.note(tx, row.sessionId, { ...mark, frame: frame.n, toolCalls: mark.toolCalls + Number(isCall) });
    this.#takeBody(tx, row, body);
  }

  /** The last frame of the run's present attempt that is stored. */
  last(row: RunRow): number {
    return this.#markOf(row).frame;
  }

  #takeBody(tx: Tx, row: RunRow, body: Frame["body"]): void {
    const engine = this.#engine;
    switch (body.kind) {
      case "event":
        this.#takeEvent(tx, row, body.event);
        return;
      case "running":
        engine.feed(tx, row.id, { type: "running", sandbox: body.sandbox });
        return;
      case "waiting":
        this.#wait(tx, row, body);
        return;
      case "conversation":
        this.#conversations.add(tx, row.sessionId, leaseOf(row), body);
        return;
      case "workspace": {
        const { kind: _kind, ...kept } = body;
        const key = workspaceKey(row.doc.routine_id, row.sessionId, leaseOf(row));
        this.#conversations.keepWorkspace(tx, row.sessionId, key, kept);
        return;
      }
      case "took":
        this.#steering.took(tx, row, body.n);
        return;
      case "idle":
        engine.feed(tx, row.id, { type: "idle", isMessageWaiting: this.#messages.waiting(row.id).length > 0 });
        return;
      case "finished":
        this.#hosts.add(tx, row.id, body.seen.hosts ?? []);
        if (isForgotten(body.seen)) this.#work.afterwards(tx, `forgotten:${row.id}`, () => tellForgotten(leaseOf(row)));
        engine.feed(tx, row.id, { type: "finished", frame: body });
    }
  }

  /** Whether what the run waited for has come, and come to nothing. */
  isUnheard(row: RunRow): boolean {
    return this.#questions.isUnheard(row);
  }

  #wait(tx: Tx, row: RunRow, { for: what, question }: Extract<Frame["body"], { kind: "waiting" }>): void {
    this.#questions.heard(tx, row.id, question?.id ?? null);
    // One that has come while this was on its way: the agent goes on with it by itself.
    const goesOn = what === "message" && this.#messages.waiting(row.id).some(({ kind }) => kind === "message");
    if (goesOn) return;
    if (question === undefined) {
      this.#engine.feed(tx, row.id, { type: "waiting", for: what, untilMs: null, question: null });
    } else {
      this.#questions.ask(tx, row, question, tx.nowMs + this.#engine.limitsOf(row.doc).answerMs);
    }
  }

  #takeEvent(tx: Tx, row: RunRow, event: EventBody): void {
    const engine = this.#engine;
    engine.append(tx, row, [event]);
    if (event.type === "tool.result") this.#questions.taken(tx, row, event.tool_call_id);
    if (event.type === "run.step") engine.feed(tx, row.id, { type: "step", phase: event.phase });
    const isOwn = event.type === "tool.call" || event.type.startsWith("agent.");
    if (!isOwn || row.doc.timings.first_event_at !== null) return;
    engine.update(tx, row, withFirstEvent(row.doc, timestamp(tx.nowMs)));
  }

  #markOf(row: RunRow): Mark {
    return markOf(this.#log.end(row.sessionId)?.mark, row.id, row.doc.attempt);
  }
}

function leaseOf({ id: run_id, doc }: RunRow): LeaseRef {
  return { run_id, generation: doc.attempt };
}

function withFirstEvent<Any extends RunRecord>(run: Any, at: string): Any {
  return { ...run, timings: { ...run.timings, first_event_at: at } };
}
