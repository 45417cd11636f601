/** What follows when a run has ended, or waits: who is told, and what is counted. */
import { isSettled } from "#protocol/run.ts";
import { endFact, factText } from "#rules/run/notify.ts";
import type { RunRecord, WaitingRecord } from "#rules/run/record.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx } from "../work.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { RoutineHealth, SettledRun } from "./health.ts";
import type { RunRow } from "./run-store.ts";
import type { RunWaiters } from "./run-waiters.ts";
import type { SessionStore } from "./session-store.ts";

export class RunEnds {
  readonly #outbox: Outbox;
  readonly #waiters: RunWaiters;
  readonly #health: RoutineHealth;
  readonly #deadLetters: DeadLetters;
  readonly #sessions: SessionStore;

  constructor(
    outbox: Outbox,
    waiters: RunWaiters,
    health: RoutineHealth,
    deadLetters: DeadLetters,
    sessions: SessionStore,
  ) {
    this.#outbox = outbox;
    this.#waiters = waiters;
    this.#health = health;
    this.#deadLetters = deadLetters;
    this.#sessions = sessions;
  }

  /** In the transaction in which a run has gone on. @param row as it is now, with what came with the trigger. */
  stepped(tx: Tx, before: RunRecord, row: RunRow): void {
    const { doc } = row;
    if (isSettled(doc) && !isSettled(before)) this.#ended(tx, doc, row);
    if (doc.status === "waiting" && before.status !== "waiting") this.#waits(tx, doc);
  }

  /** Once. */
  #ended(tx: Tx, run: SettledRun, row: RunRow): void {
    this.#outbox.owe(tx, "tell_run_ended", run.id);
    this.#waiters.ended(tx, run.id);
    const fact = endFact(run, this.#health.ended(tx, run), tx.nowMs);
    if (fact !== null) this.#outbox.owe(tx, "notify", factText(fact));
    this.#deadLetters.noteEnd(tx, row);
    this.#sessions.nameAfter(tx, row.sessionId, run.summary);
  }

  /** A run has begun to wait. What it asks people is told with the question. */
  #waits(tx: Tx, { id, waiting }: WaitingRecord): void {
    if (waiting.for !== "budget") return;
    const detail = waiting.reason ?? null;
    this.#outbox.owe(tx, "notify", factText({ kinds: ["budget"], runId: id, atMs: tx.nowMs, detail }));
  }
}
