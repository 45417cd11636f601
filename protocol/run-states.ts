/**
 * The states of a run: the one table from which every list of statuses is derived, and every condition of an index on them.
 * It is here and not among the rules because the schemas of what crosses a boundary are made from it.
 *
 * A state that is added needs a form in `run.ts`, and whatever else the compiler then asks for: words, a mark, a migration.
 */

interface State {
  /** What a run in this state holds of its routine's `max_concurrent`: a place, a place in the queue for one, or neither. */
  holds: "place" | "queue" | "nothing";
  /** Whether it stays so for ever. */
  isSettled: boolean;
}

export const RUN_STATES = {
  queued: { holds: "queue", isSettled: false },
  starting: { holds: "place", isSettled: false },
  running: { holds: "place", isSettled: false },
  waiting: { holds: "nothing", isSettled: false },
  succeeded: { holds: "nothing", isSettled: true },
  failed: { holds: "nothing", isSettled: true },
  timed_out: { holds: "nothing", isSettled: true },
  canceled: { holds: "nothing", isSettled: true },
} as const satisfies Record<string, State>;

export type RunStates = typeof RUN_STATES;
type StatusWith<What extends Partial<State>> = {
  [Status in keyof RunStates]: RunStates[Status] extends What ? Status : never;
}[keyof RunStates];
export type SettledStatus = StatusWith<{ isSettled: true }>;
export type UnsettledStatus = StatusWith<{ isSettled: false }>;

export const runStatuses = allOf<keyof RunStates>(() => true);
export const settledStatuses = allOf<SettledStatus>(({ isSettled }) => isSettled);
export const unsettledStatuses = allOf<UnsettledStatus>(({ isSettled }) => !isSettled);

export function holdOf(status: keyof RunStates): State["holds"] {
  return RUN_STATES[status].holds;
}

export function statusesThatHold(what: State["holds"]): (keyof RunStates)[] {
  return allOf(({ holds }) => holds === what);
}

/** Those of the table that are so, in its order. */
function allOf<Status extends keyof RunStates>(isSo: (state: State) => boolean): [Status, ...Status[]] {
  const all = Object.entries(RUN_STATES).flatMap(([status, state]) => (isSo(state) ? [status as Status] : []));
  return all as [Status, ...Status[]];
}
