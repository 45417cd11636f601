/**
 * Builds the parts of a routine's object by hand, each after those that it uses. This file, and those that open the object and
 * answer for it, stand above all rooms: no room imports them.
 */
import { AttemptEnvironmentReader } from "#instance/attempt-environments.ts";
import type { Config } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { KeyRing } from "#instance/key-ring.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { containerObject, poolObject, rosterObject, routineObject } from "#instance/objects.ts";
import { secretsOfRuns } from "#instance/secrets/assemble.ts";
import type { Authorities } from "#instance/secrets.ts";
import { IdMaker } from "#protocol/ids.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { Alarm } from "../alarm.ts";
import { AwaitIndex } from "./changes/await-index.ts";
import { DefinitionChanges } from "./changes/change-definition.ts";
import { RoutineChanges } from "./changes/create-and-remove.ts";
import { Endpoints } from "./changes/endpoints.ts";
import { IndexEntry } from "./changes/index-entry.ts";
import { Purge } from "./changes/purge.ts";
import { TakeEvents } from "./changes/take-events.ts";
import { concernsOf } from "./concerns.ts";
import { Conversations } from "./conversations/conversations.ts";
import type { Database } from "./database.ts";
import { DefinitionStore } from "./definition/definition-store.ts";
import { EndpointSecrets } from "./definition/endpoint-secrets.ts";
import { RepositoryIds } from "./definition/repository-ids.ts";
import { Deliver, type Receivers } from "./outbox/deliver.ts";
import { Outbox } from "./outbox/outbox.ts";
import { ReadContext } from "./receivers/read-context.ts";
import { ToArtifacts } from "./receivers/to-artifacts.ts";
import { ToConversations } from "./receivers/to-conversations.ts";
import { ToEnvironments } from "./receivers/to-environments.ts";
import { DeadLettersToIndex, RoutineToIndex, RunsToIndex } from "./receivers/to-index.ts";
import { ToPool } from "./receivers/to-pool.ts";
import { ToRoster } from "./receivers/to-roster.ts";
import { ToRoutines } from "./receivers/to-routines.ts";
import { AskedHosts } from "./runs/asked-hosts.ts";
import { AttemptEnvironments } from "./runs/attempt-environments.ts";
import { Budgets } from "./runs/budgets.ts";
import { DeadLetters } from "./runs/dead-letters.ts";
import { Deadlines } from "./runs/deadlines.ts";
import { RoutineHealth } from "./runs/health.ts";
import { Notes } from "./runs/notes.ts";
import { OpenCalls } from "./runs/open-calls.ts";
import { ProxiedCalls } from "./runs/proxied-calls.ts";
import { Questions } from "./runs/questions.ts";
import { ReceiveFrames } from "./runs/receive-frames.ts";
import { RunContexts } from "./runs/run-contexts.ts";
import { RunEnds } from "./runs/run-ends.ts";
import { RunEngine } from "./runs/run-engine.ts";
import { RunLinks } from "./runs/run-links.ts";
import { RunSockets } from "./runs/run-sockets.ts";
import { RunStore } from "./runs/run-store.ts";
import { RunWaiters } from "./runs/run-waiters.ts";
import { Spending } from "./runs/spending.ts";
import { Steering } from "./runs/steering.ts";
import { TakeFrames } from "./runs/take-frames.ts";
import { Verdicts } from "./runs/verdicts.ts";
import { Artifacts } from "./sessions/artifacts.ts";
import { Messages } from "./sessions/messages.ts";
import { ProxyNotices } from "./sessions/proxy-notices.ts";
import { SessionBranches } from "./sessions/session-branches.ts";
import { SessionDiffs } from "./sessions/session-diffs.ts";
import { TranscriptLog } from "./transcript/transcript-log.ts";
import { Accesses } from "./viewers/access.ts";
import { Tickets } from "./viewers/tickets.ts";
import { Viewers } from "./viewers/viewers.ts";
import { CoalescedRuns } from "./wakes/coalesced-runs.ts";
import { DueSchedules } from "./wakes/due-schedules.ts";
import { FireAccess } from "./wakes/fire-access.ts";
import { FireAgain } from "./wakes/fire-again.ts";
import { OccurrenceStore } from "./wakes/occurrences.ts";
import { RefusalCounts } from "./wakes/refusal-counts.ts";
import { Schedules } from "./wakes/schedules.ts";
import { SessionMessages } from "./wakes/session-messages.ts";
import { Wakes } from "./wakes/wake.ts";
import { Work } from "./work.ts";

