/** Whether a model call may be made, given what a budget has left. Pure. */

import { timestamp } from "#protocol/time.ts";

/** A call that began longer ago is not waited for: it counts as if it had used all that it might. */
export const UNDER_WAY_MS = 10 * 60_000;

/** A budget, and what of it is gone. In US dollars. */
export interface Account {
  budgetUsd: number;
  spentUsd: number;
  /** What calls that are under way may cost at most. */
  inFlightUsd: number;
}

/** One that is spent, as people are told of it. */
export interface SpentBudget {
  name: string;
  budgetUsd: number;
  spentUsd: number;
  /** When it begins anew by itself, in Unix milliseconds; null for never. */
  untilMs: number | null;
}

export function spentWords({ name, budgetUsd, spentUsd, untilMs }: SpentBudget): string {
  const anew = untilMs === null ? "" : `; it begins anew at ${timestamp(untilMs)}`;
  return `${name} is ${budgetUsd}, and ${spentUsd.toFixed(4)} is spent${anew}`;
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

export function previousMonthOf(atMs: number): string {
  return monthOf(monthStartMs(atMs) - 1);
}

export function monthStartMs(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth());
}

export function nextMonthMs(atMs: number): number {
  const at = new Date(atMs);
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1);
}
