/** Whether a model call may be made, given what a budget has left. Pure. */

/** A budget, and what of it is gone. In US dollars. */
export interface Account {
  budgetUsd: number;
  spentUsd: number;
  /** What calls that are under way may cost at most. */
  inFlightUsd: number;
}

/**
 * `go`; `soon`: it may when calls that are under way have ended; `spent`: not before the budget is raised.
 */
export type CallVerdict = "go" | "soon" | "spent";

/**
 * The last call that fits in may cost more than is left, but it is then the only one: calls that are under way together always
 * fit. So no more is spent than the budget and one call.
 * @param reserveUsd what the call may cost at most.
 */
export function judgeCall({ budgetUsd, spentUsd, inFlightUsd }: Account, reserveUsd: number): CallVerdict {
  if (spentUsd >= budgetUsd) return "spent";
  const isAlone = inFlightUsd === 0;
  return isAlone || spentUsd + inFlightUsd + reserveUsd <= budgetUsd ? "go" : "soon";
}

/** The calendar month of a moment, in UTC. */
export function monthOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 7);
}

export function monthStartMs(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
}

export function nextMonthMs(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1);
}
