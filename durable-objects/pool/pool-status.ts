/** A pool as it is at this moment, for people: who serves, what waits, and why. */
import type { PoolStatus } from "#protocol/pool.ts";
import { timestamp } from "#protocol/time.ts";
import { whyWaiting } from "#rules/pool/why-waiting.ts";
import type { LeaseHost, SocketHost } from "./hosts/lease-host.ts";
import type { Leases } from "./leases.ts";

interface Parts {
  name: string;
  leases: Leases;
  hosts: readonly LeaseHost[];
  dialed: SocketHost;
}

export function poolStatus({ name, leases, hosts, dialed }: Parts, nowMs: number): PoolStatus {
  const runners = dialed.runners(leases.held(dialed.kind), nowMs);
  const { count, sinceMs } = leases.waiting();
  // What does not dial in is made by its host when it is wanted.
  const containers = hosts.filter((host) => host !== dialed).reduce((sum, host) => sum + host.size(), 0);
  const taking = runners.filter(({ state }) => state === "idle" || state === "busy");
  return {
    capacity: taking.reduce((sum, { capacity }) => sum + capacity, containers),
    busy: hosts.flatMap(({ kind }) => [...leases.held(kind).values()]).reduce((sum, held) => sum + held, 0),
    runners,
    waiting: count,
    waiting_since: sinceMs === null ? null : timestamp(sinceMs),
    why: count === 0 ? null : whyWaiting({ name, containers, runners }),
  };
}
