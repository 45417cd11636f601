/** What a routine's model calls have cost, and may yet: by run and by calendar month. */
import type { RoutineDefinition } from "#protocol/routine.ts";
import { type Account, monthOf, monthStartMs } from "#rules/run/budget.ts";
import type { Tx } from "../work.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { RunRow } from "./run-store.ts";

type Limits = RoutineDefinition["limits"];

export class Spending {
  readonly #sql: SqlStorage;
  readonly #openCalls: OpenCalls;

  constructor(sql: SqlStorage, openCalls: OpenCalls) {
    this.#sql = sql;
    this.#openCalls = openCalls;
  }

  /** A call has ended. @param atMs when it began: its cost is that month's. */
  add(tx: Tx, atMs: number, usd: number): void {
    if (usd > 0) tx.sql.exec(ADD, monthOf(atMs), usd);
  }

  /** The budget of one run; null where the routine sets none. */
  ofRun({ budget_usd }: Limits, { id, doc }: RunRow, nowMs: number): Account | null {
    if (budget_usd === undefined) return null;
    const { underWay, lost } = this.#openCalls.ofRun(id, nowMs);
    return { budgetUsd: budget_usd, spentUsd: (doc.usage.metered_cost_usd ?? 0) + lost, inFlightUsd: underWay };
  }

  /** The routine's budget for the month; null where it sets none. */
  ofMonth({ monthly_budget_usd }: Limits, nowMs: number): Account | null {
    if (monthly_budget_usd === undefined) return null;
    const { underWay, lost } = this.#openCalls.since(monthStartMs(nowMs), nowMs);
    const [ended] = this.#sql.exec<{ usd: number }>(FIND, monthOf(nowMs)).toArray();
    return { budgetUsd: monthly_budget_usd, spentUsd: (ended?.usd ?? 0) + lost, inFlightUsd: underWay };
  }

  isMonthSpent(limits: Limits, nowMs: number): boolean {
    const month = this.ofMonth(limits, nowMs);
    return month !== null && month.spentUsd >= month.budgetUsd;
  }
}

const ADD =
  "INSERT INTO spending (month, usd) VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET usd = usd + excluded.usd";
const FIND = "SELECT usd FROM spending WHERE month = ?";
