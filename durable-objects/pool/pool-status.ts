/** A pool as it is at this moment, for people: who serves, what waits, and why. */
import type { PoolAnswer } from "#instance/object-contracts.ts";
import type { PoolStatus } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import { whyWaiting } from "#rules/pool/why-waiting.ts";
import type { LeaseHost, SocketHost } from "./hosts/lease-host.ts";
import type { Leases } from "./leases.ts";

export interface ShownPool {
  name: string;
  leases: Leases;
  hosts: readonly LeaseHost[];
  dialed: SocketHost;
}

export function poolStatus(pool: ShownPool, nowMs: number): PoolStatus {
  const { leases, hosts, dialed } = pool;
  const runners = dialed.runners(leases.held(dialed.kind), nowMs);
  const { count, sinceMs } = leases.waiting();
  const containers = containersOf(pool);
  const taking = runners.filter(({ state }) => state === "idle" || state === "busy");
  return {
    capacity: taking.reduce((sum, { capacity }) => sum + capacity, containers),
    busy: hosts.flatMap(({ kind }) => [...leases.held(kind).values()]).reduce((sum, held) => sum + held, 0),
    runners,
    waiting: count,
    waiting_since: sinceMs === null ? null : timestamp(sinceMs),
    why: count === 0 ? null : whyWaiting({ name: pool.name, containers, runners }),
  };
}

/** What a pool says to whoever has asked it for runners. @param asked the leases. */
export function poolAnswer(pool: ShownPool, asked: readonly LeaseRef[], nowMs: number): PoolAnswer {
  const { name, leases, hosts, dialed } = pool;
  const runners = hosts.reduce((sum, host) => sum + host.size(), 0);
  const waiting = asked.filter((lease) => leases.get(lease)?.status === "waiting");
  if (waiting.length === 0) return { runners, waiting, why: null };
  const known = dialed.runners(leases.held(dialed.kind), nowMs);
  return { runners, waiting, why: whyWaiting({ name, containers: containersOf(pool), runners: known }).message };
}

/** What does not dial in is made by its host when it is wanted. */
function containersOf({ hosts, dialed }: ShownPool): number {
  return hosts.filter((host) => host !== dialed).reduce((sum, host) => sum + host.size(), 0);
}
