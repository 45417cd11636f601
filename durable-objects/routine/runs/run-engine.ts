/** Carries out what the run rules decide: rows, transcript, deadlines, and what is owed to others. */

import { type Result, refuse, success } from "#protocol/errors.ts";
import { isSettled, type Run, type RunnerRef } from "#protocol/run.ts";
import { holdOf } from "#protocol/run-states.ts";
import type { LeaseRef, RunToRunner } from "#protocol/runner-link.ts";
import { durationMs } from "#protocol/time.ts";
import type { ToolPolicy } from "#protocol/tools.ts";
import type { EventBody } from "#protocol/transcript.ts";
import { freePlaces } from "#rules/admission.ts";
import type { KeptEnvironment } from "#rules/environment/kept-environment.ts";
import type { DeadlineKind, Effect, RunInput, RunLimits, RunState } from "#rules/run/inputs.ts";
import { nextRun } from "#rules/run/lifecycle.ts";
import { newState } from "#rules/run/next-attempt.ts";
import { type QueuedRecord, type RunRecord, showRun } from "#rules/run/record.ts";
import type { Conversations } from "../conversations/conversations.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Messages } from "../sessions/messages.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Tx, Work } from "../work.ts";
import type { AskedHosts } from "./asked-hosts.ts";
import type { AttemptEnvironments } from "./attempt-environments.ts";
import type { Deadlines } from "./deadlines.ts";
import type { RunEnds } from "./run-ends.ts";
import { isTold, tellStep } from "./run-lines.ts";
import type { RunSockets } from "./run-sockets.ts";
import type { GivenToRun, RunRow, RunStore } from "./run-store.ts";
import type { SessionFollows } from "./session-follows.ts";
import { toldAnew } from "./told-messages.ts";

export interface NewRun extends GivenToRun {
  run: QueuedRecord;
  /** Whether the run has a place at once, and does not wait in the queue. */
  isStarted: boolean;
  /** The run does not start before this moment, in Unix milliseconds; 0 when it may start at once. */
  notBeforeMs: number;
}

export class RunEngine {
  readonly #runs: RunStore;
  readonly #log: TranscriptLog;
  readonly #deadlines: Deadlines;
  readonly #outbox: Outbox;
  readonly #definitions: DefinitionStore;
  readonly #work: Work;
  readonly #viewers: Viewers;
  readonly #sockets: RunSockets;
  readonly #ends: RunEnds;
  readonly #hosts: AskedHosts;
  readonly #environments: AttemptEnvironments;
  readonly #conversations: Conversations;
  readonly #messages: Messages;
  #session: SessionFollows = { ended: (_tx, row) => row, parked: () => undefined };

  constructor(parts: {
    work: Work;
    viewers: Viewers;
    sockets: RunSockets;
    ends: RunEnds;
    runs: RunStore;
    log: TranscriptLog;
    deadlines: Deadlines;
    outbox: Outbox;
    definitions: DefinitionStore;
    hosts: AskedHosts;
    environments: AttemptEnvironments;
    conversations: Conversations;
    messages: Messages;
  }) {
    this.#messages = parts.messages;
    this.#conversations = parts.conversations;
    this.#hosts = parts.hosts;
    this.#runs = parts.runs;
    this.#log = parts.log;
    this.#deadlines = parts.deadlines;
    this.#outbox = parts.outbox;
    this.#definitions = parts.definitions;
    this.#work = parts.work;
    this.#viewers = parts.viewers;
    this.#sockets = parts.sockets;
    this.#ends = parts.ends;
    this.#environments = parts.environments;
  }

  /** Writes a new run with its session and its first events. */
  begin(tx: Tx, given: NewRun, events: readonly EventBody[]): void {
    const { run, isStarted, notBeforeMs } = given;
    const queued = newState(run, notBeforeMs);
    const step = isStarted ? nextRun(queued, { type: "promoted" }, this.limitsOf(run), tx.nowMs) : null;
    const row = this.#runs.insert(tx, step?.state ?? queued, given);
    if (notBeforeMs > 0) this.#deadlines.set(tx, "retry", run.id, notBeforeMs);
    this.append(tx, row, [...events, ...(step?.events ?? [])]);
    this.#outbox.owe(tx, "project_run", run.id);
    for (const effect of step?.effects ?? []) this.#carryOut(tx, row, run.attempt, effect);
  }

