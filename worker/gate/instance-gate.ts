/**
 * The rate limit of the whole instance, for which no request waits long: `gate-tally.ts` decides; the clock and the calls
 * are here.
 */

import { withinDeadline } from "#instance/in-time.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { logTrouble } from "#protocol/log.ts";
import { GateTally, reportOf, type Ticket } from "#rules/gate/gate-tally.ts";
import type { GateAnswer, GateReport } from "#rules/gate/take-report.ts";

/** What keeps a call alive after its request has been answered. */
type Alive = Pick<ExecutionContext, "waitUntil">;

export interface InstanceGate {
  /** Whether one more request may start something. Refuses with `instance_rate_limited`. */
  enter(alive: Alive): Promise<Result<Ticket>>;
  /** The request has started nothing after all: its place is the next one's. */
  giveBack(ticket: Ticket, alive: Alive): void;
}

/** A request of which the counter has to be asked looks four times for the answer, 2 ms apart, and then goes on without it. */
const LOOK_MS = 2;
const LOOKS = 4;
/** The counter is told at the latest after this long of what has been let in. */
const GATHER_MS = 25;
/** A call to the counter that is not answered within this time counts as failed. */
const COUNT_DEADLINE_MS = 1_000;

/** @param limit for a minute. @param count asks the instance's counter. */
export function instanceGate(limit: number, count: (report: GateReport) => Promise<GateAnswer>): InstanceGate {
  const tally = new GateTally(limit);

  let laterMs = 0;

  function tell(alive: Alive): void {
    if (!tally.mayTellLater()) {
      tellNow(alive);
      return;
    }
    const nowMs = Date.now();
    // One whose request was cut off never comes, and holds up no other.
    if (nowMs < laterMs) return;
    laterMs = nowMs + 2 * GATHER_MS;
    alive.waitUntil(
      pause(GATHER_MS).then(() => {
        laterMs = 0;
        tellNow(alive);
      }),
    );
  }

  function tellNow(alive: Alive): void {
    const call = tally.nextCall(Date.now());
    if (call === null) return;
    const made = withinDeadline(count(reportOf(call)), COUNT_DEADLINE_MS, "the counter")
      .then((answer) => tally.answered(call, answer, Date.now()))
      .catch((error) => {
        // A counter that can't be reached stops nobody: each routine still has a limit of its own.
        logTrouble("gate_silent", {}, error);
        tally.failed(call, Date.now());
      })
      .then(() => tell(alive));
    alive.waitUntil(made);
  }

  return {
    enter: async (alive) => {
      const ticket = tally.arrive(Date.now());
      tell(alive);
      // Each request looks by itself, because on the platform one request can't wait for a promise of another.
      for (let look = 1; look <= LOOKS && ticket.verdict === null; look += 1) {
        await pause(LOOK_MS);
        if (look === LOOKS) tally.giveUp(ticket, Date.now());
        tell(alive);
      }
      const { verdict } = ticket;
      if (verdict === null || verdict.isIn) return success(ticket);
      const waitMs = verdict.untilMs - Date.now();
      return refuse("instance_rate_limited", { retry_after_s: Math.max(1, Math.ceil(waitMs / 1_000)) });
    },
    giveBack: (ticket, alive) => {
      tally.giveBack(ticket);
      tell(alive);
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
