/** What a pool does when a host reports that a lease was accepted, declined, ended or lost. */
import type { RunnerKind } from "#protocol/run.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { HostReports } from "./hosts/lease-host.ts";
import { type LeaseRow, type Leases, refOf } from "./leases.ts";

/** A lease that nobody has answered so often in a row, which takes some minutes, waits no longer. */
const TRIES_AT_MOST = 12;

/**
 * @returns the receiver of one host's reports. A report that does not fit the lease's present status comes late, and changes
 * nothing.
 */
export function takeReports(leases: Leases, kind: RunnerKind): HostReports {
  const rowAt = (place: string, lease: LeaseRef): LeaseRow | null => {
    const row = leases.get(lease);
    return row?.host === kind && row.place === place ? row : null;
  };
  return {
    accepted: (place, lease) => {
      const row = rowAt(place, lease);
      if (row?.status === "offered") leases.accept(row);
      return row !== null;
    },
    atWork: (place, lease) => {
      const row = leases.get(lease);
      if (row?.status === "waiting") leases.offer(row, kind, place, Date.now());
      const taken = leases.get(lease);
      if (taken?.host !== kind) return false;
      // Offered at another place, the work is told of it just now.
      if (taken.place !== place) return taken.status === "offered";
      if (taken.status === "offered") leases.accept(taken);
      return true;
    },
    declined: (place, lease, why = "no_room") => {
      const row = rowAt(place, lease);
      if (row === null) return;
      if (why === "unanswered") putOff(leases, row);
      else decline(leases, row);
    },
    ended: (place, lease, end = "work_ended") => {
      const row = rowAt(place, lease);
      if (row !== null) leases.end(row, end, Date.now());
    },
    present: (place, inHand) => takePresence(leases, leases.heldAt(kind, place), inHand),
    lost: (place) => {
      for (const row of leases.heldAt(kind, place)) leases.end(row, "runner_lost", Date.now());
    },
  };
}

/**
 * Nobody has begun work on the lease: it waits again in its old place, unless it was taken back meanwhile.
 * @param tries how often in a row nobody has answered its offer.
 */
export function decline(leases: Leases, row: LeaseRow, tries = 0): void {
  if (row.status === "stopping") leases.end(row, "work_ended", Date.now());
  else leases.giveBack(row, tries);
}

/** Nobody knows whether work on the lease has begun, but it is not begun twice: it waits again, so often at most. */
export function putOff(leases: Leases, row: LeaseRow): void {
  const isGivenUp = row.status !== "stopping" && row.tries + 1 >= TRIES_AT_MOST;
  if (isGivenUp) leases.end(row, "containers_unavailable", Date.now());
  else decline(leases, row, row.tries + 1);
}

/**
 * @returns the leases whose work is to be stopped: those that were told to stop before, and those that the place should not
 * have.
 */
function takePresence(leases: Leases, held: readonly LeaseRow[], inHand: readonly LeaseRef[]): LeaseRef[] {
  const isInHand = (row: LeaseRow) => inHand.some((lease) => isSame(lease, row));
  const toStop = inHand.filter((lease) => {
    const row = held.find((one) => isSame(lease, one));
    return row === undefined || row.status === "stopping";
  });
  for (const row of held) {
    if (row.status === "offered") {
      // Either the offer was lost with the connection, or the answer to it was.
      if (isInHand(row)) leases.accept(row);
      else leases.giveBack(row);
    } else if (!isInHand(row)) leases.end(row, "work_ended", Date.now());
  }
  return toStop;
}

function isSame(lease: LeaseRef, row: LeaseRow): boolean {
  const { run_id, generation } = refOf(row);
  return lease.run_id === run_id && lease.generation === generation;
}
