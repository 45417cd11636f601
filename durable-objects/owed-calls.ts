/** Makes the calls that the outbox holds: to the runner pool, and to D1. */
import { errorText, logLine } from "#protocol/log.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { Deadlines } from "./deadlines.ts";
import { type DefinitionStore, routineView } from "./definition-store.ts";
import type { Outbox, Owed, OwedKind } from "./outbox.ts";
import type { LeaseRequest } from "./peers.ts";
import { forgetRoutine, projectRoutine, projectRun } from "./projection/writes.ts";
import { PROVISIONING_MS } from "./run-deadlines.ts";
import { leaseOf, type RunEngine } from "./run-engine.ts";
import type { RunStore } from "./run-store.ts";

/** The pool as a routine's object sees it. */
export interface PoolPort {
  request(request: LeaseRequest): Promise<{ runners: number }>;
  release(lease: LeaseRef): Promise<"freed" | "stopping">;
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
}

/** A call that has not gone through after this long is tried again later, and holds up nobody. */
const CALL_DEADLINE_MS = 15_000;

export class OwedCalls {
  readonly #parts: OwedCallsParts;
  /** One after the other to the pool, and likewise to the index: neither waits for the other. */
  readonly #chains = { pool: Promise.resolve(), index: Promise.resolve() };

  constructor(parts: OwedCallsParts) {
    this.#parts = parts;
  }

  /** Makes every call that is due or new. Resolves when they have been tried; never rejects. */
  async drain(): Promise<void> {
    await Promise.all([this.#drainTo("pool"), this.#drainTo("index")]);
  }

  #drainTo(receiver: "pool" | "index"): Promise<void> {
    const drained = this.#chains[receiver].then(async () => {
      const nowMs = Date.now();
      const owed = this.#parts.outbox
        .all()
        .filter(({ kind, tries, dueAt }) => receiverOf(kind) === receiver && (tries === 0 || dueAt <= nowMs));
      for (const one of owed) await this.#try(one);
    });
    this.#chains[receiver] = drained.catch((error) => {
      logLine("error", { what: "owed_calls", receiver, outcome: errorText(error) });
    });
    return this.#chains[receiver];
  }

  async #try(owed: Owed): Promise<void> {
    try {
      await withinDeadline(this.#call(owed));
      this.#parts.outbox.settle(owed);
    } catch (error) {
      this.#parts.outbox.postpone(owed, Date.now());
      logLine("warn", { what: "owed_call", kind: owed.kind, ref: owed.ref, outcome: errorText(error) });
    }
  }

  async #call(owed: Owed): Promise<void> {
    const { runs, definitions, index } = this.#parts;
    switch (owed.kind) {
      case "ask_pool":
        return this.#askPool(leaseOf(owed.ref));
      case "release_lease":
        return this.#releaseLease(leaseOf(owed.ref));
      case "project_run": {
        const row = runs.get(owed.ref);
        if (row !== null && definitions.row()?.status !== "deleted") await projectRun(index, row.doc, row.version);
        return;
      }
      case "project_routine": {
        const row = definitions.row();
        if (row !== null && row.status !== "deleted") await projectRoutine(index, routineView(row), row.version);
        return;
      }
      case "forget_routine":
        return forgetRoutine(index, owed.ref);
    }
  }

  async #askPool(lease: LeaseRef): Promise<void> {
    const row = this.#parts.engine.leased(lease);
    // A run that was canceled meanwhile asks for nothing: its release is owed after this call.
    if (row === null || row.doc.runner !== null || row.doc.cancel_reason !== null) return;
    const { runners } = await this.#parts.pool().request({ lease, routine_id: row.doc.routine_id });
    const isWaiting = this.#parts.engine.leased(lease)?.doc.runner === null;
    if (isWaiting && runners > 0) {
      this.#parts.deadlines.set("provisioning", lease.run_id, Date.now() + PROVISIONING_MS.busy);
    }
  }

  async #releaseLease(lease: LeaseRef): Promise<void> {
    const answer = await this.#parts.pool().release(lease);
    if (answer === "freed") this.#parts.onFreed(lease);
  }
}

function receiverOf(kind: OwedKind): "pool" | "index" {
  return kind === "ask_pool" || kind === "release_lease" ? "pool" : "index";
}

async function withinDeadline(call: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("no answer in time")), CALL_DEADLINE_MS);
  try {
    await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
