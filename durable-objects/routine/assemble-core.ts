/** The parts of a routine's object that decide and write, each after those that it uses: they call nobody outside the object. */
import type { Config } from "#instance/config.ts";
import { KeyRing } from "#instance/key-ring.ts";
import { IdMaker } from "#protocol/ids.ts";
import { DefinitionChanges } from "./changes/change-definition.ts";
import { Conversations } from "./conversations/conversations.ts";
import type { Database } from "./database.ts";
import { DefinitionStore } from "./definition/definition-store.ts";
import { EndpointSecrets } from "./definition/endpoint-secrets.ts";
import { RepositoryIds } from "./definition/repository-ids.ts";
import { Notifications } from "./notifications/notifications.ts";
import { SlackUpdates } from "./notifications/slack-updates.ts";
import { Outbox } from "./outbox/outbox.ts";
import { AskedHosts } from "./runs/asked-hosts.ts";
import { AttemptEnvironments } from "./runs/attempt-environments.ts";
import { Budgets } from "./runs/budgets.ts";
import { DeadLetters } from "./runs/dead-letters.ts";
import { Deadlines } from "./runs/deadlines.ts";
import { RoutineHealth } from "./runs/health.ts";
import { OpenCalls } from "./runs/open-calls.ts";
import { Questions } from "./runs/questions.ts";
import { RunContexts } from "./runs/run-contexts.ts";
import { RunEnds } from "./runs/run-ends.ts";
import { RunEngine } from "./runs/run-engine.ts";
import { RunSockets } from "./runs/run-sockets.ts";
import { RunStore } from "./runs/run-store.ts";
import { RunWaiters } from "./runs/run-waiters.ts";
import { SharedBudgets } from "./runs/shared-budgets.ts";
import { Spending } from "./runs/spending.ts";
import { Steering } from "./runs/steering.ts";
import { Artifacts } from "./sessions/artifacts.ts";
import { Messages } from "./sessions/messages.ts";
import { SessionKeys } from "./sessions/session-keys.ts";
import { MovedTranscripts } from "./transcript/moved-transcripts.ts";
import { TranscriptLog } from "./transcript/transcript-log.ts";
import { TranscriptParts } from "./transcript/transcript-parts.ts";
import { Viewers } from "./viewers/viewers.ts";
import { CoalescedRuns } from "./wakes/coalesced-runs.ts";
import { FireAgain } from "./wakes/fire-again.ts";
import { GatedWakes } from "./wakes/gated-wakes.ts";
import { OccurrenceStore } from "./wakes/occurrences.ts";
import { RefusalCounts } from "./wakes/refusal-counts.ts";
import { Schedules } from "./wakes/schedules.ts";
import { SessionMessages } from "./wakes/session-messages.ts";
import { Wakes } from "./wakes/wake.ts";
import { WakeGate } from "./wakes/wake-gate.ts";
import { WatchedItems } from "./wakes/watched-items.ts";
import { Watches } from "./wakes/watches.ts";
import { Work } from "./work.ts";

/** What the parts use of the platform's object. */
export type ObjectContext = Pick<DurableObjectState, "storage" | "getWebSockets" | "acceptWebSocket">;

/** @param given `ownerKey` is the key in the ids of what the routine owns; `bucket` has what has been moved out of the object. */
export function assembleCore(
  context: ObjectContext,
  database: Database,
  { config, ownerKey, bucket }: { config: Config; ownerKey: string; bucket: Pick<R2Bucket, "get"> },
) {
  const { sql } = context.storage;
  const work = new Work(context.storage, database);
  const ids = new IdMaker(ownerKey, (bytes) => crypto.getRandomValues(bytes));
  const outbox = new Outbox(sql, work);
  const log = new TranscriptLog(sql, work, new TranscriptParts(bucket));
  const moved = new MovedTranscripts(sql);
  const definitions = new DefinitionStore(database, work);
  const repositoryIds = new RepositoryIds(sql, work);
  const secrets = new EndpointSecrets(database, new KeyRing(config.signingKeys));

  const runs = new RunStore(database, sql, log, work);
  const deadlines = new Deadlines(sql, work);
  const viewers = new Viewers(context, log, (sessionId) => runs.hasUnsettledRun(sessionId));
  const sockets = new RunSockets(context);
  const waiters = new RunWaiters(context, work);
  const notifications = new Notifications(database, work, ids, outbox);
  const health = new RoutineHealth(database, work, definitions, outbox);
  const deadLetters = new DeadLetters(database, work, outbox);
  const ends = new RunEnds(outbox, waiters, health, deadLetters, runs.sessions);
  const hosts = new AskedHosts(sql);
  const environments = new AttemptEnvironments(database);
  const conversations = new Conversations(sql, work, outbox, config.keep.forMs);
  const messages = new Messages(sql);
  const beside = { messages, viewers, ends, sockets, hosts, environments, conversations };
  const engine = new RunEngine({ work, runs, log, deadlines, outbox, definitions, ...beside });

  const questions = new Questions({ database, work, engine, outbox, sockets });
  const slackUpdates = new SlackUpdates(database, outbox);
  const openCalls = new OpenCalls(sql);
  const spending = new Spending(sql, openCalls);
  const shared = new SharedBudgets({ sql, work, outbox, definitions, spending });
  const budgets = new Budgets({ engine, runs, definitions, spending, shared });
  const occurrences = new OccurrenceStore(database, sql, work);
  const refusals = new RefusalCounts(work);
  const coalesced = new CoalescedRuns(sql, work);
  const steering = new Steering({ engine, runs, messages, sockets, work });
  const sessionKeys = new SessionKeys(sql);
  const gated = new GatedWakes(sql, work, outbox);
  const wakes = new Wakes({
    config,
    occurrences,
    runs,
    engine,
    ids,
    refusals,
    coalesced,
    deadLetters,
    budgets,
    repositoryIds,
    steering,
    sessionKeys,
    gated,
  });
  const sessionMessages = new SessionMessages({ work, engine, definitions, steering, messages, wakes });
  viewers.heardBy((sessionId, said, by) => sessionMessages.hear(sessionId, said, by));
  engine.followedBy(sessionMessages);
  const fireAgain = new FireAgain({ wakes, runs, occurrences, deadLetters, messages: sessionMessages });
  const schedules = new Schedules(database, wakes, outbox, work);
  const watches = new Watches({ database, work, outbox, wakes, definitions, items: new WatchedItems(sql) });
  const gate = new WakeGate({ work, outbox, definitions, wakes, gated });
  const contexts = new RunContexts(sql);
  const artifacts = new Artifacts(sql, work, outbox, config.keep.filesForMs);
  const defined = { ids, definitions, schedules, watches, secrets, repositoryIds };
  const definitionChanges = new DefinitionChanges({ ...defined, engine, health, budgets, shared, sessionKeys, gated });
  const stores = {
    artifacts,
    messages,
    steering,
    sessionMessages,
    contexts,
    conversations,
    questions,
    hosts,
    environments,
    work,
    outbox,
    log,
    moved,
    definitions,
    repositoryIds,
    secrets,
    runs,
    deadlines,
    occurrences,
  };
  return {
    ...stores,
    slackUpdates,
    openCalls,
    spending,
    shared,
    budgets,
    health,
    deadLetters,
    notifications,
    viewers,
    waiters,
    sockets,
    engine,
    refusals,
    wakes,
    fireAgain,
    schedules,
    watches,
    gate,
    definitionChanges,
  };
}

export type Core = ReturnType<typeof assembleCore>;
