/** Calls to the pool: asking for runners, and giving leases back. */
import type { LeaseRequest } from "#instance/object-contracts.ts";
import { logTrouble } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { PROVISIONING_MS } from "#rules/run/deadlines.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { Deadlines } from "../runs/deadlines.ts";
import type { ReceiveFrames } from "../runs/receive-frames.ts";
import { leaseOf, type RunEngine } from "../runs/run-engine.ts";
import type { Work } from "../work.ts";

/** The pool as a routine's object sees it. */
export interface PoolPort {
  request(requests: LeaseRequest[]): Promise<{ runners: number }>;
  release(leases: LeaseRef[]): Promise<("freed" | "stopping")[]>;
}

export class ToPool implements Receiver {
  readonly name = "the pool";
  readonly sizes = [64, 8];
  readonly atOnce = 1;
  readonly #pool: () => PoolPort;
  readonly #engine: RunEngine;
  readonly #deadlines: Deadlines;
  readonly #work: Work;
  readonly #frames: ReceiveFrames;

  constructor(
    pool: () => PoolPort,
    runs: { engine: RunEngine; deadlines: Deadlines; work: Work },
    frames: ReceiveFrames,
  ) {
    this.#pool = pool;
    this.#engine = runs.engine;
    this.#deadlines = runs.deadlines;
    this.#work = runs.work;
    this.#frames = frames;
  }

  async deliver(kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    if (kind === "release_lease") return this.#release(refs);
    await this.#ask(refs.map(leaseOf));
    return [];
  }

  async #ask(leases: readonly LeaseRef[]): Promise<void> {
    const requests = leases.flatMap((lease) => {
      const run = this.#engine.leased(lease)?.doc;
      // A run that was canceled meanwhile asks for nothing: its release is owed after this call.
      if (run === undefined || run.runner !== null || run.cancel_reason !== null) return [];
      return [{ lease, routine_id: run.routine_id }];
    });
    if (requests.length === 0) return;
    const { runners } = await this.#pool().request(requests);
    if (runners === 0) return;
    this.#work.change((tx) => {
      for (const { lease } of requests) {
        const isWaiting = this.#engine.leased(lease)?.doc.runner === null;
        if (isWaiting) this.#deadlines.set(tx, "provisioning", lease.run_id, tx.nowMs + PROVISIONING_MS.busy);
      }
    });
  }

  async #release(refs: readonly string[]): Promise<readonly string[]> {
    const answers = await this.#pool().release(refs.map(leaseOf));
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
