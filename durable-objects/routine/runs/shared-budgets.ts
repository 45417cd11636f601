/**
 * Budgets that routines share, as far as this routine has to know: a copy of them, which the object that keeps them renews when
 * they change; and the calls for which money is held there. What is held is written down before it is asked for, and given back
 * by the outbox: whatever ends in between, nothing stays held for a call that is not made.
 */
import type { KnownBudgets, SpendingReport } from "#instance/object-contracts.ts";
import { monthOf } from "#rules/run/budget.ts";
import { isFor, isOtherBudgets, type KnownBudget, spentOf, type Tags } from "#rules/run/shared-budgets.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { Remembered, Tx, Work } from "../work.ts";
import type { Spending } from "./spending.ts";

/** Longer than asking takes: then nobody waits for the answer any more. */
const ASKED_MS = 60_000;

interface Parts {
  sql: SqlStorage;
  work: Work;
  outbox: Outbox;
  definitions: DefinitionStore;
  spending: Spending;
}

export class SharedBudgets {
  readonly #parts: Parts;
  readonly #known: Remembered<KnownBudgets | null>;
  readonly #earliestAsked: Remembered<number | null>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { sql, work } = parts;
    this.#known = work.remember(() => {
      const [row] = sql.exec<{ version: number; budgets: string }>(READ).toArray();
      return row === undefined ? null : { version: row.version, budgets: JSON.parse(row.budgets) };
    });
    this.#earliestAsked = work.remember(() => sql.exec<{ at: number | null }>(EARLIEST_ASKED).one().at);
  }

  /** Whether a call's money has to be held: also while it is not known which budgets there are. */
  get isAsked(): boolean {
    const known = this.#known.get();
    return known === null || known.budgets.some((budget) => isFor(budget, this.#tags()));
  }

  /** The first of the routine's that is spent; null when none is. */
  spent(nowMs: number): KnownBudget | null {
    const budgets = this.#known.get()?.budgets ?? [];
    // Most instances have none, and every wake asks.
    return budgets.length === 0 ? null : spentOf(budgets, this.#tags(), monthOf(nowMs));
  }

  /** @returns whether they are newer than what was known. */
  take(tx: Tx, { version, budgets }: KnownBudgets): boolean {
    const known = this.#known.get();
    if (known !== null && version <= known.version) return false;
    tx.sql.exec(KEEP, version, JSON.stringify(budgets));
    this.#known.set(tx, { version, budgets });
    return true;
  }

  /** What the routine has spent; null where there is none. */
  report(nowMs: number): (SpendingReport & { routineId: string }) | null {
    const { definitions, spending } = this.#parts;
    const row = definitions.row();
    if (row === null) return null;
    const knows = this.#known.get()?.version ?? null;
    const { id: routineId, revision, definition } = row;
    const gone = row.status === "deleted" ? { is_gone: true } : {};
    return { routineId, tags: definition.tags, revision, months: spending.lastMonths(nowMs), knows, ...gone };
  }

  /** The object is opened: nobody waits for what was asked before. Where it is not known which budgets there are, it asks. */
  open(tx: Tx, routineId: string): void {
    this.giveBackAsked(tx, tx.nowMs);
    if (this.#known.get() === null) this.#parts.outbox.owe(tx, "report_spending", routineId);
  }

  /** The routine has other tags. */
  tagsChanged(tx: Tx, routineId: string, before: Tags, after: Tags): void {
    const budgets = this.#known.get()?.budgets ?? [];
    if (isOtherBudgets(budgets, before, after)) this.#parts.outbox.owe(tx, "report_spending", routineId);
  }

  /** @returns the id under which money is asked for. */
  ask(tx: Tx, runId: string): string {
    const id = crypto.randomUUID();
    tx.sql.exec(ASK, id, runId, tx.nowMs);
    this.#earliestAsked.forget();
    return id;
  }

  /** The call is made for which money is held. */
  begun(tx: Tx, id: string, call: number): void {
    tx.sql.exec("UPDATE shared_reservations SET call = ? WHERE id = ?", call, id);
    this.#earliestAsked.forget();
  }

  /** No money is held. */
  drop(tx: Tx, id: string): void {
    tx.sql.exec("DELETE FROM shared_reservations WHERE id = ?", id);
    this.#earliestAsked.forget();
  }

  /** Money is held for nothing, or may be. */
  giveBack(tx: Tx, id: string): void {
    this.drop(tx, id);
    this.#parts.outbox.owe(tx, "report_spending", id);
  }

  /** A call has ended, and what it cost is counted. */
  ended(tx: Tx, routineId: string, runId: string, call: number): void {
    const held = this.#parts.sql.exec<{ id: string }>(OF_CALL, runId, call).toArray();
    for (const { id } of held) this.giveBack(tx, id);
    if (held.length === 0 && this.isAsked) this.#parts.outbox.owe(tx, "report_spending", routineId);
  }

  /** Gives back what was asked for before a moment for calls that were not made: nobody waits for it any more. */
  giveBackAsked(tx: Tx, beforeMs: number): void {
    if (this.#earliestAsked.get() === null) return;
    const asked = this.#parts.sql.exec<{ id: string }>(ASKED, beforeMs).toArray();
    for (const { id } of asked) this.giveBack(tx, id);
  }

  /** When there may be something to give back, in Unix milliseconds; null for never. */
  next(): number | null {
    const at = this.#earliestAsked.get();
    return at === null ? null : at + ASKED_MS;
  }

  look(nowMs: number): void {
    this.#parts.work.change((tx) => this.giveBackAsked(tx, nowMs - ASKED_MS));
  }

  #tags(): Tags {
    return this.#parts.definitions.row()?.definition.tags ?? {};
  }
}

const READ = "SELECT version, budgets FROM shared_budgets WHERE id = 1";
const KEEP = `INSERT INTO shared_budgets (id, version, budgets) VALUES (1, ?, ?)
  ON CONFLICT (id) DO UPDATE SET version = excluded.version, budgets = excluded.budgets`;
const ASK = "INSERT INTO shared_reservations (id, run_id, at) VALUES (?, ?, ?)";
const OF_CALL = "SELECT id FROM shared_reservations WHERE run_id = ? AND call = ?";
const ASKED = "SELECT id FROM shared_reservations WHERE call IS NULL AND at <= ?";
const EARLIEST_ASKED = "SELECT MIN(at) AS at FROM shared_reservations WHERE call IS NULL";
