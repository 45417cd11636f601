/**
 * Builds the parts of a routine's object by hand, each after those that it uses. This file, and those that open the object and
 * answer for it, stand above all rooms: no room imports them.
 */
import { AttemptEnvironmentReader } from "#instance/attempt-environments.ts";
import { called } from "#instance/calls.ts";
import type { Config } from "#instance/config.ts";
import type { OutsideOptions } from "#instance/connectors/ask-outside.ts";
import { LoginAccess } from "#instance/connectors/oauth/login-access.ts";
import { connectorLogins } from "#instance/d1/connector-logins.ts";
import { withinDeadline } from "#instance/in-time.ts";
import type { Keep } from "#instance/keep-variables.ts";
import { KeyRing } from "#instance/key-ring.ts";
import type { ObjectEnv } from "#instance/object-env.ts";
import { budgetObject, containerObject, poolObject, rosterObject, routineObject } from "#instance/objects.ts";
import { secretsOfRuns } from "#instance/secrets/assemble.ts";
import type { SecretsOfRuns } from "#instance/secrets/secrets-of-runs.ts";
import type { Authorities } from "#instance/secrets.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { objectFailure } from "#rules/calls/retryable.ts";
import { Alarm } from "../alarm.ts";
import { assembleCore, type Core, type ObjectContext } from "./assemble-core.ts";
import { AwaitIndex } from "./changes/await-index.ts";
import { RoutineChanges } from "./changes/create-and-remove.ts";
import { Endpoints } from "./changes/endpoints.ts";
import { IndexEntry } from "./changes/index-entry.ts";
import { Purge } from "./changes/purge.ts";
import { TakeEvents } from "./changes/take-events.ts";
import { concernsOf } from "./concerns.ts";
import type { Database } from "./database.ts";
import { notificationPost } from "./notifications/notification-post.ts";
import { SendNotifications } from "./notifications/send-notifications.ts";
import { Deliver, type Receivers } from "./outbox/deliver.ts";
import { ReadContext } from "./receivers/read-context.ts";
import { ToArtifacts } from "./receivers/to-artifacts.ts";
import { ToBudgets } from "./receivers/to-budgets.ts";
import { ToConversations } from "./receivers/to-conversations.ts";
import { ToEnvironments } from "./receivers/to-environments.ts";
import { ToGate } from "./receivers/to-gate.ts";
import { DeadLettersToIndex, RoutineToIndex, RunsFromIndex, RunsToIndex } from "./receivers/to-index.ts";
import { NotificationsToIndex, ToNotifications } from "./receivers/to-notifications.ts";
import { ToPool } from "./receivers/to-pool.ts";
import { ToRoster } from "./receivers/to-roster.ts";
import { ToRoutines } from "./receivers/to-routines.ts";
import { ToSlack } from "./receivers/to-slack.ts";
import { ToTranscripts } from "./receivers/to-transcripts.ts";
import { ToWatches } from "./receivers/to-watches.ts";
import { OldRecords } from "./retention/old-records.ts";
import { OldRuns } from "./retention/old-runs.ts";
import { OldSessions } from "./retention/old-sessions.ts";
import { Retention } from "./retention/retention.ts";
import { GithubDeeds } from "./runs/github-deeds.ts";
import { ModelCalls } from "./runs/model-calls.ts";
import { Notes } from "./runs/notes.ts";
import { ProxiedCalls } from "./runs/proxied-calls.ts";
import { PullRequests } from "./runs/pull-requests.ts";
import { ReceiveFrames } from "./runs/receive-frames.ts";
import { RunLinks } from "./runs/run-links.ts";
import { TakeFrames } from "./runs/take-frames.ts";
import { Verdicts } from "./runs/verdicts.ts";
import { ProxyNotices } from "./sessions/proxy-notices.ts";
import { SessionBranches } from "./sessions/session-branches.ts";
import { SessionDiffs } from "./sessions/session-diffs.ts";
import { Accesses } from "./viewers/access.ts";
import { Tickets } from "./viewers/tickets.ts";
import { DueSchedules } from "./wakes/due-schedules.ts";
import { FireAccess } from "./wakes/fire-access.ts";

