/** Verdicts of people, and of runs that review, on runs that have ended, kept with the run. */
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { isSettled } from "#protocol/run.ts";
import { timestamp } from "#protocol/time.ts";
import { REVIEWS_KEPT, type Reviewer, type VerdictInput } from "#protocol/verdict.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Tx } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunStore } from "./run-store.ts";

export class Verdicts {
  readonly #runs: RunStore;
  readonly #engine: RunEngine;
  readonly #outbox: Outbox;

  constructor(runs: RunStore, engine: RunEngine, outbox: Outbox) {
    this.#runs = runs;
    this.#engine = engine;
    this.#outbox = outbox;
  }

  /** Keeps a verdict in the place of the one that was there. The same again changes nothing, not even when it was given. */
  give(tx: Tx, runId: string, { verdict, why: said }: VerdictInput, actor: Actor): Result<null> {
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    const { doc } = row;
    if (!isSettled(doc)) return refuse("run_not_settled");
    const why = said ?? null;
    if (doc.verdict?.verdict === verdict && doc.verdict.why === why) return success(null);
    this.#engine.update(tx, row, { ...doc, verdict: { verdict, why, actor, at: timestamp(tx.nowMs) } });
    this.#outbox.owe(tx, "project_run", row.id);
    return success(null);
  }

  /** Keeps what a reviewing run thinks, beside a person's verdict: one of each such run, the later one. */
  review(tx: Tx, runId: string, { verdict, why: said }: VerdictInput, by: Reviewer): Result<null> {
    const row = this.#runs.get(runId);
    if (row === null) return refuse("not_found");
    const { doc } = row;
    if (!isSettled(doc)) return refuse("run_not_settled");
    const why = said ?? null;
    const before = doc.reviews ?? [];
    if (before.some((one) => one.by.id === by.id && one.verdict === verdict && one.why === why)) return success(null);
    const others = before.filter((one) => one.by.id !== by.id);
    const reviews = [...others, { verdict, why, by, at: timestamp(tx.nowMs) }].slice(-REVIEWS_KEPT);
    this.#engine.update(tx, row, { ...doc, reviews });
    this.#outbox.owe(tx, "project_run", row.id);
    return success(null);
  }
}
