/** Reports of what the routine has spent, to the object that keeps the budgets which routines share. */
import type { KnownBudgets, SpendingReport } from "#instance/object-contracts.ts";
import { kindOf } from "#protocol/ids.ts";
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";
import type { Budgets } from "../runs/budgets.ts";
import type { SharedBudgets } from "../runs/shared-budgets.ts";
import type { Work } from "../work.ts";

/** That object as a routine's sees it. */
interface BudgetPort {
  report(routineId: string, report: SpendingReport, givenBack: string[]): Promise<KnownBudgets | null>;
}

interface Parts {
  work: Work;
  shared: SharedBudgets;
  budgets: Budgets;
}

export class ToBudgets implements Receiver {
  readonly name = "the shared budgets";
  /** Many calls that have ended are one report. */
  readonly sizes = [100, 10, 1];
  readonly atOnce = 1;
  readonly #port: () => BudgetPort;
  readonly #parts: Parts;

  constructor(port: () => BudgetPort, parts: Parts) {
    this.#port = port;
    this.#parts = parts;
  }

  /** @param refs calls for which nothing is to be held any more; the routine's own id where it is only to report. */
  async deliver(_kind: OwedKind, refs: readonly string[]): Promise<readonly string[]> {
    const { work, shared, budgets } = this.#parts;
    const told = shared.report(Date.now());
    if (told === null) return [];
    const { routineId, ...report } = told;
    const givenBack = refs.filter((ref) => kindOf(ref) === null);
    const known = await this.#port().report(routineId, report, givenBack);
    if (known !== null) work.change((tx) => budgets.take(tx, known));
    return [];
  }
}