/** A model call waits so long for its money. It is held once, however often it is asked for. */
const RESERVE_RULE = { party: "the shared budgets", deadlineMs: 5_000, isRepeatable: true };

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
  const core = assembleCore(context, database, { config, ownerKey, bucket: env.BODIES });
  const { work, outbox, definitions, engine, viewers, sockets, secrets, repositoryIds, schedules, watches, wakes } =
    core;
  const frames = new ReceiveFrames(engine, new TakeFrames(core), sockets, work);
  const lookAtContainer = (lease: LeaseRef, runnerId: string) =>
    withinDeadline(containerObject(env, config.jurisdiction, lease, runnerId).look(), undefined, "the container");
  const secretValues = secretsOfRuns(env.DB, config);
  const environments = new AttemptEnvironmentReader(secretValues, config.signingKeys);
  const { conversations, contexts, questions, log, steering } = core;
  const told = { definitions, config, environments, conversations, contexts, questions, log, steering };
  const notes = new Notes(database);
  const diffs = new SessionDiffs(context.storage.sql, config.keep.forMs);
  const links = new RunLinks({ notes, sockets, engine, frames, viewers, work, lookAtContainer, ...told });
  const branches = new SessionBranches(context.storage.sql);
  const pullRequests = new PullRequests({ ...core, database, branches });
  const notices = new ProxyNotices(database);
  const deeds = new GithubDeeds({ ...core, database, branches, notices });
  const proxies = new ProxiedCalls({ ...core, branches, notices });
  const modelCalls = new ModelCalls({
    ...core,
    otherModels: config.allowedModels,
    tell: (tx, lease, notice) => proxies.tell(tx, lease, notice),
    reserve: (...order) =>
      called({ ...RESERVE_RULE, failureOf: objectFailure }, () =>
        budgetObject(env, config.jurisdiction).reserve(...order),
      ),
  });

  const entry = new IndexEntry(core);
  const toIndex = new RoutineToIndex(env.DB, definitions, (row) => entry.of(row, Date.now()));
  const purge = new Purge(core);
  const sender = new SendNotifications(
    core.notifications,
    work,
    notificationPost(env.DB, config, env.EMAIL, secretValues, () => definitions.row()?.definition.notify ?? []),
  );
  const connectorParts = partsForConnectors(env, config, secretValues);
  const toGate = new ToGate(env.DB, { ...core, ...connectorParts });
  const receivers = assembleReceivers(core, {
    ...{ connectorParts, toGate },
    ...{ env, config, frames, toIndex, environments, sender },
  });
  const deliver = new Deliver(outbox, work, receivers, () => purge.look());

  const index = new AwaitIndex(work, outbox, deliver, toIndex, [core.deadLetters, core.notifications]);
  const changes = new RoutineChanges({ ...core, entry, index });
  const endpoints = new Endpoints({ work, definitions, secrets, outbox, changes });
  const verdicts = new Verdicts(core.runs, engine, outbox);
  const takeEvents = new TakeEvents({ work, definitions, repositoryIds, wakes, outbox, index });
  const dueSchedules = new DueSchedules({ work, schedules, watches, gate: core.gate, definitions, outbox });
  const fireAccess = new FireAccess(config, core.refusals);
  const tickets = new Tickets(work);
  const accesses = new Accesses(work, database, authorities);

  const retention = retentionOf(core, context.storage.sql, config.keep);
  const looked = { ...core, dueSchedules, deliver, sender, retention, purge };
  const alarm = new Alarm(ownerKey, context.storage, concernsOf(looked), alarmAt);
  work.followedBy(() => alarm.arm());
  viewers.armedBy(() => alarm.arm());
  const doors = {
    links,
    frames,
    proxies,
    modelCalls,
    entry,
    index,
    changes,
    endpoints,
    takeEvents,
    dueSchedules,
    verdicts,
    pullRequests,
    deeds,
    notes,
    diffs,
    sender,
    toGate,
  };
  return { ...core, ...doors, fireAccess, tickets, accesses, alarm };
}

export type Assembled = ReturnType<typeof assemble>;

function retentionOf(core: Core, sql: SqlStorage, keep: Keep): Retention {
  const given = { ...core, sql, keep };
  const oldRuns = new OldRuns(given);
  const oldSessions = new OldSessions({ ...given, oldRuns });
  return new Retention({ ...given, oldRuns, oldSessions, oldRecords: new OldRecords(given) });
}

/** What connectors are asked with. */
function partsForConnectors(env: ObjectEnv, config: Config, secrets: SecretsOfRuns) {
  const outside: OutsideOptions = { hasLoopback: config.connectorsLoopback, fetch: (url, init) => fetch(url, init) };
  const loginAccess = new LoginAccess({
    ...{ logins: connectorLogins(env.DB, env.DB), ring: new KeyRing(config.signingKeys), secrets, outside },
    now: () => Date.now(),
    pause: (ms) => scheduler.wait(ms),
  });
  return { secrets, loginAccess, outside };
}

/** Names for each kind of owed call the receiver that takes it. */
function assembleReceivers(
  core: Core,
  given: {
    env: ObjectEnv;
    config: Config;
    frames: ReceiveFrames;
    toIndex: RoutineToIndex;
    environments: AttemptEnvironmentReader;
    sender: SendNotifications;
    connectorParts: ReturnType<typeof partsForConnectors>;
    toGate: ToGate;
  },
): Receivers {
  const { definitions, runs } = core;
  const toTranscripts = new ToTranscripts({ ...core, bucket: given.env.BODIES });
  const toConversations = new ToConversations({ ...core, bucket: given.env.BODIES });
  const { env, config, frames, toIndex, environments, sender, connectorParts, toGate } = given;
  const poolOf = (name: string) => poolObject(env, config.jurisdiction, name);
  const routineOf = (id: string) => routineObject(env, config.jurisdiction, id);
  const toPool = new ToPool(poolOf, core, frames);
  const toRoutines = new ToRoutines(env.DB, definitions, runs, routineOf);
  const send = () => sender.look();
  const toNotifications = new ToNotifications(env.DB, { ...core, config, send });
  const toRoster = new ToRoster(() => rosterObject(env));
  return {
    read_environment: new ToEnvironments(env.DB, core, environments, new ReadContext(env.DB, core)),
    ask_pool: toPool,
    release_lease: toPool,
    project_routine: toIndex,
    forget_routine: toIndex,
    project_run: new RunsToIndex(env.DB, definitions, runs),
    forget_run: new RunsFromIndex(env.DB, core.runs),
    tell_run_ended: toRoutines,
    tell_health: toRoutines,
    project_dead_letters: new DeadLettersToIndex(env.DB, definitions, core.deadLetters),
    notify: toNotifications,
    project_notifications: new NotificationsToIndex(env.DB, core),
    enter_roster: toRoster,
    leave_roster: toRoster,
    move_conversation: toConversations,
    tidy_conversation: toConversations,
    tell_slack: new ToSlack(core.slackUpdates, core.work),
    report_spending: new ToBudgets(() => budgetObject(env, config.jurisdiction), core),
    look_at_watch: new ToWatches(env.DB, { ...core, ...connectorParts }),
    ask_gate: toGate,
    move_transcript: toTranscripts,
    tidy_transcript: toTranscripts,
    tidy_artifacts: new ToArtifacts({ ...core, bucket: given.env.BODIES }),
  };
}
