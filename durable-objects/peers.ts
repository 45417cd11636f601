/** What a routine's object and a pool's object call of each other. */
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { LeaseEnd } from "./run-happenings.ts";

export interface LeaseRequest {
  lease: LeaseRef;
  routine_id: string;
}

export interface RoutinePeer extends Rpc.DurableObjectBranded {
  /** Nobody works on the lease any more. Told twice, it changes nothing. */
  leaseEnded(lease: LeaseRef, end: LeaseEnd): void;
}

export interface PoolPeer extends Rpc.DurableObjectBranded {
  /** Asks for a runner for each lease. Asking twice for one is asking once. @returns how many runners the pool has. */
  request(requests: LeaseRequest[]): { runners: number };
  /** Takes leases back: at once where nobody works on one, else as soon as the work has stopped. @returns one answer each. */
  release(leases: LeaseRef[]): ("freed" | "stopping")[];
}
