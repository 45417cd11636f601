/** Calls to the roster, which still knows all routines when D1 is lost. */
import type { Receiver } from "../outbox/lane.ts";
import type { OwedKind } from "../outbox/outbox.ts";

/** The roster as a routine's object sees it. */
interface RosterPort {
  enter(ids: readonly string[]): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
}

export class ToRoster implements Receiver {
  readonly name = "the roster";
  readonly sizes = [1];
  readonly atOnce = 1;
  readonly #roster: () => RosterPort;

  constructor(roster: () => RosterPort) {
    this.#roster = roster;
  }

  async deliver(kind: OwedKind, ids: readonly string[]): Promise<readonly string[]> {
    await (kind === "enter_roster" ? this.#roster().enter(ids) : this.#roster().remove(ids));
    return [];
  }
}
