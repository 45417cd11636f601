/** What objects call of each other, and answers of theirs that the worker reads. */

import type { ContainerSize } from "#protocol/container-size.ts";
import type { DeliveryOutcome } from "#protocol/delivery.ts";
import type { Network } from "#protocol/environment.ts";
import type { Result } from "#protocol/errors.ts";
import type { OwnedId } from "#protocol/ids.ts";
import type { RunnerFeature } from "#protocol/runner-features.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import type { SourceEvent } from "#protocol/source-event.ts";
import type { WebhookTrigger } from "#protocol/triggers.ts";
import type { CallVerdict } from "#rules/run/budget.ts";
import type { LeaseEnd } from "#rules/run/inputs.ts";
import type { KnownBudget } from "#rules/run/shared-budgets.ts";

export interface LeaseRequest {
  lease: LeaseRef;
  routine_id: string;
  /** Options of the link without which a runner may not have it; absent from an object of an earlier version. */
  needs?: RunnerFeature[];
}

/** What the sandbox of an attempt is made with. */
export interface SandboxSettings {
  network: Network;
  /** Null for the instance's own. */
  size: ContainerSize | null;
}

export interface RoutineForObjects extends Rpc.DurableObjectBranded {
  /** Nobody works on the lease any more. Told twice, it changes nothing. */
  leaseEnded(id: OwnedId, lease: LeaseRef, end: LeaseEnd): void;
  /** Whether a process that works on the lease has said hello. */
  hasSaidHello(id: OwnedId, lease: LeaseRef): boolean;
  /** What the sandbox of a lease is made with; null when the lease is not in force. */
  sandboxFor(id: OwnedId, lease: LeaseRef): SandboxSettings | null;
  /** What the container of a lease has used. Told twice, it counts once. @param seconds from its start until it was gone. */
  noteContainer(id: OwnedId, lease: LeaseRef, use: { size: ContainerSize; seconds: number }): void;
  /** A run of another routine has ended. */
  takeEvents(id: OwnedId, events: SourceEvent[]): Result<DeliveryOutcome[][]>;
  /** Budgets that routines share have changed. @returns what the routine has spent. */
  takeBudgets(id: OwnedId, known: KnownBudgets): Result<SpendingReport>;
}

/** What a routine has spent: sums, so that what is told twice, or late, counts once. */
export interface SpendingReport {
  tags: Record<string, string>;
  /** The revision that has these tags. */
  revision: number;
  /** What the calls of the latest months have cost that have ended, in US dollars. */
  months: { month: string; usd: number }[];
  /** Which version of the shared budgets it has; null for none. */
  knows: number | null;
  /** Of a routine that has been deleted. */
  is_gone?: boolean;
}

/** The budgets that routines share, each of them, whether or not they are the routine's. */
export interface KnownBudgets {
  version: number;
  budgets: KnownBudget[];
}

export interface ReserveAnswer {
  verdict: CallVerdict;
  /** Whether money is held for the call: then it has to be given back. */
  isHeld: boolean;
  /** The budgets, and what is spent of each, where the routine does not have their present version. */
  news: KnownBudgets | null;
}

export interface BudgetForRoutine extends Rpc.DurableObjectBranded {
  /** @param givenBack calls of the routine's that have ended, or were not made. @returns the budgets where it does not have them. */
  report(routineId: string, report: SpendingReport, givenBack: string[]): KnownBudgets | null;
  /** Holds money for a call that is about to be made. Asked twice for one it is held once. */
  reserve(routineId: string, report: SpendingReport, call: { id: string; usd: number }): ReserveAnswer;
}

/** A part of an object that its alarm can't see to. */
export interface AlarmFault {
  concern: string;
  /** How often in a row. */
  failures: number;
  /** What it throws. */
  outcome: string;
}

/** When a routine has to be looked at again: null when nothing is scheduled. Unix milliseconds. */
export interface DueAnswer {
  due_at: number | null;
  /** The version of the routine that the answer is about. */
  version: number;
  /** Parts of the object that go on failing: they do not mend by themselves. */
  faults: AlarmFault[];
}

