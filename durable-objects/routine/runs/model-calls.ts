/** Model calls of runs, as the worker's proxy asks before each, and tells what it used. */
import { unchangedDefault } from "#instance/d1/environments.ts";
import type { ReserveAnswer, SpendingReport } from "#instance/object-contracts.ts";
import type { CallSize } from "#protocol/call-size.ts";
import type { NetworkLevel } from "#protocol/environment.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import type { CallTokens } from "#protocol/model-usage.ts";
import { isSettled, type Tokens } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { callPrice, callReserve } from "#rules/run/model-prices.ts";
import { type AnsweringModel, answeringModel } from "#rules/run/model-rule.ts";
import { factText, fastFact } from "#rules/run/notify.ts";
import { costOfCall, countCost, countTokens, countUnmetered } from "#rules/run/usage.ts";
import type { Outbox } from "../outbox/outbox.ts";
import type { ProxyNotice } from "../sessions/proxy-notices.ts";
import type { Tx, Work } from "../work.ts";
import type { Budgets, Objection } from "./budgets.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { RunEngine } from "./run-engine.ts";
import type { RunRow, RunStore } from "./run-store.ts";
import type { SharedBudgets } from "./shared-budgets.ts";
import type { Spending } from "./spending.ts";

/** Whoever asked in vain for a call's money asks again after so many seconds. */
const UNANSWERED_S = 5;

export interface AnsweringCall extends AnsweringModel {
  /** The call's number in its run, by which its usage is told; null for one that is not counted. */
  call: number | null;
  /** How much of the internet the attempt reaches: what the model's service does for it reaches no more. */
  level: NetworkLevel;
}

/** The object that keeps the budgets which routines share. @throws when it does not answer in time. */
type Reserve = (routineId: string, report: SpendingReport, call: { id: string; usd: number }) => Promise<ReserveAnswer>;

interface Parts {
  work: Work;
  engine: RunEngine;
  runs: RunStore;
  outbox: Outbox;
  openCalls: OpenCalls;
  spending: Spending;
  budgets: Budgets;
  shared: SharedBudgets;
  /** Models that the instance allows beside the routine's. */
  otherModels: readonly string[];
  tell(tx: Tx, lease: LeaseRef, notice: ProxyNotice): Result<null>;
  reserve: Reserve;
}

/** A call that is asked for. */
interface Wanted {
  lease: LeaseRef;
  asked: string;
  size: CallSize;
}

/** The same, as far as it is judged: money has to be held for it before it is made. */
interface ToHold {
  id: string;
  usd: number;
}

