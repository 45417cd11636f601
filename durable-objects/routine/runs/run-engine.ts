/** Carries out what the run rules decide: rows, transcript, deadlines, and what is owed to others. */

import type { Checkout } from "#protocol/occurrence.ts";
import { type CancelReason, isSettled, type QueuedRun } from "#protocol/run.ts";
import type { Frame, LeaseRef } from "#protocol/runner-link.ts";
import { durationMs, timestamp } from "#protocol/time.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { freePlaces } from "#rules/admission.ts";
import type { DeadlineKind, Effect, RunInput, RunLimits, RunState } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import { type Mark, markOf, type TranscriptLog } from "../transcript/transcript-log.ts";
import type { Deadlines } from "./deadlines.ts";
import type { RunRow, RunStore } from "./run-store.ts";

/** What has to be said to sockets once the rows are written. */
export interface Said {
  /** Sessions whose transcripts have grown. */
  sessions: Set<string>;
  cancels: { runId: string; reason: CancelReason }[];
}

export interface NewRun {
  run: QueuedRun;
  /** What came with the trigger: untrusted. */
  text: string | null;
  checkout: Checkout | null;
  /** It has a place at once, and never waits. */
  isStarted: boolean;
  /** It does not start before; 0 when it may at once. Unix milliseconds. */
  notBeforeMs: number;
}

export class RunEngine {
  readonly #runs: RunStore;
  readonly #log: TranscriptLog;
  readonly #deadlines: Deadlines;
  readonly #outbox: Outbox;
  readonly #definitions: DefinitionStore;
  #said: Said = { sessions: new Set(), cancels: [] };

  constructor(parts: {
    runs: RunStore;
    log: TranscriptLog;
    deadlines: Deadlines;
    outbox: Outbox;
    definitions: DefinitionStore;
  }) {
    this.#runs = parts.runs;
    this.#log = parts.log;
    this.#deadlines = parts.deadlines;
    this.#outbox = parts.outbox;
    this.#definitions = parts.definitions;
  }

  /** What has to be said since the last call. */
  takeSaid(): Said {
    const said = this.#said;
    this.#said = { sessions: new Set(), cancels: [] };
    return said;
  }

