/** Calls to pools: asking for runners, and giving leases back. Each run's are made to the pool that it was admitted for. */
import type { LeaseRequest, PoolAnswer } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { featuresNeeded } from "#rules/pool/features-needed.ts";
import { PROVISIONING_MS } from "#rules/run/deadlines.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { Deadlines } from "../runs/deadlines.ts";
import type { ReceiveFrames } from "../runs/receive-frames.ts";
import { leaseOf, type RunEngine } from "../runs/run-engine.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Tx, Work } from "../work.ts";

/** The pool as a routine's object sees it. */
export interface PoolPort {
  request(requests: LeaseRequest[]): Promise<PoolAnswer>;
  release(leases: LeaseRef[]): Promise<("freed" | "stopping")[]>;
}

export class ToPool implements Receiver {
  readonly name = "the pool";
  readonly sizes = [64, 8];
  readonly atOnce = 1;
  readonly #pool: (name: string) => PoolPort;
  readonly #engine: RunEngine;
  readonly #runs: Pick<RunStore, "get">;
  readonly #deadlines: Deadlines;
  readonly #work: Work;
  readonly #frames: ReceiveFrames;

  constructor(
    pool: (name: string) => PoolPort,
    parts: { engine: RunEngine; runs: Pick<RunStore, "get">; deadlines: Deadlines; work: Work },
    frames: ReceiveFrames,
  ) {
    this.#pool = pool;
    this.#engine = parts.engine;
    this.#runs = parts.runs;
    this.#deadlines = parts.deadlines;
    this.#work = parts.work;
    this.#frames = frames;
  }

  async deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const call = kind === "release_lease" ? this.#release.bind(this) : this.#ask.bind(this);
    const groups = [...Map.groupBy(refs, (ref) => this.#poolOf(ref))];
    const [first, ...more] = groups;
    // Nearly always there is one.
    if (first !== undefined && more.length === 0) return call(...first);
    const answers = await Promise.allSettled(groups.map(([pool, ofPool]) => call(pool, ofPool)));
    return answers.flatMap((answer, index) => this.#failed(kind, answer, groups[index]?.[1] ?? []));
  }

  /** A pool that fails holds up no other's calls. */
  #failed(kind: OwedKind, answer: PromiseSettledResult<readonly string[]>, refs: readonly string[]): readonly string[] {
    if (answer.status === "fulfilled") return answer.value;
    const [ref = ""] = refs;
    logTrouble("owed_call_failed", { receiver: this.name, call: kind, ref, calls: refs.length }, answer.reason);
    return refs;
  }

  #poolOf(ref: string): string {
    return this.#runs.get(leaseOf(ref).run_id)?.doc.pool ?? DEFAULT_POOL;
  }

  async #ask(pool: string, refs: readonly string[]): Promise<readonly string[]> {
    const requests = refs.map(leaseOf).flatMap((lease) => {
      const run = this.#engine.leased(lease)?.doc;
      // A run that was canceled meanwhile asks for nothing: its release is owed after this call.
      if (run === undefined || run.runner !== null || run.cancel_reason !== null) return [];
      const needs = featuresNeeded(this.#engine.environmentOf(lease), this.#engine.toolsOf(run));
      return [{ lease, routine_id: run.routine_id, needs }];
    });
    if (requests.length === 0) return [];
    const answer = await this.#pool(pool).request(requests);
    this.#work.change((tx) => {
      for (const { lease } of requests) this.#note(tx, lease, answer);
    });
    return [];
  }

  /** A run that the pool has runners for may wait longer; one that waits for them says why. */
  #note(tx: Tx, lease: LeaseRef, { runners, waiting, why }: PoolAnswer): void {
    const row = this.#engine.leased(lease);
    if (row === null || row.doc.runner !== null) return;
    if (runners > 0) this.#deadlines.set(tx, "provisioning", row.id, tx.nowMs + PROVISIONING_MS.busy);
    const isWaiting = waiting.some(
      ({ run_id, generation }) => run_id === lease.run_id && generation === lease.generation,
    );
    if (!isWaiting || why === null) return;
    this.#engine.append(tx, row, [{ type: "run.step", phase: "provisioning", message: `${why} The run waits.` }]);
  }

  async #release(pool: string, refs: readonly string[]): Promise<readonly string[]> {
    const answers = await this.#pool(pool).release(refs.map(leaseOf));
    return refs.filter((ref, index) => answers[index] === "freed" && !this.#isFreed(ref));
  }

  /** The pool gave the lease back without a runner having worked on it. @returns whether that was taken in. */
  #isFreed(ref: string): boolean {
    try {
      this.#frames.endLease(leaseOf(ref), "offer_expired");
      return true;
    } catch (error) {
      logTrouble("owed_call_failed", { receiver: this.name, call: "release_lease", ref, calls: 1 }, error);
      return false;
    }
  }
}
