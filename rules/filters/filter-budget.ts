/** What all filters of a routine may cost for one event, whatever they are and whatever has been sent. Pure. */

/** In steps of some 25 ns, as those of a regular expression: one instruction that is tried on one character. */
export const EVENT_STEPS = 8_000_000;

/** What it costs to go to a value, to look at a key of an object, and to compare a value, in steps. */
export const STEPS = { value: 3, key: 10, comparison: 4 } as const;
/** A text's units that are read in one step, and what each costs where the text has to be composed before it is compared. */
const UNITS_IN_STEP = 16;
const STEPS_TO_COMPOSE = 3;
const NOT_ASCII = /[^\0-\x7f]/;

/** The steps that are left. What is taken beyond them leaves none. */
export class FilterBudget {
  #left: number;

  constructor(steps: number = EVENT_STEPS) {
    this.#left = steps;
  }

  get left(): number {
    return this.#left;
  }

  get isSpent(): boolean {
    return this.#left === 0;
  }

  take(steps: number): void {
    this.#left = Math.max(0, this.#left - steps);
  }

  /** Takes what it costs to compare a value. */
  takeComparison(value: string | number | boolean): void {
    this.take(STEPS.comparison);
    if (typeof value !== "string") return;
    this.take(NOT_ASCII.test(value) ? value.length * STEPS_TO_COMPOSE : Math.ceil(value.length / UNITS_IN_STEP));
  }
}
