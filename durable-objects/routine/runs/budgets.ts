/**
 * Budgets of runs, of the routine, and those that routines share. They are those of the routine as it is now, and not of the
 * revision with which a run was admitted: a budget that is raised counts for runs that are on.
 */
import type { KnownBudgets, ReserveAnswer } from "#instance/object-contracts.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";
import { budgetName } from "#protocol/shared-budget.ts";
import { judgeCall, nextMonthMs, type SpentBudget, spentWords, UNDER_WAY_MS } from "#rules/run/budget.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Tx } from "../work.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";
import type { SharedBudgets } from "./shared-budgets.ts";
import type { Spending } from "./spending.ts";

/**
 * After so many seconds a call is asked for again that waits for others to end. Agents ask a few times before their runs fail
 * (`MODEL_RETRIES` of the runner): together that is as long as most calls take.
 */
const SOON_S = 30;

/** Why a call may not be made. */
export interface Objection {
  refusal: Refusal;
  /** Set where it is of no use to ask again. */
  spent: SpentBudget | null;
}

interface Parts {
  engine: RunEngine;
  runs: RunStore;
  definitions: DefinitionStore;
  spending: Spending;
  shared: SharedBudgets;
}

export class Budgets {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param reserveUsd what the call may cost at most. @returns null where the run's next call may be made. */
  objection(row: RunRow, reserveUsd: number, nowMs: number): Objection | null {
    const { definitions, spending } = this.#parts;
    const { limits } = definitions.current();
    const accounts = [
      { name: "limits.budget_usd", account: spending.ofRun(limits, row, nowMs), untilMs: null },
      { name: "limits.monthly_budget_usd", account: spending.ofMonth(limits, nowMs), untilMs: nextMonthMs(nowMs) },
    ];
    const verdicts = accounts.flatMap(({ name, account, untilMs }) =>
      account === null ? [] : [{ name, account, untilMs, verdict: judgeCall(account, reserveUsd) }],
    );
    const own = verdicts.find(({ verdict }) => verdict === "spent");
    const spent = own === undefined ? this.#sharedSpent(nowMs) : { ...own, ...own.account };
    if (spent !== null) return spentObjection(spent);
    // Calls that were under way have cost less than they might: what is left is for the attempt that goes on.
    if (row.doc.status === "waiting" && row.doc.waiting.for === "budget" && row.doc.runner !== null) {
      return { refusal: refuse("budget").refusal, spent: null };
    }
    return verdicts.some(({ verdict }) => verdict === "soon") ? reservedObjection() : null;
  }

  /**
   * What the object that keeps the shared budgets objects to. What it has told since counts more than its answer: one that was
   * spent when it answered may have been raised, or be the routine's no more, and nothing would have the run go on then.
   */
  sharedObjection({ verdict }: ReserveAnswer, nowMs: number): Objection | null {
    if (verdict === "go") return null;
    const spent = verdict === "spent" ? this.#sharedSpent(nowMs) : null;
    return spent === null ? reservedObjection() : spentObjection(spent);
  }

  /** A budget for which nothing begins before the next month: the routine's own, or one that it shares; null where none is spent. */
  spentForMonth(nowMs: number): SpentBudget | null {
    const { definitions, spending } = this.#parts;
    const month = spending.ofMonth(definitions.current().limits, nowMs);
    if (month === null || month.spentUsd < month.budgetUsd) return this.#sharedSpent(nowMs);
    return { name: "limits.monthly_budget_usd", ...month, untilMs: nextMonthMs(nowMs) };
  }

  /** The run waits until a budget has money again. */
  stop(tx: Tx, runId: string, spent: SpentBudget): void {
    const { untilMs } = spent;
    const reason = spentWords(spent);
    this.#parts.engine.feed(tx, runId, { type: "waiting", for: "budget", untilMs, question: null, reason });
  }

  /** A call has ended. One that was not waited for any more counted as if it had used all that it might: less is spent now. */
  callEnded(tx: Tx, beganMs: number): void {
    if (beganMs <= tx.nowMs - UNDER_WAY_MS) this.goOn(tx);
  }

  /** Shared budgets have changed. */
  take(tx: Tx, known: KnownBudgets): void {
    if (this.#parts.shared.take(tx, known)) this.goOn(tx);
  }

  /** Limits, or what is spent, have changed: runs that wait for a budget go on where they have one, and else wait for its end. */
  goOn(tx: Tx): void {
    const { engine, runs } = this.#parts;
    for (const runId of runs.queue.waiting()) {
      const row = runs.get(runId);
      if (row?.doc.status !== "waiting" || row.doc.waiting.for !== "budget") continue;
      const spent = this.objection(row, 0, tx.nowMs)?.spent ?? null;
      if (spent === null) engine.feed(tx, runId, { type: "continued" });
      else this.stop(tx, runId, spent);
    }
  }

  #sharedSpent(nowMs: number): SpentBudget | null {
    const budget = this.#parts.shared.spent(nowMs);
    if (budget === null) return null;
    const { monthlyUsd: budgetUsd, spent } = budget;
    return { name: budgetName(budget), budgetUsd, spentUsd: spent?.usd ?? budgetUsd, untilMs: nextMonthMs(nowMs) };
  }
}

function spentObjection(spent: SpentBudget): Objection {
  const { name } = spent;
  const field = name.startsWith("limits.") ? { field: name } : {};
  return { refusal: refuse("budget", { ...field, reason: spentWords(spent) }).refusal, spent };
}

function reservedObjection(): Objection {
  return { refusal: refuse("budget_reserved", { retry_after_s: SOON_S }).refusal, spent: null };
}
