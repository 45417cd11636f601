/** What follows when a run has ended: who is told, and what is counted. */
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx } from "../work.ts";
import type { RoutineHealth, SettledRun } from "./health.ts";
import type { RunWaiters } from "./run-waiters.ts";

export class RunEnds {
  readonly #outbox: Outbox;
  readonly #waiters: RunWaiters;
  readonly #health: RoutineHealth;

  constructor(outbox: Outbox, waiters: RunWaiters, health: RoutineHealth) {
    this.#outbox = outbox;
    this.#waiters = waiters;
    this.#health = health;
  }

  /** In the transaction in which the run has settled, once. */
  ended(tx: Tx, run: SettledRun): void {
    this.#outbox.owe(tx, "tell_run_ended", run.id);
    this.#waiters.ended(tx, run.id);
    this.#health.ended(tx, run);
  }
}
