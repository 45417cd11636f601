/** Makes the calls that the outbox holds: to the runner pool, to D1, and to other routines. */

import { CALL_DEADLINE_MS, NoAnswer, withinDeadline } from "#instance/in-time.ts";
import type { LeaseRequest } from "#instance/object-contracts.ts";
import { errorText, logLine } from "#protocol/log.ts";
import type { ListedRun } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { PROVISIONING_MS } from "#rules/run/deadlines.ts";
import type { Deadlines } from "../runs/deadlines.ts";
import { leaseOf, type RunEngine } from "../runs/run-engine.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { Work } from "../work.ts";
import { batchesOf } from "./batches.ts";
import { type Outbox, type Owed, RECEIVERS, type Receiver } from "./outbox.ts";
import { SharedWrites } from "./shared-writes.ts";
import { type IndexParts, ToIndex } from "./to-index.ts";

/** The pool as a routine's object sees it. */
export interface PoolPort {
  request(requests: LeaseRequest[]): Promise<{ runners: number }>;
  release(leases: LeaseRef[]): Promise<("freed" | "stopping")[]>;
}

/** The roster as a routine's object sees it. */
export interface RosterPort {
  enter(ids: readonly string[]): Promise<void>;
  strike(ids: readonly string[]): Promise<void>;
}

export interface OwedCallsParts extends IndexParts {
  work: Work;
  outbox: Outbox;
  runs: RunStore;
  deadlines: Deadlines;
  engine: RunEngine;
  pool: () => PoolPort;
  roster: () => RosterPort;
  /** Tells the routines that wait for the end of a run. @param run has ended. */
  announce: (run: ListedRun) => Promise<void>;
  /** The pool gave the lease back without a runner having worked on it. */
  onFreed: (lease: LeaseRef) => void;
  /** Calls that were owed have been tried. */
  onDrained: () => void;
}

/** So many are looked at together. */
const DUE_AT_ONCE = 64;
/** The alarm comes for a call under way when it must have ended: not before its own deadline has been noticed. */
const UNDER_WAY_MS = CALL_DEADLINE_MS + 1_000;

