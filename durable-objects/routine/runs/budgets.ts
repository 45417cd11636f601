/**
 * Budgets of runs and of the routine. They are those of the routine as it is now, and not of the revision with which a run was
 * admitted: a budget that is raised counts for runs that are on.
 */
import { type Refusal, refuse } from "#protocol/errors.ts";
import { judgeCall, nextMonthMs } from "#rules/run/budget.ts";
import type { DefinitionStore } from "../definition/definition-store.ts";
import type { Tx } from "../work.ts";
import { UNDER_WAY_MS } from "./open-calls.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";
import type { Spending } from "./spending.ts";

/**
 * After so many seconds a call is asked for again that waits for others to end. Agents ask a few times before their runs fail
 * (`MODEL_RETRIES` of the runner): together that is as long as most calls take.
 */
const SOON_S = 30;

/** Why a call may not be made. */
export interface Objection {
  refusal: Refusal;
  /** Set where it is of no use to ask again: when the budget begins anew by itself, or null for never. */
  spent: { untilMs: number | null } | null;
}

interface Parts {
  engine: RunEngine;
  runs: RunStore;
  definitions: DefinitionStore;
  spending: Spending;
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
    const spent = verdicts.find(({ verdict }) => verdict === "spent");
    if (spent !== undefined) {
      const { name, account, untilMs } = spent;
      const reason = `${name} is ${account.budgetUsd}, and ${account.spentUsd.toFixed(4)} is spent`;
      return { refusal: refuse("budget", { field: name, reason }).refusal, spent: { untilMs } };
    }
    // Calls that were under way have cost less than they might: what is left is for the attempt that goes on.
    if (row.doc.status === "waiting" && row.doc.waiting.for === "budget" && row.doc.runner !== null) {
      return { refusal: refuse("budget").refusal, spent: null };
    }
    const isBusy = verdicts.some(({ verdict }) => verdict === "soon");
    return isBusy ? { refusal: refuse("budget_reserved", { retry_after_s: SOON_S }).refusal, spent: null } : null;
  }

  /** A call has ended. One that was not waited for any more counted as if it had used all that it might: less is spent now. */
  callEnded(tx: Tx, beganMs: number): void {
    if (beganMs <= tx.nowMs - UNDER_WAY_MS) this.goOn(tx);
  }

  /** Limits, or what is spent, have changed: runs that wait for a budget go on where they have one, and else wait for its end. */
  goOn(tx: Tx): void {
    const { engine, runs } = this.#parts;
    for (const runId of runs.queue.waiting()) {
      const row = runs.get(runId);
      if (row?.doc.status !== "waiting" || row.doc.waiting.for !== "budget") continue;
      const spent = this.objection(row, 0, tx.nowMs)?.spent ?? null;
      if (spent === null) engine.feed(tx, runId, { type: "continued" });
      else engine.feed(tx, runId, { type: "waiting", for: "budget", untilMs: spent.untilMs, question: null });
    }
  }
}