export class ModelCalls {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Whether the attempt is on. @returns the model that answers a call which is not counted. */
  modelFor(lease: LeaseRef, asked: string): Result<AnsweringCall> {
    const row = this.#parts.engine.working(lease);
    if (row === null) return refuse("proxy_token_refused");
    return success({ ...this.#answering(row, lease, asked), call: null });
  }

  /**
   * Counts a model call before it is made: from the first one on, the run is not tried again by itself. Its number in the
   * run is what its usage is told by. Where a budget is spent it is not made, and the run waits. Where routines share a budget
   * that is for this one, money is held there first, and then all is judged anew.
   */
  async begin(wanted: Wanted): Promise<Result<AnsweringCall>> {
    const { work } = this.#parts;
    const first = work.change((tx) => this.#judge(tx, wanted));
    if ("ok" in first) return first;
    const answer = await this.#hold(first);
    return work.change((tx) => this.#afterHold(tx, wanted, first.id, answer));
  }

  /** Counts what is known of a call while it is under way. After it has ended, that changes nothing. */
  note(tx: Tx, lease: LeaseRef, call: number, tokens: Tokens): Result<null> {
    const { runs, openCalls, engine } = this.#parts;
    const row = runs.get(lease.run_id);
    const counted = openCalls.counted(lease.run_id, call);
    if (row === null || counted === null) return success(null);
    openCalls.count(tx, row.id, call, tokens);
    engine.update(tx, row, { ...row.doc, usage: countTokens(row.doc.usage, tokens, counted) });
    return success(null);
  }

  /**
   * Counts what a call used: once, however often it is told. This is done also after the run has ended. A call of which only
   * a part is known stays among those that are not metered.
   */
  end(
    tx: Tx,
    lease: LeaseRef,
    { call, tokens, isPart }: { call: number; tokens: CallTokens; isPart: boolean },
  ): Result<null> {
    const { runs, openCalls, engine, spending, budgets, shared, outbox } = this.#parts;
    const row = runs.get(lease.run_id);
    if (row === null || call > row.doc.evidence.model_calls) return refuse("proxy_token_refused");
    const open = openCalls.close(tx, row.id, call);
    if (open === null) return success(null);
    const cost = costOfCall(open, tokens, isPart);
    spending.add(tx, open.atMs, cost.usd);
    const fast = spending.addToDay(tx, open.atMs, cost.usd);
    if (fast !== null) outbox.owe(tx, "notify", factText(fastFact(row.id, tx.nowMs, fast)));
    shared.ended(tx, row.doc.routine_id, row.id, call);
    const usage = countCost(countTokens(row.doc.usage, tokens, open.counted), cost);
    engine.update(tx, row, { ...row.doc, usage: isPart ? usage : countUnmetered(usage, -1) });
    budgets.callEnded(tx, open.atMs);
    if (isSettled(row.doc)) outbox.owe(tx, "project_run", row.id);
    return success(null);
  }

  #judge(tx: Tx, wanted: Wanted): Result<AnsweringCall> | ToHold {
    const { engine, budgets, shared } = this.#parts;
    const row = engine.working(wanted.lease);
    if (row === null) return refuse("proxy_token_refused");
    const { reserved } = this.#priced(row, wanted);
    const objection = budgets.objection(row, reserved, tx.nowMs);
    if (objection !== null) return this.#object(tx, row, objection);
    // The demo model costs nothing.
    if (reserved === 0 || !shared.isAsked) return this.#make(tx, row, wanted, null);
    return { id: shared.ask(tx, row.id), usd: reserved };
  }

  /** @returns null where there is no answer. Never rejects. */
  async #hold(call: ToHold): Promise<ReserveAnswer | null> {
    const { shared, reserve } = this.#parts;
    const told = shared.report(Date.now());
    if (told === null) return null;
    const { routineId, ...report } = told;
    try {
      return await reserve(routineId, report, call);
    } catch (error) {
      logTrouble("budgets_silent", { routine_id: routineId }, error);
      return null;
    }
  }

  /** Much may have happened meanwhile: the attempt may have ended, and another call may have taken what was left. */
  #afterHold(tx: Tx, wanted: Wanted, id: string, answer: ReserveAnswer | null): Result<AnsweringCall> {
    const { engine, budgets, shared } = this.#parts;
    if (answer?.isHeld === false) shared.drop(tx, id);
    if (answer !== null && answer.news !== null) budgets.take(tx, answer.news);
    const row = engine.working(wanted.lease);
    const objection =
      row === null || answer === null
        ? null
        : (budgets.sharedObjection(answer, tx.nowMs) ??
          budgets.objection(row, this.#priced(row, wanted).reserved, tx.nowMs));
    if (row !== null && answer !== null && objection === null) {
      return this.#make(tx, row, wanted, answer.isHeld ? id : null);
    }
    if (answer?.isHeld !== false) shared.giveBack(tx, id);
    if (row === null) return refuse("proxy_token_refused");
    return objection === null
      ? refuse("budget_unanswered", { retry_after_s: UNANSWERED_S })
      : this.#object(tx, row, objection);
  }

  #object(tx: Tx, row: RunRow, { refusal, spent }: Objection): Result<never> {
    if (spent !== null) this.#parts.budgets.stop(tx, row.id, spent);
    return { ok: false, refusal };
  }

  /** @param held under which money is held for it elsewhere; null where none is. */
  #make(tx: Tx, row: RunRow, wanted: Wanted, held: string | null): Result<AnsweringCall> {
    const { engine, openCalls, shared, tell } = this.#parts;
    const { answering, price, factor, reserved } = this.#priced(row, wanted);
    if (price.isEstimated && factor > 0) tell(tx, wanted.lease, unknownPrice(price.model));
    const call = row.doc.evidence.model_calls + 1;
    openCalls.open(tx, { runId: row.id, call, model: price.model, factor, reserved });
    if (held !== null) shared.begun(tx, held, call);
    const evidence = { ...row.doc.evidence, model_calls: call };
    engine.update(tx, row, { ...row.doc, evidence, usage: countUnmetered(row.doc.usage, 1) });
    return success({ ...answering, call });
  }

  #priced(row: RunRow, { lease, asked, size }: Wanted) {
    const answering = this.#answering(row, lease, asked);
    const price = callPrice(answering.model, size);
    const factor = row.doc.demo_model ? 0 : price.factor;
    return { answering, price, factor, reserved: callReserve({ ...price, factor }, size) };
  }

  #answering({ doc }: RunRow, lease: LeaseRef, asked: string): Omit<AnsweringCall, "call"> {
    const { engine, otherModels } = this.#parts;
    const { level } = (engine.environmentOf(lease) ?? unchangedDefault()).network;
    return { ...answeringModel(asked, doc.routine.model, otherModels), level };
  }
}

function unknownPrice(model: string): ProxyNotice {
  const message = `The price of these calls, which ${model} answers, is not known to this instance: metered_cost_usd and budgets take the dearest model's, or twice its own for its fast mode.`;
  return { code: "model_price_unknown", message };
}
