/** Makes the calls that the outbox holds: to the runner pool, and to D1. */
import { errorText, logLine } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Deadlines } from "./deadlines.ts";
import { type DefinitionStore, routineView } from "./definition-store.ts";
import type { Outbox, Owed, Receiver } from "./outbox.ts";
import { batchesOf } from "./owed-batches.ts";
import type { LeaseRequest } from "./peers.ts";
import { forgetRoutine, projectRoutine, projectRuns } from "./projection/writes.ts";
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
  /** One call after the other to the pool, and likewise to the index: neither waits for the other. */
  readonly #lanes: Record<Receiver, Lane> = {
    pool: { last: Promise.resolve(), next: null },
    index: { last: Promise.resolve(), next: null },
  };
  #indexTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: OwedCallsParts) {
    this.#parts = parts;
  }

  /** Makes every call that is due or new. Resolves when they have been tried; never rejects. */
  async drain(): Promise<void> {
    await Promise.all([this.#drainTo("pool"), this.#drainTo("index")]);
  }

  /** Makes calls that are new: to the pool at once, to the index a moment later, together with what is owed until then. */
  drainFresh(): void {
    if (this.#parts.outbox.takeFresh("pool")) void this.#drainTo("pool");
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
      case undefined:
        return [];
    }
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
    await withinDeadline(projectRoutine(this.#parts.index, routineView(row), row.version));
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
