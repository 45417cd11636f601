/**
 * Where runners come from: the port behind which a pool's leases are worked on.
 *
 * Local runners register over a socket (`registered-runners.ts`); other hosts start a runner for a lease. Whatever the
 * host, a pool offers a lease, and hears of its end exactly once the work can no longer go on.
 */
import type { LeaseRef } from "#protocol/runner-link.ts";

/** What a runner needs to dial the run of a lease. */
export interface Grant {
  lease: LeaseRef;
  link_token: string;
  proxy_token: string;
}

export interface LeaseHost {
  /** How many runners could take a lease, busy or not. */
  runnerCount(): number;
  /** The id of a runner with room, given how many leases each has; null when all are busy or there are none. */
  freeRunner(leaseCounts: ReadonlyMap<string, number>): string | null;
  /** Hands a lease to a runner. @returns false when the runner can't be reached. */
  offer(runnerId: string, grant: Grant): boolean;
  /** Asks for the work of a lease to be stopped. @returns false when the runner can't be reached. */
  stop(runnerId: string, lease: LeaseRef): boolean;
  /** Ends the work of a lease by force, and no other's. @returns false when the runner can't be reached. */
  kill(runnerId: string, lease: LeaseRef): boolean;
}

/** What a host tells its pool. */
export interface HostReports {
  accepted(runnerId: string, lease: LeaseRef): void;
  /** The runner has no room, or wants no more work: nothing of the lease's work has begun. */
  declined(runnerId: string, lease: LeaseRef): void;
  /** All processes of the lease's work are gone. */
  ended(runnerId: string, lease: LeaseRef): void;
  /** The runner is there, and has exactly these leases in hand. */
  present(runnerId: string, leases: readonly LeaseRef[]): void;
  /** The runner is gone, with whatever it had in hand. */
  lost(runnerId: string): void;
}
