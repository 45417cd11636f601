/** A pool as it is at this moment, for people: who serves, what waits, and why. */
import type { PoolAnswer } from "#instance/object-contracts.ts";
import type { PoolRunner, PoolStatus, PoolWaits, PoolWarm } from "#protocol/pool.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { timestamp } from "#protocol/time.ts";
import { type ContainerObstacle, whyWaiting } from "#rules/pool/why-waiting.ts";
import type { Held, LeaseHost, SocketHost } from "./hosts/lease-host.ts";
import { type LeaseRow, type Leases, needsOf, refOf } from "./leases.ts";

/** What the host of containers tells of them beside what every host does. */
interface ShownContainers {
  obstacle(held: Held, nowMs: number): ContainerObstacle | null;
  warm(held: Held, nowMs: number): PoolWarm;
}

export interface ShownPool {
  name: string;
  leases: Leases;
  hosts: readonly LeaseHost[];
  dialed: SocketHost;
  /** Null where there are none. */
  containers: ShownContainers | null;
}

export function poolStatus(pool: ShownPool, nowMs: number): PoolStatus {
  const { leases, hosts, dialed } = pool;
  const runners = dialed.runners(leases.held(dialed.kind), nowMs);
  const { count, sinceMs } = leases.waiting();
  const containers = containersOf(pool);
  const warm = containers === 0 ? null : (pool.containers?.warm(leases.held("container"), nowMs) ?? null);
  const taking = runners.filter(({ state }) => state === "idle" || state === "busy");
  return {
    capacity: taking.reduce((sum, { capacity }) => sum + capacity, containers),
    busy: hosts.flatMap(({ kind }) => [...leases.held(kind).values()]).reduce((sum, held) => sum + held, 0),
    runners,
    waiting: count,
    waiting_since: sinceMs === null ? null : timestamp(sinceMs),
    why: count === 0 ? null : why(pool, leases.nextWaiting(), runners, nowMs),
    warm,
  };
}

/** What a pool says to whoever has asked it for runners. @param asked the leases. */
export function poolAnswer(pool: ShownPool, asked: readonly LeaseRef[], nowMs: number): PoolAnswer {
  const { leases, hosts, dialed } = pool;
  const runners = hosts.reduce((sum, host) => sum + host.size(), 0);
  const waiting = asked.flatMap((lease) => {
    const row = leases.get(lease);
    return row?.status === "waiting" ? [row] : [];
  });
  if (waiting.length === 0) return { runners, waiting: [], why: null };
  const known = dialed.runners(leases.held(dialed.kind), nowMs);
  return { runners, waiting: waiting.map(refOf), why: why(pool, waiting, known, nowMs).message };
}

/** @param waiting leases, of which any tells what it needs. */
function why(pool: ShownPool, waiting: readonly LeaseRow[], runners: readonly PoolRunner[], nowMs: number): PoolWaits {
  const { name, leases, dialed } = pool;
  const obstacle = pool.containers?.obstacle(leases.held("container"), nowMs) ?? null;
  const isUnmet = waiting.map(needsOf).some((needs) => needs.length > 0 && !dialed.knows(needs));
  return whyWaiting({ name, containers: containersOf(pool), obstacle, runners, isUnmet });
}

/** What does not dial in is made by its host when it is wanted. */
function containersOf({ hosts, dialed }: ShownPool): number {
  return hosts.filter((host) => host !== dialed).reduce((sum, host) => sum + host.size(), 0);
}
