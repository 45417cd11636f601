/**
 * Budgets that several routines share, what of each is gone, and which routines have to be told. Each method is one transaction,
 * and waits for nothing: calls that come together are decided one after the other.
 */
import { asc, eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/durable-sqlite";
import type { KnownBudgets, ReserveAnswer, SpendingReport } from "#instance/object-contracts.ts";
import type { Actor } from "#protocol/actor.ts";
import {
  type BudgetScope,
  budgetKey,
  SHARED_BUDGETS_AT_MOST,
  type SharedBudget,
  type SharedBudgetInput,
} from "#protocol/shared-budget.ts";
import { timestamp } from "#protocol/time.ts";
import { monthOf, nextMonthMs, previousMonthOf, UNDER_WAY_MS } from "#rules/run/budget.ts";
import { accountOf, isFor, judgeShared, type KnownBudget, type Sum, type Tags } from "#rules/run/shared-budgets.ts";
import { budgets, givenBack, reservations, routines, totals } from "./schema.ts";
import { type BudgetDatabase, ToldRoutines } from "./told-routines.ts";

/** How long a call is known that was given back before its reservation had come. */
const GIVEN_BACK_KEPT_MS = 3_600_000;

type KeptBudget = Omit<typeof budgets.$inferSelect, "spentMonth" | "spentUsd"> & Pick<KnownBudget, "spent">;

export class BudgetStore {
  readonly #storage: DurableObjectStorage;
  readonly #database: BudgetDatabase;
  readonly told: ToldRoutines;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#database = drizzle(storage);
    this.told = new ToldRoutines(this.#database);
  }

  /** That of the instance first, then by tag. */
  list(nowMs: number): SharedBudget[] {
    const sums = this.#sums(nowMs);
    return this.#kept().map((kept) => shown(kept, sums, nowMs));
  }

  /** @returns null where there are too many. */
  set({ monthly_usd, ...scope }: SharedBudgetInput, actor: Actor, nowMs: number): SharedBudget | null {
    return this.#storage.transactionSync(() => {
      const key = budgetKey(scope);
      const kept = this.#kept();
      if (kept.length >= SHARED_BUDGETS_AT_MOST && !kept.some((one) => one.key === key)) return null;
      const values = { monthlyUsd: monthly_usd, updatedAt: nowMs, updatedBy: actor };
      this.#database
        .insert(budgets)
        .values({ key, scope, ...values })
        .onConflictDoUpdate({ target: budgets.key, set: values })
        .run();
      this.#refresh(nowMs, true);
      return this.list(nowMs).find((one) => budgetKey(one) === key) ?? null;
    });
  }

  /** @returns whether there was one. */
  remove(scope: BudgetScope, nowMs: number): boolean {
    return this.#storage.transactionSync(() => {
      const gone = this.#database
        .delete(budgets)
        .where(eq(budgets.key, budgetKey(scope)))
        .returning()
        .all();
      if (gone.length > 0) this.#refresh(nowMs, true);
      return gone.length > 0;
    });
  }

  /** @param ids of calls that have ended, or were not made. */
  report(routineId: string, report: SpendingReport, ids: readonly string[], nowMs: number): KnownBudgets | null {
    return this.#storage.transactionSync(() => {
      for (const id of ids) this.#giveBack(id, nowMs);
      this.#take(routineId, report);
      this.#refresh(nowMs, false);
      this.#forgetOld(nowMs);
      if (report.is_gone === true) this.#isGone(routineId, report.tags);
      return this.#newsFor(routineId, report);
    });
  }

  /** What a routine answers that has been told. */
  heard(routineId: string, report: SpendingReport, nowMs: number): void {
    this.#storage.transactionSync(() => {
      this.#take(routineId, report);
      this.#refresh(nowMs, false);
    });
  }

  reserve(routineId: string, report: SpendingReport, call: { id: string; usd: number }, nowMs: number): ReserveAnswer {
    return this.#storage.transactionSync(() => {
      const tags = this.#take(routineId, report);
      const decided = this.#decide(routineId, tags, call, nowMs);
      this.#refresh(nowMs, false);
      return { ...decided, news: this.#newsFor(routineId, report) };
    });
  }

  /** The budgets as a routine is told of them. */
  known(): KnownBudgets {
    const known = this.#kept().map(({ scope, monthlyUsd, spent }): KnownBudget => ({ ...scope, monthlyUsd, spent }));
    return { version: this.told.version(), budgets: known };
  }

  #decide(
    routineId: string,
    tags: Tags,
    { id, usd }: { id: string; usd: number },
    nowMs: number,
  ): Omit<ReserveAnswer, "news"> {
    const free = { verdict: "go", isHeld: false } as const;
    const isThere = this.#database.select().from(reservations).where(eq(reservations.id, id)).get() !== undefined;
    if (isThere) return { ...free, isHeld: true };
    // Whoever asked for it has given up meanwhile, and makes no such call.
    const isOver = this.#database.delete(givenBack).where(eq(givenBack.id, id)).returning().all().length > 0;
    const own = this.known().budgets.filter((budget) => isFor(budget, tags));
    if (isOver || own.length === 0) return free;
    const verdict = judgeShared(own, this.#sums(nowMs), usd);
    if (verdict !== "go") return { verdict, isHeld: false };
    this.#database
      .insert(reservations)
      .values({ id, routineId, month: monthOf(nowMs), usd, at: nowMs })
      .run();
    return { ...free, isHeld: true };
  }

  /** Notes what a routine tells: what it has spent never becomes less, and its newest revision counts. @returns its tags. */
  #take(routineId: string, { tags, revision, months, knows }: SpendingReport): Tags {
    for (const { month, usd } of months) {
      this.#database
        .insert(totals)
        .values({ month, routineId, usd })
        .onConflictDoUpdate({ target: [totals.month, totals.routineId], set: { usd: sql`MAX(${totals.usd}, ${usd})` } })
        .run();
    }
    return this.told.heard(routineId, tags, revision, knows);
  }

  /** What it has spent counts for the budgets that there are of its tags; its other tags are forgotten. */
  #isGone(routineId: string, tags: Tags): void {
    const ofTags = this.known().budgets.filter((budget) => !isFor(budget, {}));
    const counted = Object.entries(tags).filter(([name, value]) =>
      ofTags.some((budget) => isFor(budget, { [name]: value })),
    );
    this.told.isGone(routineId, Object.fromEntries(counted));
  }

  #newsFor(routineId: string, { knows }: SpendingReport): KnownBudgets | null {
    const known = this.known();
    if (knows === known.version) return null;
    this.told.has(routineId, known.version);
    return known;
  }

  /** Budgets that are spent now, or not any more, are another version. @param isChanged whether they are one anyway. */
  #refresh(nowMs: number, isChanged: boolean): void {
    const month = monthOf(nowMs);
    const sums = this.#sums(nowMs);
    let isNew = isChanged;
    for (const { key, scope, monthlyUsd, spent } of this.#kept()) {
      const { spentUsd } = accountOf({ ...scope, monthlyUsd }, sums);
      const isSpent = spentUsd >= monthlyUsd;
      if (isSpent === (spent?.month === month)) continue;
      const noted = { spentMonth: isSpent ? month : null, spentUsd };
      this.#database.update(budgets).set(noted).where(eq(budgets.key, key)).run();
      isNew = true;
    }
    if (isNew) this.told.tellAll(nowMs);
  }

  #sums(nowMs: number): Sum[] {
    const month = monthOf(nowMs);
    const { tags, id } = routines;
    const spent = this.#database
      .select({ tags, usd: totals.usd })
      .from(totals)
      .innerJoin(routines, eq(id, totals.routineId))
      .where(eq(totals.month, month))
      .all();
    const held = this.#database
      .select({ tags, usd: reservations.usd, at: reservations.at })
      .from(reservations)
      .innerJoin(routines, eq(id, reservations.routineId))
      .where(eq(reservations.month, month))
      .all();
    return [
      ...spent.map((sum) => ({ ...sum, isInFlight: false })),
      ...held.map(({ at, ...sum }) => ({ ...sum, isInFlight: at > nowMs - UNDER_WAY_MS })),
    ];
  }

  #kept(): KeptBudget[] {
    const rows = this.#database.select().from(budgets).orderBy(asc(budgets.key)).all();
    return rows.map(({ spentMonth, spentUsd, ...kept }) => ({
      ...kept,
      spent: spentMonth === null ? null : { month: spentMonth, usd: spentUsd },
    }));
  }

  #forgetOld(nowMs: number): void {
    const before = previousMonthOf(nowMs);
    this.#database.delete(totals).where(lt(totals.month, before)).run();
    this.#database.delete(reservations).where(lt(reservations.month, before)).run();
    this.#database
      .delete(givenBack)
      .where(lt(givenBack.at, nowMs - GIVEN_BACK_KEPT_MS))
      .run();
  }

  /** What is held is free again; what has not come yet is not held when it comes. */
  #giveBack(id: string, nowMs: number): void {
    const held = this.#database.delete(reservations).where(eq(reservations.id, id)).returning().all();
    if (held.length === 0) this.#database.insert(givenBack).values({ id, at: nowMs }).onConflictDoNothing().run();
  }
}

function shown(
  { scope, monthlyUsd, updatedAt, updatedBy }: KeptBudget,
  sums: readonly Sum[],
  nowMs: number,
): SharedBudget {
  const { spentUsd, inFlightUsd } = accountOf({ ...scope, monthlyUsd }, sums);
  return {
    ...scope,
    monthly_usd: monthlyUsd,
    month: monthOf(nowMs),
    spent_usd: spentUsd,
    reserved_usd: inFlightUsd,
    begins_anew_at: timestamp(nextMonthMs(nowMs)),
    updated_at: timestamp(updatedAt),
    updated_by: updatedBy,
  };
}