  /**
   * Writes a new run with its session and its first events. Call it inside a transaction.
   */
  begin({ run, text, checkout, isStarted, notBeforeMs }: NewRun, events: readonly EventBody[], nowMs: number): void {
    const queued: RunState = { run, phase: "admission", notBeforeMs, overdue: null };
    const step = isStarted ? nextRun(queued, { type: "promoted" }, this.#limitsOf(run), nowMs) : null;
    const row = this.#runs.insert(step?.state ?? queued, { text, checkout }, nowMs);
    if (notBeforeMs > 0) this.#deadlines.set("retry", run.id, notBeforeMs);
    this.append(row, [...events, ...(step?.events ?? [])], nowMs);
    this.#outbox.owe("project_run", run.id, nowMs);
    for (const effect of step?.effects ?? []) this.#carryOut(row, run.attempt, effect, nowMs);
  }

  /** Another event joins a run that waits: it hears of it, and waits on. Call it inside a transaction. */
  join(
    row: RunRow,
    change: Pick<RunRow, "doc" | "text" | "checkout"> & { said: string | null; notBeforeMs: number },
    nowMs: number,
  ): void {
    const { doc, text, checkout, said, notBeforeMs } = change;
    this.#runs.join(row, { doc, text, checkout, notBefore: notBeforeMs });
    if (said !== null) this.append(row, [{ type: "user.message", source: "trigger", text: said }], nowMs);
    this.#deadlines.set("retry", row.id, notBeforeMs);
    this.#outbox.owe("project_run", row.id, nowMs);
  }

  /** Lets something happen to a run. Call it inside a transaction. @returns the run's row afterwards. */
  feed(runId: string, happening: RunInput, nowMs: number): RunRow | null {
    const row = this.#runs.get(runId);
    if (row === null) return null;
    const state = { run: this.seen(row), phase: row.phase, notBeforeMs: row.notBefore, overdue: row.overdue };
    const step = nextRun(state, happening, this.#limitsOf(row.doc), nowMs);
    if (step === null) return row;
    const saved = this.#runs.save(row, step.state);
    this.append(saved, step.events, nowMs);
    if (saved.status !== row.status) this.#outbox.owe("project_run", row.id, nowMs);
    if (isSettled(saved.doc) && !isSettled(row.doc)) this.#outbox.owe("announce_run", row.id, nowMs);
    for (const effect of step.effects) this.#carryOut(saved, row.doc.attempt, effect, nowMs);
    return saved;
  }

  /** Writes events of a run that change nothing but the transcript. */
  append(row: RunRow, events: readonly EventBody[], nowMs: number): void {
    this.#log.append(row.sessionId, row.id, row.doc.attempt, events, nowMs);
    this.#said.sessions.add(row.sessionId);
  }

  /** Starts waiting runs as far as there are places. */
  promote(nowMs: number): void {
    const routine = this.#definitions.row();
    if (routine === null || routine.status === "deleted") return;
    const { overlap, max_concurrent: maxConcurrent } = routine.definition;
    const { active, queued } = this.#runs.queue.places();
    const free = freePlaces({ overlap, maxConcurrent, active });
    if (free === 0 || queued === 0) return;
    for (const runId of this.#runs.queue.due(nowMs, free)) this.feed(runId, { type: "promoted" }, nowMs);
  }

  /** Takes in a frame of an attempt that is on; one that is stored already changes nothing. Call it inside a transaction. */
  takeFrame(lease: LeaseRef, frame: Frame, nowMs: number): void {
    const row = this.leased(lease);
    if (row === null) return;
    const mark = this.#markOf(row);
    if (frame.n <= mark.frame) return;
    const { body } = frame;
    const isCall = body.kind === "event" && body.event.type === "tool.call";
    // Before all else: an attempt that ends with this frame starts its successor at frame 0.
    this.#log.note(row.sessionId, { ...mark, frame: frame.n, toolCalls: mark.toolCalls + Number(isCall) });
    if (body.kind === "running") this.feed(row.id, { type: "running", sandbox: body.sandbox }, nowMs);
    else if (body.kind === "finished") this.feed(row.id, { type: "finished", frame: body }, nowMs);
    else this.#takeEvent(row, body.event, nowMs);
  }

  /** The last frame of the run's present attempt that is stored. */
  lastFrame(row: RunRow): number {
    return this.#markOf(row).frame;
  }

  /** The run with what is counted of it and written with its transcript alone. */
  seen(row: RunRow): RunRow["doc"] {
    const { doc } = row;
    const { toolCalls } = this.#markOf(row);
    if (isSettled(doc) || toolCalls <= doc.evidence.tool_calls) return doc;
    return { ...doc, evidence: { ...doc.evidence, tool_calls: toolCalls } };
  }

  /** The run of a lease that is in force, or null: the attempt has ended, or there never was one. */
  leased(lease: LeaseRef): RunRow | null {
    const row = this.#runs.get(lease.run_id);
    const isOn = row !== null && (row.status === "starting" || row.status === "running");
    return isOn && row.doc.attempt === lease.generation ? row : null;
  }

  #takeEvent(row: RunRow, event: EventBody, nowMs: number): void {
    this.append(row, [event], nowMs);
    if (event.type === "run.step") this.feed(row.id, { type: "step", phase: event.phase }, nowMs);
    const isOwn = event.type === "tool.call" || event.type.startsWith("agent.");
    if (!isOwn || row.doc.timings.first_event_at !== null) return;
    const run = structuredClone(row.doc);
    run.timings.first_event_at = timestamp(nowMs);
    this.update(row, run);
  }

  /** Saves counters of a run: nothing of its life changes. */
  update(row: RunRow, run: RunRow["doc"]): RunRow {
    return this.#runs.save(row, { run, phase: row.phase, notBeforeMs: row.notBefore, overdue: row.overdue });
  }

  #markOf(row: RunRow): Mark {
    return markOf(this.#log.end(row.sessionId)?.mark, row.id, row.doc.attempt);
  }

  #limitsOf(run: RunRow["doc"]): RunLimits {
    const { limits, retry } = this.#definitions.atRevision(run.routine.revision);
    return {
      timeoutMs: durationMs(limits.timeout),
      retryMax: retry.max,
      retryBackoffMs: durationMs(retry.backoff),
    };
  }

  /** @param attempt the attempt that the happening was about: after a retry, the one before. */
  #carryOut(row: RunRow, attempt: number, effect: Effect, nowMs: number): void {
    switch (effect.type) {
      case "ask_pool":
      case "release_lease":
        this.#outbox.owe(effect.type, leaseText({ run_id: row.id, generation: attempt }), nowMs);
        return;
      case "tell_cancel":
        this.#said.cancels.push({ runId: row.id, reason: effect.reason });
        return;
      case "set_deadline":
        this.#deadlines.set(effect.kind satisfies DeadlineKind, row.id, effect.atMs);
        return;
      case "clear_deadlines":
        this.#deadlines.clear(row.id);
        return;
      case "promote":
        this.promote(nowMs);
    }
  }
}

/** A lease as one word, for the outbox. */
export function leaseText(lease: LeaseRef): string {
  return `${lease.run_id}/${lease.generation}`;
}

export function leaseOf(text: string): LeaseRef {
  const [run_id = "", generation = ""] = text.split("/");
  return { run_id, generation: Number(generation) };
}