export interface EndpointAnswer {
  trigger: WebhookTrigger;
  secrets: string[];
  /** Whether secrets have come to the endpoint that the owner has not confirmed yet. */
  is_unconfirmed: boolean;
  /** Whether it has a secret that can't be decrypted, and no other. */
  is_unreadable: boolean;
}

/** What a routine's object has encrypted with the present key. */
export interface EncryptedAnew {
  encrypted_anew: number;
  /** Ids of triggers one of whose secrets can't be decrypted. */
  unreadable: string[];
}

export interface SecretAnswer {
  secret: string;
  /** Until when the secret before this one is accepted too. */
  previous_secret_until: string | null;
}

/** A secret that a source has sent to its endpoint, and that the owner has not confirmed yet. Moments are Unix milliseconds. */
export interface HandedOver {
  id: string;
  secret: string;
  atMs: number;
  lastAtMs: number;
  times: number;
  ip: string | null;
  userAgent: string | null;
}

export interface RosterForRoutine extends Rpc.DurableObjectBranded {
  /** Enters routines. Entered twice, or after its deletion, a routine changes nothing. */
  enter(ids: readonly string[]): void;
  /** Notes that routines have been deleted. */
  remove(ids: readonly string[]): void;
}

/** What a pool makes of requests for runners. */
export interface PoolAnswer {
  /** How many the pool could have, busy or not. */
  runners: number;
  /** The leases that were asked for and wait. */
  waiting: LeaseRef[];
  /** Why they do, in a sentence; null when none does. */
  why: string | null;
}

export interface PoolForRoutine extends Rpc.DurableObjectBranded {
  /** Asks for a runner for each lease. Asking twice for one is asking once. */
  request(requests: LeaseRequest[]): PoolAnswer;
  /** Takes leases back: at once where nobody works on one, else as soon as the work has stopped. @returns one answer each. */
  release(leases: LeaseRef[]): ("freed" | "stopping")[];
}

/** What a container's object tells its pool. The same report twice changes nothing. */
export interface ContainerReport {
  /** The place of the pool under which the lease was given to the container. */
  place: string;
  lease: LeaseRef;
  /** Null while the container is there; `declined` when nothing has begun, for want of room. */
  end: LeaseEnd | "declined" | null;
}

/** What the object of a container that waits for a lease tells its pool. The same report twice changes nothing. */
export interface WarmReport {
  /** The object's name, which the pool has given it. */
  name: string;
  state: "starting" | "ready" | "ended";
  /** Why it has ended, where that is a failure. */
  reason: string | null;
}

export interface PoolForObjects extends PoolForRoutine {
  /** @returns `unknown` when the pool does not want the container any more: it has to end. */
  hearWarm(report: WarmReport): "held" | "unknown";
  /** @returns `unknown` when the place does not have the lease: its container has to end. */
  hearContainer(report: ContainerReport): "held" | "unknown";
}

/** What a container's object needs to start the container of a lease. */
export interface ContainerOrder {
  lease: LeaseRef;
  link_token: string;
  proxy_token: string;
  /** The pool's name, and the place of the pool that has the lease. */
  pool: string;
  place: string;
  /** How long the start may take, in milliseconds. */
  start_within_ms: number;
}

/** What a container's object needs to start a container that waits for a lease. */
export interface WarmOrder {
  /** The pool's name, and the object's, as the pool knows it. */
  pool: string;
  name: string;
  start_within_ms: number;
}

/**
 * What becomes of a lease. `unfit` and `gone` are answers of an object whose container waits: nothing of the lease's work has
 * begun there, nor will it. `unfit`: the container waits on for another.
 */
export type BeginAnswer = "begun" | "unfit" | "gone";

export interface SandboxForObjects extends Rpc.DurableObjectBranded {
  /**
   * Starts the lease's container, or gives the lease to the one that waits, and answers once that is noted. Begun again for the
   * same lease it starts nothing.
   */
  begin(order: ContainerOrder): BeginAnswer | Promise<BeginAnswer>;
  /** Starts a container that waits for a lease. Asked again it starts nothing. */
  prepare(order: WarmOrder): void;
  /** Asks the container's first process to end. One that is still starting is ended. */
  stop(): void;
  /** Ends the container by force. */
  kill(): void;
  /** Something has broken off: looks whether the container is there, and again soon. */
  look(): void;
}
