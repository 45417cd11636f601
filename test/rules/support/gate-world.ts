/**
 * Many isolates and the instance's counter, in a world whose time and distances are made up: one row of moments holds
 * requests, the ends of waiting, calls on their way, and answers on theirs.
 */

import { GateTally, reportOf, type Ticket } from "#rules/gate/gate-tally.ts";
import { MINUTE_MS, MinuteCount } from "#rules/gate/minute-count.ts";
import { takeReport } from "#rules/gate/take-report.ts";

export interface Arrival {
  atMs: number;
  isolate: number;
  /** It turns out to start nothing so much later, and is given back. */
  returnedAfterMs?: number;
}

export interface World {
  limit: number;
  arrivals: readonly Arrival[];
  /** From an isolate to the counter, one way; `Infinity` when nothing gets there. */
  distanceMs(isolate: number): number;
  /** When the counter is restarted, and has forgotten everything. */
  restartedAtMs?: number;
}

export interface Outcome {
  in: number;
  refused: number;
  /** Of those refused, how many while fewer than the limit had been let in during the minute before. */
  refusedBelowLimit: number;
  /** The most that were let in within any one minute. */
  mostInAMinute: number;
  longestWaitMs: number;
  calls: number;
}

/** As `instance-gate.ts` has it. */
const LOOK_MS = 2;
const LOOKS = 4;
const GATHER_MS = 25;

export function play({ limit, arrivals, distanceMs, restartedAtMs }: World): Outcome {
  const moments = new Map<number, (() => void)[]>();
  const at = (atMs: number, work: () => void) => {
    const there = moments.get(atMs);
    if (there === undefined) moments.set(atMs, [work]);
    else there.push(work);
  };
  let nowMs = 0;
  let calls = 0;
  let counter = new MinuteCount();
  const isolates = new Map<number, GateTally>();
  /** Requests without a verdict, by their isolate. */
  const waiting = new Map<GateTally, Map<Ticket, () => void>>();
  const decided: { ticket: Ticket; decidedAtMs: number }[] = [];

  const gathering = new Set<GateTally>();

  function tell(isolate: number, tally: GateTally): void {
    if (!tally.mayTellLater()) {
      tellNow(isolate, tally);
      return;
    }
    if (gathering.has(tally)) return;
    gathering.add(tally);
    at(nowMs + GATHER_MS, () => {
      gathering.delete(tally);
      tellNow(isolate, tally);
    });
  }

  function tellNow(isolate: number, tally: GateTally): void {
    const call = tally.nextCall(nowMs);
    if (call === null) return;
    calls += 1;
    const oneWayMs = distanceMs(isolate);
    if (oneWayMs === Number.POSITIVE_INFINITY) return;
    at(nowMs + oneWayMs, () => {
      const answer = takeReport(counter, reportOf(call), limit, nowMs);
      at(nowMs + oneWayMs, () => {
        tally.answered(call, answer, nowMs);
        // A verdict is as old as this, also where its request looks for it a moment later.
        for (const [ticket, conclude] of waiting.get(tally) ?? []) if (ticket.verdict !== null) conclude();
        tell(isolate, tally);
      });
    });
  }

  for (const { atMs, isolate, returnedAfterMs } of arrivals) {
    at(atMs, () => {
      const tally = isolates.get(isolate) ?? new GateTally(limit);
      isolates.set(isolate, tally);
      const here = waiting.get(tally) ?? new Map<Ticket, () => void>();
      waiting.set(tally, here);
      const ticket = tally.arrive(nowMs);
      const conclude = () => {
        here.delete(ticket);
        if (returnedAfterMs === undefined) decided.push({ ticket, decidedAtMs: nowMs });
        else if (ticket.verdict?.isIn) {
          at(nowMs + returnedAfterMs, () => {
            tally.giveBack(ticket);
            tell(isolate, tally);
          });
        }
      };
      here.set(ticket, conclude);
      const look = (looks: number) => {
        if (looks === LOOKS) tally.giveUp(ticket, nowMs);
        tell(isolate, tally);
        if (ticket.verdict === null) at(nowMs + LOOK_MS, () => look(looks + 1));
        else if (here.has(ticket)) conclude();
      };
      look(0);
    });
  }
  if (restartedAtMs !== undefined) at(restartedAtMs, () => (counter = new MinuteCount()));

  for (nowMs = 0; moments.size > 0; nowMs += 1) {
    // What is added for this very moment meanwhile comes at the end of it.
    for (const work of moments.get(nowMs) ?? []) work();
    moments.delete(nowMs);
  }
  return judge(decided, limit, calls);
}

function judge(decided: readonly { ticket: Ticket; decidedAtMs: number }[], limit: number, calls: number): Outcome {
  const isIn = ({ ticket }: { ticket: Ticket }) => ticket.verdict?.isIn === true;
  const timesIn = decided.filter(isIn).map(({ ticket }) => ticket.atMs);
  timesIn.sort((left, right) => left - right);
  const upTo = (atMs: number) => countUpTo(timesIn, atMs);
  const inTheMinuteBefore = (atMs: number) => upTo(atMs) - upTo(atMs - MINUTE_MS);
  const refused = decided.filter((one) => !isIn(one));
  return {
    in: timesIn.length,
    refused: refused.length,
    refusedBelowLimit: refused.filter(({ decidedAtMs }) => inTheMinuteBefore(decidedAtMs) < limit).length,
    mostInAMinute: Math.max(0, ...new Set(timesIn.map(inTheMinuteBefore))),
    longestWaitMs: Math.max(0, ...new Set(decided.map(({ ticket, decidedAtMs }) => decidedAtMs - ticket.atMs))),
    calls,
  };
}

/** How many of the sorted times are not later. */
function countUpTo(times: readonly number[], atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
