/** What a routine's model calls have cost, and may yet: by run and by calendar month. */
import type { RoutineDefinition } from "#protocol/routine.ts";
import { type Account, monthOf, monthStartMs, previousMonthOf } from "#rules/run/budget.ts";
import { dayOf, fastWords, firstDayBefore, usualWhereFast } from "#rules/run/fast-spending.ts";
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

  /**
   * The same by day. @returns once for a day that costs much more than a usual one, what there is to say of it; else null.
   */
  addToDay(tx: Tx, atMs: number, usd: number): string | null {
    const day = dayOf(atMs);
    if (usd === 0) return null;
    const { usd: spentUsd, is_told } = tx.sql.exec<DayRow>(ADD_TO_DAY, day, usd).one();
    tx.sql.exec("DELETE FROM spending_days WHERE day < ?", firstDayBefore(tx.nowMs));
    if (is_told !== 0 || day !== dayOf(tx.nowMs)) return null;
    const before = this.#sql.exec<DayRow>("SELECT usd FROM spending_days WHERE day < ?", day).toArray();
    const usualUsd = usualWhereFast(
      spentUsd,
      before.map((row) => row.usd),
    );
    if (usualUsd === null) return null;
    tx.sql.exec("UPDATE spending_days SET is_told = 1 WHERE day = ?", day);
    return fastWords(day, spentUsd, usualUsd);
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

  /** What calls that began in this month and in the one before have cost that have ended. */
  lastMonths(nowMs: number): { month: string; usd: number }[] {
    return this.#sql.exec<{ month: string; usd: number }>(LAST, previousMonthOf(nowMs)).toArray();
  }
}

interface DayRow extends Record<string, SqlStorageValue> {
  usd: number;
  is_told: number;
}

const ADD_TO_DAY = `INSERT INTO spending_days (day, usd) VALUES (?, ?)
  ON CONFLICT (day) DO UPDATE SET usd = usd + excluded.usd RETURNING usd, is_told`;
const ADD =
  "INSERT INTO spending (month, usd) VALUES (?, ?) ON CONFLICT (month) DO UPDATE SET usd = usd + excluded.usd";
const FIND = "SELECT usd FROM spending WHERE month = ?";
const LAST = "SELECT month, usd FROM spending WHERE month >= ?";