/** What the parts use of the platform's object. */
export type ObjectContext = Pick<DurableObjectState, "storage" | "getWebSockets" | "acceptWebSocket">;

/**
 * The parts that decide and write, which call nobody outside the object. @param ownerKey the key in the ids of what the
 * routine owns.
 */
export function assembleCore(context: ObjectContext, database: Database, config: Config, ownerKey: string) {
  const { sql } = context.storage;
  const work = new Work(context.storage, database);
  const ids = new IdMaker(ownerKey, (bytes) => crypto.getRandomValues(bytes));
  const outbox = new Outbox(sql, work);
  const log = new TranscriptLog(sql, work);
  const definitions = new DefinitionStore(database, work);
  const repositoryIds = new RepositoryIds(sql, work);
  const secrets = new EndpointSecrets(database, new KeyRing(config.signingKeys));

  const runs = new RunStore(database, sql, log, work);
  const deadlines = new Deadlines(sql, work);
  const viewers = new Viewers(context, log, (sessionId) => runs.hasUnsettledRun(sessionId));
  const sockets = new RunSockets(context);
  const waiters = new RunWaiters(context, work);
  const health = new RoutineHealth(database, work, definitions, outbox);
  const deadLetters = new DeadLetters(database, work, outbox);
  const ends = new RunEnds(outbox, waiters, health, deadLetters, runs.sessions);
  const hosts = new AskedHosts(sql);
  const environments = new AttemptEnvironments(database);
  const conversations = new Conversations(sql, work, outbox);
  const messages = new Messages(sql);
  const beside = { messages, viewers, ends, sockets, hosts, environments, conversations };
  const engine = new RunEngine({ work, runs, log, deadlines, outbox, definitions, ...beside });

  const questions = new Questions({ database, work, engine, sockets });
  const openCalls = new OpenCalls(sql);
  const spending = new Spending(sql, openCalls);
  const budgets = new Budgets({ engine, runs, definitions, spending });
  const occurrences = new OccurrenceStore(database, sql, work);
  const refusals = new RefusalCounts(work);
  const coalesced = new CoalescedRuns(sql);
  const wakes = new Wakes({
    config,
    occurrences,
    runs,
    engine,
    ids,
    refusals,
    coalesced,
    deadLetters,
    spending,
    repositoryIds,
  });
  const steering = new Steering({ engine, runs, messages, sockets, work });
  const sessionMessages = new SessionMessages({ work, definitions, steering, messages, wakes });
  viewers.heardBy((sessionId, said, by) => sessionMessages.hear(sessionId, said, by));
  engine.followedBy((tx, row) => sessionMessages.goOn(tx, row));
  const fireAgain = new FireAgain(wakes, runs, deadLetters);
  const schedules = new Schedules(database, wakes, work);
  const contexts = new RunContexts(sql);
  const artifacts = new Artifacts(sql, work, outbox);
  const defined = { ids, definitions, schedules, secrets, repositoryIds };
  const definitionChanges = new DefinitionChanges({ ...defined, engine, health, budgets });
  const stores = {
    artifacts,
    messages,
    steering,
    sessionMessages,
    contexts,
    conversations,
    questions,
    hosts,
    work,
    outbox,
    log,
    definitions,
    repositoryIds,
    secrets,
    runs,
    deadlines,
    occurrences,
  };
  return {
    ...stores,
    openCalls,
    spending,
    budgets,
    health,
    deadLetters,
    viewers,
    waiters,
    sockets,
    engine,
    refusals,
    wakes,
    fireAgain,
    schedules,
    definitionChanges,
  };
}

export type Core = ReturnType<typeof assembleCore>;

export interface Surroundings {
  context: ObjectContext;
  env: ObjectEnv;
  config: Config;
  database: Database;
  /** The key in the ids of what the routine owns. */
  ownerKey: string;
  /** The hashes of the owner's tokens: see `authoritiesOf`. */
  authorities: Authorities;
  /** When the object's alarm will ring, in Unix milliseconds; null when it is not armed. */
  alarmAt: number | null;
}

