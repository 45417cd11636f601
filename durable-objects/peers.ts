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
  /** Asks for a runner. Asking twice for one lease is asking once. @returns how many runners the pool has. */
  request(request: LeaseRequest): { runners: number };
  /** Takes a lease back: at once when nobody works on it, else as soon as the work has stopped. */
  release(lease: LeaseRef): "freed" | "stopping";
}
