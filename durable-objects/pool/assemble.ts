/** Builds a pool from its parts, in order: the one place that knows which hosts there are. */
import { makeAttemptToken } from "#instance/attempt-token.ts";
import { readConfig, requireConfig } from "#instance/config.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { routineObject, sandboxObject, warmObject } from "#instance/objects.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { poolDatabase } from "./database.ts";
import { ContainerHost } from "./hosts/container-host.ts";
import type { HostReports, LeaseHost, SocketHost } from "./hosts/lease-host.ts";
import { RegisteredRunners } from "./hosts/registered-runners.ts";
import { LeaseEngine } from "./lease-engine.ts";
import { Leases } from "./leases.ts";
import { ReportEnds } from "./report-ends.ts";
import { takeReports } from "./take-reports.ts";

/** Containers of a local instance share one machine: about as long as a run takes from its container to its first words. */
const LOCAL_YIELD_MS = 10_000;

export interface AssembledPool {
  leases: Leases;
  /** In the order in which they are preferred. */
  hosts: readonly LeaseHost[];
  /** The one of them that runners dial. */
  dialed: SocketHost;
  /** The one of them that starts containers; null where there are none. */
  containers: ContainerHost | null;
  engine: LeaseEngine;
  ends: ReportEnds;
}

/** @param onChange called when leases have changed outside of a call or message, so that the pool goes on. */
export function assemblePool(context: DurableObjectState, env: ObjectEnv, onChange: () => void): AssembledPool {
  const database = poolDatabase(context.storage);
  const leases = new Leases(context.storage);
  const dialed = new RegisteredRunners(context, database, takeReports(leases, "local"));
  const containers = assembleContainers(context, env, takeReports(leases, "container"), onChange);
  const hosts = containers === null ? [dialed] : [containers, dialed];
  const engine = new LeaseEngine({
    leases,
    hosts,
    onChange,
    grant: async (lease) => {
      const [signingKey] = requireConfig(env).signingKeys;
      const [link_token, proxy_token] = await Promise.all([
        makeAttemptToken(signingKey, "link", lease),
        makeAttemptToken(signingKey, "proxy", lease),
      ]);
      return { lease, link_token, proxy_token };
    },
  });
  const ends = new ReportEnds(
    leases,
    async (routineId, lease, end) => {
      await routineObject(env, requireConfig(env).jurisdiction, routineId).leaseEnded(lease, end);
    },
    onChange,
  );
  return { leases, hosts, dialed, containers, engine, ends };
}

/**
 * Containers work for the default pool alone. An instance that has none any more may still have leases of theirs. A configuration
 * with faults has no host: such a pool is not opened.
 */
function assembleContainers(
  context: DurableObjectState,
  env: ObjectEnv,
  reports: HostReports,
  onChange: () => void,
): ContainerHost | null {
  const check = readConfig(env);
  if (context.id.name !== DEFAULT_POOL || !check.ok) return null;
  const { containers, jurisdiction, isLocal } = check.config;
  return new ContainerHost({
    pool: DEFAULT_POOL,
    capacity: () => containers,
    containerOf: (lease) => sandboxObject(env, jurisdiction, lease),
    warmOf: (name) => warmObject(env, jurisdiction, name),
    storage: context.storage.kv,
    yieldMs: () => (isLocal ? LOCAL_YIELD_MS : 0),
    reports,
    onChange,
  });
}
