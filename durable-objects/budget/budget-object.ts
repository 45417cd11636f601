/**
 * Keeps the budgets that several routines share: of the instance, and of tags. One object, which decides on every call that one
 * of them is for, so that calls of several routines at once can't overdraw it. Routines that no such budget is for ask it nothing.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig, requireConfig } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { BudgetForRoutine, KnownBudgets, ReserveAnswer, SpendingReport } from "#instance/object-contracts.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { routineObject } from "#instance/objects.ts";
import { ownResidenceFault } from "#instance/residence.ts";
import type { Actor } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import {
  type BudgetScope,
  budgetKey,
  SHARED_BUDGETS_AT_MOST,
  type SharedBudget,
  type SharedBudgetInput,
} from "#protocol/shared-budget.ts";
import migrations from "../../migrations/budget-object/migrations.js";
import { MIGRATE_RETRY_MS, migrate } from "../migrate.ts";
import { BudgetStore } from "./budget-store.ts";
import type { Untold } from "./told-routines.ts";

/** So many routines are told at the same time, each for so long. */
const TOLD_AT_ONCE = 20;
const TELL_DEADLINE_MS = 3_000;
/** A change is answered when all have been told, or after so long: the rest follow by the alarm. */
const TELL_ALL_MS = 5_000;

export class BudgetObject extends DurableObject<ObjectEnv> implements BudgetForRoutine {
  #opened: BudgetStore | null = null;

  report(routineId: string, report: SpendingReport, givenBack: string[]): KnownBudgets | null {
    const answer = this.#store.report(routineId, report, givenBack, Date.now());
    this.#arm();
    return answer;
  }

  reserve(routineId: string, report: SpendingReport, call: { id: string; usd: number }): ReserveAnswer {
    const answer = this.#store.reserve(routineId, report, call, Date.now());
    this.#arm();
    return answer;
  }

  list(): SharedBudget[] {
    return this.#store.list(Date.now());
  }

  /** Sets one, or changes it. Answers when routines have been told, as far as they answer soon. */
  async set(input: SharedBudgetInput, actor: Actor): Promise<Result<SharedBudget>> {
    const set = this.#store.set(input, actor, Date.now());
    if (set === null) return refuse("too_many_budgets", { message: tooMany() });
    await this.#tellSoon();
    // Routines that have been told have said what they had spent before.
    const now = this.#store.list(Date.now()).find((one) => budgetKey(one) === budgetKey(set));
    return success(now ?? set);
  }

  async remove(scope: BudgetScope): Promise<Result<null>> {
    if (!this.#store.remove(scope, Date.now())) return refuse("not_found");
    await this.#tellSoon();
    return success(null);
  }

  override async alarm(): Promise<void> {
    try {
      await this.#tellDue(Date.now() + TELL_ALL_MS);
      this.#arm();
    } catch (error) {
      // The platform drops the alarm of an object that fails six times.
      logTrouble("alarm_failed", { object: "budgets", concern: "tell routines", failures: 1 }, error);
      await this.ctx.storage.setAlarm(Date.now() + MIGRATE_RETRY_MS);
    }
  }

  async #tellSoon(): Promise<void> {
    // Should this object end meanwhile, the alarm goes on.
    this.#arm();
    await this.#tellDue(Date.now() + TELL_ALL_MS);
    this.#arm();
  }

  /** @param untilMs no more are begun after this. */
  async #tellDue(untilMs: number): Promise<void> {
    while (Date.now() < untilMs) {
      const due = this.#store.told.untold(Date.now(), TOLD_AT_ONCE);
      if (due.length === 0) return;
      await Promise.all(due.map((one) => this.#tell(one)));
    }
  }

  async #tell(one: Untold): Promise<void> {
    const store = this.#store;
    try {
      const routine = routineObject(this.env, requireConfig(this.env).jurisdiction, one.id);
      const told = await withinDeadline(routine.takeBudgets(store.known()), TELL_DEADLINE_MS, "the routine");
      if (told.ok) store.heard(one.id, told.value, Date.now());
      else if (told.refusal.code === "not_found") store.told.isGone(one.id);
      else store.told.failed(one, Date.now());
    } catch (error) {
      logTrouble("budgets_not_told", { routine_id: one.id, tries: one.tries + 1 }, error);
      store.told.failed(one, Date.now());
    }
  }

  /** Has the alarm ring when the next routine is to be told. */
  #arm(): void {
    const next = this.#store.told.next();
    if (next !== null) void this.ctx.storage.setAlarm(next);
  }

  /** @throws Error while the tables can't be brought up to date, or the object is in another place than the others. */
  get #store(): BudgetStore {
    if (this.#opened !== null) return this.#opened;
    const check = readConfig(this.env);
    const elsewhere = check.ok ? ownResidenceFault(check.config.jurisdiction, this.ctx.id) : null;
    if (elsewhere !== null) throw new Error(elsewhere.message);
    const migrated = migrate(this.ctx.storage, "budget", migrations);
    if (!migrated.ok) throw new Error(`migration ${migrated.migration} failed: ${migrated.cause}`);
    this.#opened = new BudgetStore(this.ctx.storage);
    return this.#opened;
  }
}

function tooMany(): string {
  return `This instance has ${SHARED_BUDGETS_AT_MOST} budgets of tags and of the instance, as many as it can.`;
}
