/** Builds what a routine's object consists of, by hand, in order. */

import type { Config } from "#instance/config.ts";
import { IdMaker } from "#protocol/ids.ts";
import { type Database, purgeTables } from "./database.ts";
import { DefinitionStore } from "./definition/definition-store.ts";
import { EndpointSecrets } from "./definition/endpoint-secrets.ts";
import { RepositoryIds } from "./definition/repository-ids.ts";
import { Outbox } from "./outbox/outbox.ts";
import { Deadlines } from "./runs/deadlines.ts";
import { ProxiedCalls } from "./runs/proxied-calls.ts";
import { RunEngine } from "./runs/run-engine.ts";
import { RunStore } from "./runs/run-store.ts";
import { ProxyNotices } from "./sessions/proxy-notices.ts";
import { SessionBranches } from "./sessions/session-branches.ts";
import { TranscriptLog } from "./transcript/transcript-log.ts";
import { Accesses } from "./viewers/access.ts";
import { CoalescedRuns } from "./wakes/coalesced-runs.ts";
import { Doorkeeper } from "./wakes/fire-access.ts";
import { OccurrenceStore } from "./wakes/occurrences.ts";
import { Schedules } from "./wakes/schedules.ts";
import { Wakes } from "./wakes/wake.ts";

/** @param sql of the same database. @param known the key in the ids of the routine, and what the owner is known by: see `authorityOf`. */
export function routineParts(
  database: Database,
  sql: SqlStorage,
  config: Config,
  { ownerKey, authority }: { ownerKey: string; authority: string },
) {
  const ids = new IdMaker(ownerKey, (bytes) => crypto.getRandomValues(bytes));
  const definitions = new DefinitionStore(database);
  const log = new TranscriptLog(sql);
  const runs = new RunStore(database, sql, log);
  const occurrences = new OccurrenceStore(database, sql);
  const deadlines = new Deadlines(sql);
  const outbox = new Outbox(sql);
  const engine = new RunEngine({ runs, log, deadlines, outbox, definitions });
  const repositoryIds = new RepositoryIds(sql);
  const branches = new SessionBranches(sql);
  const proxies = new ProxiedCalls({
    engine,
    runs,
    definitions,
    outbox,
    repositoryIds,
    branches,
    notices: new ProxyNotices(database),
    otherModels: config.allowedModels,
  });
  const door = new Doorkeeper(database, config);
  const accesses = new Accesses(database, authority);
  const bursts = new CoalescedRuns(sql);
  const firing = new Wakes({ config, occurrences, runs, engine, ids, door, bursts, repositoryIds });
  const clock = new Schedules(database, firing);
  const endpoints = new EndpointSecrets(database, config.signingKey);
  const purge = () => purgeTables(database);
  /** After a transaction that was rolled back, or that emptied the tables: what is kept in memory is wrong. */
  const forget = () => {
    definitions.forget();
    repositoryIds.forget();
    deadlines.forget();
    outbox.forget();
    log.forget();
    runs.forget();
    clock.forget();
    engine.takeSaid();
  };
  return {
    ids,
    purge,
    forget,
    definitions,
    occurrences,
    runs,
    log,
    deadlines,
    outbox,
    engine,
    proxies,
    door,
    accesses,
    repositoryIds,
    firing,
    clock,
    endpoints,
  };
}

export type RoutineParts = ReturnType<typeof routineParts>;
