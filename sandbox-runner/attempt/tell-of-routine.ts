/** What later runs of a run's routine can be prepared for: told when its order has come, and when it has cloned. */
import type { RunOrder } from "#protocol/runner-link.ts";
import type { Clone } from "../git/clone-plan.ts";
import { readInstructions } from "../prepared/instructions.ts";
import { type Expected, expectedAfter, tellsOfRoutine, wantedOf } from "../prepared/start-shape.ts";

export interface RoutineToldOptions {
  /** Whether anything is prepared for routines: else nothing is read for that, and nothing is told. */
  isUsed: boolean;
  /** Null for nothing. */
  tell(expected: Expected | null): void;
}

export class RoutineTold {
  readonly #options: RoutineToldOptions;

  constructor(options: RoutineToldOptions) {
    this.#options = options;
  }

  onOrder(order: RunOrder): void {
    const { isUsed, tell } = this.#options;
    if (isUsed && tellsOfRoutine(order) && wantedOf(order) === null) tell(null);
  }

  /** Never rejects. */
  async onCloned(order: RunOrder, clones: readonly Clone[]): Promise<void> {
    const { isUsed, tell } = this.#options;
    if (isUsed && tellsOfRoutine(order)) tell(await expectedFrom(order, clones));
  }
}

/** Nothing where no agent may be started ahead: no spare is made in vain. */
async function expectedFrom(order: RunOrder, clones: readonly Clone[]): Promise<Expected | null> {
  const expected = expectedAfter(order, clones);
  const [clone] = clones;
  if (expected === null || clone === undefined) return null;
  return (await readInstructions(clone.folder)) === null ? null : expected;
}