export class Deliver {
  readonly #parts: OwedCallsParts;
  readonly #index: ToIndex;
  /** One call after the other to each receiver: none waits for another's. */
  readonly #lanes: Record<Receiver, Lane> = {
    pool: newLane(),
    entry: newLane(),
    runs: newLane(),
    routines: newLane(),
    roster: newLane(),
  };
  /** Runs whose end is being told. */
  readonly #announcing = new Set<string>();
  readonly #runWrites = new SharedWrites(() => void this.#drainTo("runs"));

  constructor(parts: OwedCallsParts) {
    this.#parts = parts;
    this.#index = new ToIndex(parts);
  }

  /** Makes every call that is due or new. Resolves when they have been tried; never rejects. */
  async drain(): Promise<void> {
    await Promise.all(RECEIVERS.map((receiver) => this.#drainTo(receiver)));
  }

  /** Makes calls that are new: at once, but of runs to the index a moment later, together with what is owed until then. */
  drainFresh(): void {
    const { outbox } = this.#parts;
    for (const receiver of RECEIVERS) {
      if (outbox.takeFresh(receiver)) this.#drainSoon(receiver);
    }
  }

  #drainSoon(receiver: Receiver): void {
    if (receiver === "runs") this.#runWrites.soon();
    else void this.#drainTo(receiver);
  }

  /** When something has to be called; a call that is under way counts from when it has ended. Null when nothing is owed. */
  next(): number | null {
    const moments = RECEIVERS.flatMap(
      (receiver) => this.#lanes[receiver].untilMs ?? this.#parts.outbox.earliest(receiver) ?? [],
    );
    return moments.length === 0 ? null : Math.min(...moments);
  }

  /**
   * Waits for the write of the routine's own entry, and for no other call.
   * @returns whether D1 has the routine as of this version, or later; false also when there was no answer in time.
   */
  async isIndexed(version: number, deadlineMs = CALL_DEADLINE_MS): Promise<boolean> {
    await this.#entryTried(deadlineMs);
    return this.#index.writtenVersion >= version;
  }

  /** Whether D1 has taken the routine's own entry in, whatever version it had before. */
  async isProjected(id: string): Promise<boolean> {
    await this.#entryTried(CALL_DEADLINE_MS);
    return !this.#parts.outbox.has("project_routine", id);
  }

  /** The same for the write that takes a deleted routine out of D1. */
  async isForgotten(id: string): Promise<boolean> {
    await this.#entryTried(CALL_DEADLINE_MS);
    return !this.#parts.outbox.has("forget_routine", id);
  }

  async #entryTried(deadlineMs: number): Promise<void> {
    try {
      await withinDeadline(this.#drainTo("entry"), deadlineMs);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
    }
  }

  /** One drain is under way at most, and one waits for it, which makes whatever is owed until it begins. */
  #drainTo(receiver: Receiver): Promise<void> {
    const lane = this.#lanes[receiver];
    if (lane.next !== null) return lane.next;
    lane.untilMs = Date.now() + UNDER_WAY_MS;
    lane.next = lane.last.then(async () => {
      lane.next = null;
      try {
        if (receiver === "routines") this.#announceDue(lane);
        else await this.#drainNow(receiver, lane);
        this.#rest(receiver, lane);
      } catch (error) {
        // The lane counts as busy until its time is over: what can't be written down must not be tried without a pause.
        logLine("error", { what: "owed_calls", receiver, outcome: errorText(error) });
      }
    });
    lane.last = lane.next;
    return lane.next;
  }

  async #drainNow(receiver: Receiver, lane: Lane): Promise<void> {
    const { outbox } = this.#parts;
    if (receiver === "runs") this.#runWrites.begun();
    let taken = 0;
    for (let isMore = true; isMore; ) {
      outbox.takeFresh(receiver);
      const due = outbox.due(receiver, Date.now(), DUE_AT_ONCE);
      taken += due.length;
      for (const batch of batchesOf(due)) {
        lane.untilMs = Date.now() + UNDER_WAY_MS;
        if (!(await this.#try(batch))) return;
      }
      isMore = due.length === DUE_AT_ONCE;
    }
    if (receiver === "runs") this.#runWrites.ended(taken);
    // What has become owed since is another drain's: who waits for this one is not to wait for all that follows.
    if (outbox.takeFresh(receiver)) this.#drainSoon(receiver);
  }

  /** The ends of runs are told side by side: a routine that does not answer holds up the telling of no other run. */
  #announceDue(lane: Lane): void {
    const { outbox } = this.#parts;
    outbox.takeFresh("routines");
    const due = outbox
      .due("routines", Date.now(), DUE_AT_ONCE + this.#announcing.size)
      .filter(({ ref }) => !this.#announcing.has(ref))
      .slice(0, DUE_AT_ONCE - this.#announcing.size);
    for (const owed of due) {
      this.#announcing.add(owed.ref);
      lane.untilMs = Date.now() + UNDER_WAY_MS;
      this.#try([owed])
        .catch((error) => logLine("error", { what: "owed_calls", receiver: "routines", outcome: errorText(error) }))
        .finally(() => {
          this.#announcing.delete(owed.ref);
          void this.#drainTo("routines");
        });
    }
  }

  /** The drain is over: from here on the alarm comes for what is still owed. */
  #rest(receiver: Receiver, lane: Lane): void {
    const isUnderWay = lane.next !== null || (receiver === "routines" && this.#announcing.size > 0);
    if (!isUnderWay) lane.untilMs = null;
    this.#parts.onDrained();
  }

  /** @returns whether there was an answer at all: else the rest need not be tried now. */
  async #try(batch: readonly Owed[]): Promise<boolean> {
    const { outbox, work } = this.#parts;
    try {
      const failed = await this.#call(batch);
      work.change((tx) => {
        outbox.settle(
          tx,
          batch.filter((owed) => !failed.includes(owed)),
        );
        outbox.postpone(tx, failed);
      });
      return true;
    } catch (error) {
      work.change((tx) => outbox.postpone(tx, batch));
      const [first] = batch;
      const facts = { kind: first?.kind, ref: first?.ref, calls: batch.length, outcome: errorText(error) };
      logLine("warn", { what: "owed_call", ...facts });
      return !(error instanceof NoAnswer);
    }
  }

  /** @param batch of one kind. @returns those that have to be tried again, though the call as such went through. */
  async #call(batch: readonly Owed[]): Promise<readonly Owed[]> {
    switch (batch[0]?.kind) {
      case "ask_pool":
        await this.#askPool(batch.map(({ ref }) => leaseOf(ref)));
        return [];
      case "release_lease":
        return this.#releaseLeases(batch);
      case "project_run":
        await this.#index.projectRuns(batch.map(({ ref }) => ref));
        return [];
      case "project_routine":
        await this.#index.projectRoutine();
        return [];
      case "forget_routine":
        for (const { ref } of batch) await this.#index.forgetRoutine(ref);
        return [];
      case "announce_run":
        for (const { ref } of batch) await this.#announce(ref);
        return [];
      case "enter_roster":
        await withinDeadline(this.#parts.roster().enter(batch.map(({ ref }) => ref)));
        return [];
      case "leave_roster":
        await withinDeadline(this.#parts.roster().strike(batch.map(({ ref }) => ref)));
        return [];
      case undefined:
        return [];
    }
  }

  async #announce(runId: string): Promise<void> {
    const run = this.#parts.runs.get(runId)?.doc;
    if (run !== undefined) await withinDeadline(this.#parts.announce(run));
  }

  async #askPool(leases: readonly LeaseRef[]): Promise<void> {
    const { engine, pool, deadlines, work } = this.#parts;
    const requests = leases.flatMap((lease) => {
      const run = engine.leased(lease)?.doc;
      // A run that was canceled meanwhile asks for nothing: its release is owed after this call.
      if (run === undefined || run.runner !== null || run.cancel_reason !== null) return [];
      return [{ lease, routine_id: run.routine_id }];
    });
    if (requests.length === 0) return;
    const { runners } = await withinDeadline(pool().request(requests));
    if (runners === 0) return;
    work.change((tx) => {
      for (const { lease } of requests) {
        const isWaiting = engine.leased(lease)?.doc.runner === null;
        if (isWaiting) deadlines.set(tx, "provisioning", lease.run_id, tx.nowMs + PROVISIONING_MS.busy);
      }
    });
  }

  async #releaseLeases(batch: readonly Owed[]): Promise<readonly Owed[]> {
    const answers = await withinDeadline(this.#parts.pool().release(batch.map(({ ref }) => leaseOf(ref))));
    return batch.filter((owed, index) => answers[index] === "freed" && !this.#isFreed(owed));
  }

  /** Tells that a lease is free. @returns whether that was taken in. */
  #isFreed(owed: Owed): boolean {
    try {
      this.#parts.onFreed(leaseOf(owed.ref));
      return true;
    } catch (error) {
      logLine("warn", { what: "owed_call", kind: owed.kind, ref: owed.ref, outcome: errorText(error) });
      return false;
    }
  }
}

interface Lane {
  /** The drain that was asked for last. */
  last: Promise<void>;
  /** The one that has not begun. */
  next: Promise<void> | null;
  /** By when the call that is under way must have ended; null when none is. */
  untilMs: number | null;
}

function newLane(): Lane {
  return { last: Promise.resolve(), next: null, untilMs: null };
}
