/** Makes the calls that the outbox holds: to the runner pool, to D1, and to other routines. */
import { errorText, logLine } from "#protocol/log.ts";
import type { Run } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Deadlines } from "./deadlines.ts";
import type { DefinitionStore, RoutineRow } from "./definition-store.ts";
import type { Outbox, Owed, Receiver } from "./outbox.ts";
import { batchesOf } from "./owed-batches.ts";
import type { LeaseRequest } from "./peers.ts";
import { forgetRoutine, projectRoutine, projectRuns, type RoutineProjection } from "./projection/writes.ts";
import { PROVISIONING_MS } from "./run-deadlines.ts";
import { leaseOf, type RunEngine } from "./run-engine.ts";
import type { RunStore } from "./run-store.ts";

/** The pool as a routine's object sees it. */
export interface PoolPort {
  request(requests: LeaseRequest[]): Promise<{ runners: number }>;
  release(leases: LeaseRef[]): Promise<("freed" | "stopping")[]>;
}

export interface OwedCallsParts {
  outbox: Outbox;
  runs: RunStore;
  deadlines: Deadlines;
  definitions: DefinitionStore;
  engine: RunEngine;
  index: D1Database;
  pool: () => PoolPort;
  /** Tells the routines that wait for the end of a run. @param run has ended. */
  announce: (run: Run) => Promise<void>;
  /** The routine as D1 is to have it. */
  project: (row: RoutineRow) => RoutineProjection;
  /** The pool gave the lease back without a runner having worked on it. */
  onFreed: (lease: LeaseRef) => void;
  /** Everything that was owed has been tried. */
  onDrained: () => void;
}

/** A call that has not gone through after this long is tried again later, and holds up nobody. */
export const CALL_DEADLINE_MS = 15_000;
/** So many are looked at together. */
const DUE_AT_ONCE = 64;
/** What one write to the index carries, in UTF-16 units; a run that is longer goes alone. */
const INDEX_WRITE_LENGTH = 262_144;
/** Lists may be behind by this much, so that what happens within it is one write to the index. */
const INDEX_DELAY_MS = 150;

export class OwedCalls {
  readonly #parts: OwedCallsParts;
  /** One call after the other to each receiver: none waits for another's. */
  readonly #lanes: Record<Receiver, Lane> = {
    pool: { last: Promise.resolve(), next: null },
    index: { last: Promise.resolve(), next: null },
    routines: { last: Promise.resolve(), next: null },
  };
  #indexTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: OwedCallsParts) {
    this.#parts = parts;
  }

  /** Makes every call that is due or new. Resolves when they have been tried; never rejects. */
  async drain(): Promise<void> {
    await Promise.all([this.#drainTo("pool"), this.#drainTo("index"), this.#drainTo("routines")]);
  }

  /** Makes calls that are new: to the pool at once, to the index a moment later, together with what is owed until then. */
  drainFresh(): void {
    if (this.#parts.outbox.takeFresh("pool")) void this.#drainTo("pool");
    if (this.#parts.outbox.takeFresh("routines")) void this.#drainTo("routines");
    if (this.#parts.outbox.takeFresh("index")) {
      this.#indexTimer ??= setTimeout(() => void this.#drainTo("index"), INDEX_DELAY_MS);
    }
  }

  /** One drain is under way at most, and one waits for it, which makes whatever is owed until it begins. */
  #drainTo(receiver: Receiver): Promise<void> {
    const lane = this.#lanes[receiver];
    lane.next ??= lane.last.then(async () => {
      lane.next = null;
      try {
        await this.#drainNow(receiver);
        this.#parts.onDrained();
      } catch (error) {
        logLine("error", { what: "owed_calls", receiver, outcome: errorText(error) });
      }
    });
    lane.last = lane.next;
    return lane.next;
  }

  async #drainNow(receiver: Receiver): Promise<void> {
    const { outbox } = this.#parts;
    if (receiver === "index" && this.#indexTimer !== null) {
      clearTimeout(this.#indexTimer);
      this.#indexTimer = null;
    }
    for (let isFresh = true; isFresh; ) {
      outbox.takeFresh(receiver);
      const due = outbox.due(receiver, Date.now(), DUE_AT_ONCE);
      for (const batch of batchesOf(due)) {
        if (!(await this.#try(batch))) return;
      }
      isFresh = due.length === DUE_AT_ONCE || outbox.takeFresh(receiver);
    }
  }

  /** @returns whether there was an answer at all: else the rest need not be tried now. */
  async #try(batch: readonly Owed[]): Promise<boolean> {
    const { outbox } = this.#parts;
    try {
      const failed = await this.#call(batch);
      outbox.settle(batch.filter((owed) => !failed.includes(owed)));
      outbox.postpone(failed, Date.now());
      return true;
    } catch (error) {
      outbox.postpone(batch, Date.now());
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
        await this.#projectRuns(batch.map(({ ref }) => ref));
        return [];
      case "project_routine":
        await this.#projectRoutine();
        return [];
      case "forget_routine":
        for (const { ref } of batch) await withinDeadline(forgetRoutine(this.#parts.index, ref));
        return [];
      case "announce_run":
        return this.#announce(batch);
      case undefined:
        return [];
    }
  }

  async #announce(batch: readonly Owed[]): Promise<readonly Owed[]> {
    const told = await Promise.allSettled(
      batch.map(async ({ ref }) => {
        const run = this.#parts.runs.get(ref)?.doc;
        if (run !== undefined) await withinDeadline(this.#parts.announce(run));
      }),
    );
    return batch.filter((_owed, index) => told[index]?.status === "rejected");
  }

  async #projectRuns(ids: readonly string[]): Promise<void> {
    const { runs, definitions, index } = this.#parts;
    for (let rest = ids.toSorted(); rest.length > 0; ) {
      const documents = runs.documents(rest, INDEX_WRITE_LENGTH);
      const last = documents.at(-1)?.id;
      if (last === undefined || definitions.row()?.status === "deleted") return;
      await withinDeadline(projectRuns(index, documents));
      rest = rest.filter((id) => id > last);
    }
  }

  async #projectRoutine(): Promise<void> {
    const row = this.#parts.definitions.row();
    if (row === null || row.status === "deleted") return;
    await withinDeadline(projectRoutine(this.#parts.index, this.#parts.project(row)));
  }

  async #askPool(leases: readonly LeaseRef[]): Promise<void> {
    const { engine, pool, deadlines } = this.#parts;
    const requests = leases.flatMap((lease) => {
      const run = engine.leased(lease)?.doc;
      // A run that was canceled meanwhile asks for nothing: its release is owed after this call.
      if (run === undefined || run.runner !== null || run.cancel_reason !== null) return [];
      return [{ lease, routine_id: run.routine_id }];
    });
    if (requests.length === 0) return;
    const { runners } = await withinDeadline(pool().request(requests));
    if (runners === 0) return;
    for (const { lease } of requests) {
      const isWaiting = engine.leased(lease)?.doc.runner === null;
      if (isWaiting) deadlines.set("provisioning", lease.run_id, Date.now() + PROVISIONING_MS.busy);
    }
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
}

class NoAnswer extends Error {}

async function withinDeadline<Value>(call: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new NoAnswer("no answer in time")), CALL_DEADLINE_MS);
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