/** Builds all parts of an object. It starts nothing: see `RoutineOpening`. */
export function assemble({ context, env, config, database, ownerKey, authorities, alarmAt }: Surroundings) {
  const core = assembleCore(context, database, config, ownerKey);
  const { work, outbox, definitions, engine, viewers, sockets, secrets, repositoryIds, schedules, wakes } = core;
  const frames = new ReceiveFrames(engine, new TakeFrames(core), sockets, work);
  const lookAtContainer = (lease: LeaseRef, runnerId: string) =>
    withinDeadline(containerObject(env, config.jurisdiction, lease, runnerId).look(), undefined, "the container");
  const environments = new AttemptEnvironmentReader(secretsOfRuns(env.DB, config), config.signingKeys);
  const { conversations, contexts, questions, log, steering } = core;
  const told = { definitions, config, environments, conversations, contexts, questions, log, steering };
  const notes = new Notes(database);
  const diffs = new SessionDiffs(context.storage.sql);
  const links = new RunLinks({ notes, sockets, engine, frames, viewers, work, lookAtContainer, ...told });
  const proxies = new ProxiedCalls({
    ...core,
    branches: new SessionBranches(context.storage.sql),
    notices: new ProxyNotices(database),
    otherModels: config.allowedModels,
  });

  const entry = new IndexEntry(secrets, repositoryIds, schedules);
  const toIndex = new RoutineToIndex(env.DB, definitions, (row) => entry.of(row, Date.now()));
  const purge = new Purge(core);
  const receivers = assembleReceivers(core, { env, config, frames, toIndex, environments });
  const deliver = new Deliver(outbox, work, receivers, () => purge.ifOver());

  const index = new AwaitIndex(work, outbox, deliver, toIndex, core.deadLetters);
  const changes = new RoutineChanges({ ...core, entry, index });
  const endpoints = new Endpoints({ work, definitions, secrets, outbox, changes });
  const verdicts = new Verdicts(core.runs, engine, outbox);
  const takeEvents = new TakeEvents({ work, definitions, repositoryIds, wakes, outbox, index });
  const dueSchedules = new DueSchedules({ work, schedules, definitions, outbox });
  const fireAccess = new FireAccess(config, core.refusals);
  const tickets = new Tickets(work);
  const accesses = new Accesses(work, database, authorities);

  const alarm = new Alarm(ownerKey, context.storage, concernsOf({ ...core, dueSchedules, deliver }), alarmAt);
  work.followedBy(() => alarm.arm());
  const doors = {
    links,
    frames,
    proxies,
    entry,
    index,
    changes,
    endpoints,
    takeEvents,
    dueSchedules,
    verdicts,
    notes,
    diffs,
  };
  return { ...core, ...doors, fireAccess, tickets, accesses, alarm };
}

export type Assembled = ReturnType<typeof assemble>;

/** Names for each kind of owed call the receiver that takes it. */
function assembleReceivers(
  core: Core,
  given: {
    env: ObjectEnv;
    config: Config;
    frames: ReceiveFrames;
    toIndex: RoutineToIndex;
    environments: AttemptEnvironmentReader;
  },
): Receivers {
  const { definitions, runs } = core;
  const toConversations = new ToConversations({ ...core, bucket: given.env.BODIES });
  const { env, config, frames, toIndex, environments } = given;
  const poolOf = (name: string) => poolObject(env, config.jurisdiction, name);
  const routineOf = (id: string) => routineObject(env, config.jurisdiction, id);
  const toPool = new ToPool(poolOf, core, frames);
  const toRoutines = new ToRoutines(env.DB, definitions, runs, routineOf);
  const toRoster = new ToRoster(() => rosterObject(env));
  return {
    read_environment: new ToEnvironments(env.DB, core, environments, new ReadContext(env.DB, core)),
    ask_pool: toPool,
    release_lease: toPool,
    project_routine: toIndex,
    forget_routine: toIndex,
    project_run: new RunsToIndex(env.DB, definitions, runs),
    tell_run_ended: toRoutines,
    tell_health: toRoutines,
    project_dead_letters: new DeadLettersToIndex(env.DB, definitions, core.deadLetters),
    enter_roster: toRoster,
    leave_roster: toRoster,
    move_conversation: toConversations,
    tidy_conversation: toConversations,
    tidy_artifacts: new ToArtifacts({ ...core, bucket: given.env.BODIES }),
  };
}
