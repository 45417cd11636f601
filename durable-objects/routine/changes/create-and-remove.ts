/** How a routine comes to be in its object, how it changes, and how it goes: none of it is done before D1 knows. */
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { Routine, RoutineInput } from "#protocol/routine.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { DefinitionStore, RoutineRow } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { AttemptEnvironments } from "../runs/attempt-environments.ts";
import type { RunEngine } from "../runs/run-engine.ts";
import type { RunSockets } from "../runs/run-sockets.ts";
import type { RunStore } from "../runs/run-store.ts";
import type { RunWaiters } from "../runs/run-waiters.ts";
import type { Viewers } from "../viewers/viewers.ts";
import type { Tx, Work } from "../work.ts";
import type { AwaitIndex } from "./await-index.ts";
import type { DefinitionChanges } from "./change-definition.ts";
import type { IndexEntry } from "./index-entry.ts";
import { cancelDeleted, cancelWaiting } from "./purge.ts";

/** A token or secret is shown once, so its answer waits for D1 no longer than this: the object has put it in force already. */
const TOLD_WITHIN_MS = 2_000;

/** What the caller is told when D1 has not taken a write in: what has taken effect all the same. */
const BEHIND = {
  create: { message: "The routine was not created: the index did not take it in." },
  change: {
    message: "The change is made, and the routine shows it. The index has not taken it in yet.",
    hint: "Do not repeat it. Lists, and what events are matched by, follow by themselves.",
  },
  remove: {
    message: "The routine is deleted, and fires no more. The index has not taken that in yet.",
    hint: "Do not repeat it. Lists follow by themselves.",
  },
} as const;

interface Parts {
  work: Work;
  definitions: DefinitionStore;
  definitionChanges: DefinitionChanges;
  outbox: Outbox;
  runs: RunStore;
  environments: AttemptEnvironments;
  sockets: RunSockets;
  engine: RunEngine;
  viewers: Viewers;
  waiters: RunWaiters;
  entry: IndexEntry;
  index: AwaitIndex;
}

export class RoutineChanges {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Asked again in the name of the same id, it makes nothing more. @returns `not_found` where it was made, and is deleted. */
  async create(order: { id: string; input: RoutineInput; actor: Actor }): Promise<Result<Routine>> {
    const { work, definitions, definitionChanges, outbox, entry, index } = this.#parts;
    const { id } = order;
    const there = definitions.row();
    if (there !== null) return there.id === id ? this.#createdBefore() : refuse("not_found");
    const made = work.change((tx) => {
      const created = definitionChanges.create(tx, order);
      if (!created.ok) return created;
      outbox.owe(tx, "project_routine", id);
      // Nobody waits for the roster's write: the outbox that owes it outlives a loss of D1.
      outbox.owe(tx, "enter_roster", id);
      outbox.owe(tx, "report_spending", id);
      return created;
    });
    if (!made.ok) return made;
    if (await index.isIndexed(made.value.version)) return success(entry.view(made.value, Date.now()));
    // Not accepted, so it must not turn up later, even if the index has taken it and only its answer was lost.
    work.change((tx) => {
      definitions.update(tx, made.value, { status: "deleted" });
      this.#forget(tx, id);
    });
    return refuse("index_behind", BEHIND.create);
  }

  /** The first call may be on its way to D1 still, and may end in that the routine is not created. */
  async #createdBefore(): Promise<Result<Routine>> {
    const { definitions, entry, index } = this.#parts;
    const before = definitions.living();
    if (before === null) return refuse("not_found");
    const isIndexed = await index.isIndexed(before.version);
    const now = definitions.living();
    if (now === null) return refuse("not_found");
    return isIndexed ? success(entry.view(now, Date.now())) : refuse("index_behind", BEHIND.create);
  }

  async remove(routine: RoutineRow): Promise<Result<null>> {
    const { work, definitions, runs, viewers, index } = this.#parts;
    work.change((tx) => {
      definitions.update(tx, routine, { status: "deleted", tokenHash: null });
      this.#forget(tx, routine.id);
      this.#parts.waiters.closeAll(tx);
      for (const runId of [...runs.queue.active(), ...runs.queue.waiting()]) cancelDeleted(tx, this.#parts, runId);
      // The others, and all that is kept, follow in steps: see `Purge`.
      cancelWaiting(tx, this.#parts);
    });
    viewers.closeAll(CLOSE_CODES.noSuchSession, "the routine has been deleted");
    return (await index.isForgotten(routine.id)) ? success(null) : refuse("index_behind", BEHIND.remove);
  }

  /** Changes the routine's own row. It waits for its own write to D1 alone: another's may be under way, before or after it. */
  async change(routine: RoutineRow, change: (tx: Tx) => Result<RoutineRow>): Promise<Result<Routine>> {
    const { work, outbox, entry, index } = this.#parts;
    const changed = work.change((tx) => {
      const result = change(tx);
      if (result.ok) outbox.owe(tx, "project_routine", routine.id);
      return result;
    });
    if (!changed.ok) return changed;
    return (await index.isIndexed(changed.value.version))
      ? success(entry.view(changed.value, Date.now()))
      : refuse("index_behind", BEHIND.change);
  }

  /**
   * Puts a token or a secret in force, which is shown once. It is shown also when D1 does not answer: the one before has ended,
   * so a new one that nobody has seen would shut everybody out.
   * @param change gives the routine's changed row, and what is to be told.
   */
  async changeAndTell<Value>(
    change: (tx: Tx, routine: RoutineRow) => Result<{ row: RoutineRow; told: Value }>,
  ): Promise<Result<Value>> {
    const { work, definitions, outbox, index } = this.#parts;
    const changed = work.change((tx): Result<{ row: RoutineRow; told: Value }> => {
      const routine = definitions.living();
      if (routine === null) return refuse("not_found");
      const result = change(tx, routine);
      if (result.ok) outbox.owe(tx, "project_routine", routine.id);
      return result;
    });
    if (!changed.ok) return changed;
    await index.isIndexed(changed.value.row.version, TOLD_WITHIN_MS);
    return success(changed.value.told);
  }

  /** A new token for the fire endpoint; the one before is revoked. @param mayRead whether it also reads runs. */
  issueToken(token: string, tokenHash: string, mayRead: boolean): Promise<Result<{ token: string }>> {
    const change = { tokenHash, tokenMayRead: mayRead };
    return this.changeAndTell((tx, routine) => {
      this.#parts.waiters.closeAll(tx);
      return success({ row: this.#parts.definitions.update(tx, routine, change), told: { token } });
    });
  }

  /** The token that is in force is good for nothing any more. */
  revokeToken(routine: RoutineRow): Promise<Result<Routine>> {
    return this.change(routine, (tx) => {
      this.#parts.waiters.closeAll(tx);
      return success(this.#parts.definitions.update(tx, routine, { tokenHash: null, tokenMayRead: false }));
    });
  }

  #forget(tx: Tx, id: string): void {
    this.#parts.outbox.owe(tx, "forget_routine", id);
    this.#parts.outbox.owe(tx, "leave_roster", id);
    // That it is gone.
    this.#parts.outbox.owe(tx, "report_spending", id);
  }
}