  /** Adds another event to a run that waits: the run's text has it, and the run waits on. */
  join(
    tx: Tx,
    row: RunRow,
    change: Pick<RunRow, "doc" | "text" | "checkout"> & { said: string | null; notBeforeMs: number },
  ): void {
    const { doc, text, checkout, said, notBeforeMs } = change;
    this.#runs.rewrite(tx, row, { doc, text, checkout, notBefore: notBeforeMs });
    if (said !== null) this.append(tx, row, [{ type: "user.message", source: "trigger", text: said }]);
    this.#deadlines.set(tx, "retry", row.id, notBeforeMs);
    this.#outbox.owe(tx, "project_run", row.id);
  }

  /** The run is for something else as well: its record names that. */
  name(tx: Tx, row: RunRow, trigger: RunRecord["trigger"]): void {
    const { text, checkout, notBefore } = row;
    this.#runs.rewrite(tx, row, { doc: { ...row.doc, trigger }, text, checkout, notBefore });
    this.#outbox.owe(tx, "project_run", row.id);
  }

  /** Feeds an input to a run, and carries out what follows. @returns the run's row afterwards. */
  feed(tx: Tx, runId: string, input: RunInput): RunRow | null {
    const row = this.#runs.get(runId);
    if (row === null) return null;
    const step = nextRun(stateOf(row, this.#runs.seen(row)), input, this.limitsOf(row.doc), tx.nowMs);
    if (step === null) return row;
    let saved = this.#runs.save(tx, row, step.state);
    if (input.type === "environment") this.#environments.keep(tx, leaseRef(saved), input.environment);
    if (isSettled(saved.doc)) this.#environments.drop(tx, runId);
    const isLeft = saved.status === "waiting" || saved.before?.attempt === row.doc.attempt;
    if (isSettled(saved.doc) || isLeft) this.#conversations.settle(tx, saved.sessionId);
    if (isSettled(saved.doc)) saved = this.#session.ended(tx, saved);
    this.append(tx, saved, step.events);
    if (saved.status !== row.status) this.#outbox.owe(tx, "project_run", row.id);
    if (isTold(row, saved)) {
      const { nowMs } = tx;
      const say = () => tellStep(row, saved, step.retriedAfter ?? null, nowMs);
      this.#work.afterwards(tx, `step:${runId}:${saved.version}`, say);
    }
    this.#ends.stepped(tx, row.doc, saved);
    for (const effect of step.effects) this.#carryOut(tx, saved, row.doc.attempt, effect);
    if (saved.status === "waiting" && saved.doc.runner === null) this.#session.parked(tx, saved);
    return saved;
  }

  /** Asks for a run to be stopped; asking again changes nothing. */
  cancel(tx: Tx, runId: string): Result<null> {
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    if (isSettled(row.doc)) return refuse("run_settled");
    this.feed(tx, runId, { type: "cancel_requested", reason: "by_user" });
    return success(null);
  }

  /** Writes events of a run that change nothing but the transcript. */
  append(tx: Tx, row: RunRow, events: readonly EventBody[]): void {
    const { sessionId } = row;
    this.#log.append(tx, sessionId, row.id, row.doc.attempt, events);
    this.#work.afterwards(tx, `session:${sessionId}`, () => this.#viewers.sendNew(sessionId, Date.now()));
  }

  /** Starts waiting runs as far as there are places. */
  promote(tx: Tx): void {
    const routine = this.#definitions.row();
    if (routine === null || routine.status === "deleted") return;
    const { overlap, max_concurrent: maxConcurrent, session } = routine.definition;
    const { active, queued } = this.#runs.queue.places();
    const free = freePlaces({ overlap, maxConcurrent, isKeyed: session === "keyed", active });
    if (free === 0 || queued === 0) return;
    for (const runId of this.#runs.queue.due(tx.nowMs, free)) this.feed(tx, runId, { type: "promoted" });
  }

  /** What the attempt's runner has to be told when it has connected anew. */
  stillToSay(row: RunRow): RunToRunner[] {
    return toldAnew(row, row.features.includes("steer") ? this.#messages.waiting(row.id) : []);
  }

  /** The tool policy of the run's revision. */
  toolsOf(run: RunRow["doc"]): ToolPolicy {
    return this.#definitions.atRevision(run.routine.revision).tools;
  }

  /** The run's row as it is stored. */
  row(runId: string): RunRow | null {
    return this.#runs.get(runId);
  }

  /** The run by itself, as it is now. */
  show(runId: string): Run | null {
    const row = this.#runs.get(runId);
    if (row === null) return null;
    const revision = this.#definitions.atRevision(row.doc.routine.revision);
    return showRun(this.#runs.seen(row), revision, this.#hosts.of(runId));
  }

  /** The run of a lease that is in force, or null: the attempt has ended, or there never was one. */
  leased(lease: LeaseRef): RunRow | null {
    const row = this.#runs.get(lease.run_id);
    if (row === null || row.doc.attempt !== lease.generation) return null;
    const isHeld = row.doc.status === "waiting" && row.doc.runner !== null;
    return isHeld || holdOf(row.status) === "place" ? row : null;
  }

  /** The same where a runner works on it. */
  working(lease: LeaseRef): RunRow | null {
    const row = this.leased(lease);
    return row?.doc.runner === null ? null : row;
  }

  /** What the attempt of a lease got; null for one that has ended, or that an earlier version began. */
  environmentOf(lease: LeaseRef): KeptEnvironment | null {
    return this.#environments.of(lease);
  }

  /** The runner that works on a lease, or has; null when it is not known any more. */
  runnerOf(lease: LeaseRef): RunnerRef | null {
    const doc = this.#runs.get(lease.run_id)?.doc;
    return doc?.attempt === lease.generation ? doc.runner : null;
  }

  /** @param session what follows in a run's session. */
  followedBy(session: SessionFollows): void {
    this.#session = session;
  }

  /** Saves counters of a run, without changing its state. */
  update(tx: Tx, row: RunRow, run: RunRow["doc"]): RunRow {
    return this.#runs.save(tx, row, stateOf(row, run));
  }

  limitsOf(run: RunRow["doc"]): RunLimits {
    const { limits, retry } = this.#definitions.atRevision(run.routine.revision);
    return {
      timeoutMs: durationMs(limits.timeout),
      holdMs: durationMs(limits.hold),
      answerMs: durationMs(limits.answer),
      retryMax: retry.max,
      retryBackoffMs: durationMs(retry.backoff),
    };
  }

  /** @param attempt the attempt that the input was about: after a retry, the one before. */
  #carryOut(tx: Tx, row: RunRow, attempt: number, effect: Effect): void {
    switch (effect.type) {
      case "read_environment":
      case "ask_pool":
      case "release_lease":
        this.#outbox.owe(tx, effect.type, leaseText({ run_id: row.id, generation: attempt }));
        return;
      case "tell_cancel":
        this.#tell(tx, row.id, { type: "cancel", reason: effect.reason });
        return;
      case "tell_park":
        this.#tell(tx, row.id, { type: "park" });
        return;
      case "tell_close":
        this.#tell(tx, row.id, { type: "close" });
        return;
      case "set_deadline":
        this.#deadlines.set(tx, effect.kind satisfies DeadlineKind, row.id, effect.atMs);
        return;
      case "clear_deadlines":
        this.#deadlines.clear(tx, row.id);
        return;
      case "promote":
        this.promote(tx);
    }
  }

  /** Tells the runner of the run's attempt once all is written. */
  #tell(tx: Tx, runId: string, message: RunToRunner): void {
    this.#work.afterwards(tx, `${message.type}:${runId}`, () => {
      const attempt = this.#runs.get(runId)?.doc.attempt;
      if (attempt !== undefined) this.#sockets.tell({ run_id: runId, generation: attempt }, message);
    });
  }
}

function stateOf(row: RunRow, run: RunRecord): RunState {
  const { phase, notBefore: notBeforeMs, overdue, boot, features, ending, before } = row;
  return { run, phase, notBeforeMs, overdue, boot, features, ending, before };
}

function leaseRef({ id: run_id, doc }: RunRow): LeaseRef {
  return { run_id, generation: doc.attempt };
}

/** A lease as one word, for the outbox. */
export function leaseText(lease: LeaseRef): string {
  return `${lease.run_id}/${lease.generation}`;
}

export function leaseOf(text: string): LeaseRef {
  const [run_id = "", generation = ""] = text.split("/");
  return { run_id, generation: Number(generation) };
}
