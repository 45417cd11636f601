/** Builds what a routine's object consists of, by hand, in order. */

import type { Config } from "#instance/config.ts";
import { IdMaker } from "#protocol/ids.ts";
import type { Database } from "./database.ts";
import { DefinitionStore } from "./definition/definition-store.ts";
import { EndpointSecrets } from "./definition/endpoint-secrets.ts";
import { RepositoryIds } from "./definition/repository-ids.ts";
import { Outbox } from "./outbox/outbox.ts";
import { Deadlines } from "./runs/deadlines.ts";
import { OpenCalls } from "./runs/open-calls.ts";
import { ProxiedCalls } from "./runs/proxied-calls.ts";
import { RunEngine, type Told } from "./runs/run-engine.ts";
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
import { Work } from "./work.ts";

/** @param storage of the same database. @param told what sockets are told afterwards. @param known the key in the ids of the routine, and what the owner is known by: see `authorityOf`. */
export function routineParts(
  database: Database,
  storage: DurableObjectStorage,
  config: Config,
  told: Told,
  { ownerKey, authority }: { ownerKey: string; authority: string },
) {
  const { sql } = storage;
  const work = new Work(storage, database);
  const ids = new IdMaker(ownerKey, (bytes) => crypto.getRandomValues(bytes));
  const definitions = new DefinitionStore(database, work);
  const log = new TranscriptLog(sql, work);
  const runs = new RunStore(database, sql, log, work);
  const occurrences = new OccurrenceStore(database, sql);
  const deadlines = new Deadlines(sql, work);
  const outbox = new Outbox(sql, work);
  const engine = new RunEngine({ work, told, runs, log, deadlines, outbox, definitions });
  const repositoryIds = new RepositoryIds(sql, work);
  const branches = new SessionBranches(sql);
  const proxies = new ProxiedCalls({
    engine,
    runs,
    definitions,
    outbox,
    repositoryIds,
    branches,
    openCalls: new OpenCalls(sql),
    notices: new ProxyNotices(database),
    otherModels: config.allowedModels,
  });
  const door = new Doorkeeper(work, config);
  const accesses = new Accesses(database, authority);
  const coalesced = new CoalescedRuns(sql);
  const firing = new Wakes({ config, occurrences, runs, engine, ids, door, coalesced, repositoryIds });
  const clock = new Schedules(database, firing, work);
  const endpoints = new EndpointSecrets(database, config.signingKey);
  return {
    work,
    ids,
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
