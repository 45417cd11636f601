/** The composition root: makes of the environment what handlers are given, each part as narrow as they need it. */

import { waitUntil } from "cloudflare:workers";
import { type Config, readConfig } from "#instance/config.ts";
import type { OutsideOptions } from "#instance/connectors/ask-outside.ts";
import { LoginAccess } from "#instance/connectors/oauth/login-access.ts";
import type { LoginParts } from "#instance/connectors/oauth/login-parts.ts";
import { connectorLogins } from "#instance/d1/connector-logins.ts";
import { connectorRevocations } from "#instance/d1/connector-revocations.ts";
import { type DeadLetterLists, deadLetterLists } from "#instance/d1/dead-letters.ts";
import { type DueStore, dueStore } from "#instance/d1/due.ts";
import { type NotificationLists, notificationLists } from "#instance/d1/notifications.ts";
import { type RoutineIndex, routineIndex } from "#instance/d1/routine-index.ts";
import { KeyRing } from "#instance/key-ring.ts";
import { lackingForMail } from "#instance/notifications/mailer.ts";
import type { ResidenceFault } from "#instance/residence.ts";
import { secretsOfRuns } from "#instance/secrets/assemble.ts";
import type { SecretsOfRuns } from "#instance/secrets/secrets-of-runs.ts";
import { authoritiesOf } from "#instance/secrets.ts";
import { type Refusal, refuse } from "#protocol/errors.ts";
import { endSockets } from "./auth/end-sockets.ts";
import { type Env, missingBindings } from "./bindings.ts";
import { rosterFilling } from "./clock/fill-roster.ts";
import { revokeOwed } from "./connectors/oauth/revoke-owed.ts";
import type { Check } from "./diagnosis/finding.ts";
import { githubAppCheck } from "./diagnosis/github-app.ts";
import { platformChecks } from "./diagnosis/platform-checks.ts";
import { type InstanceGate, instanceGate } from "./gate/instance-gate.ts";
import { type GithubRequest, githubRequest } from "./github/github-api.ts";
import { InstallationTokens } from "./github/installation-tokens.ts";
import { AppKeeper } from "./github/kept-app.ts";
import { residenceCheck } from "./health/residence.ts";
import { FailureTally } from "./inbound/failure-tally.ts";
import { HeldBodies } from "./inbound/held-bodies.ts";
import { Inbox } from "./inbound/inbox.ts";
import { type Parties, partiesOf } from "./parties/parties.ts";
import { credentialsWithApp, type GitCredentials } from "./proxy/git/git-credentials.ts";
import { settlePushes } from "./proxy/git/settle-pushes.ts";
import { settleDeed } from "./proxy/github/settle-deed.ts";
import { type ArtifactBytes, artifactBytes } from "./store/artifacts.ts";
import { type BegunPushes, begunPushStore } from "./store/begun-pushes.ts";
import { type Bodies, bodies } from "./store/bodies.ts";
import { type Connectors, connectors } from "./store/connectors.ts";
import { type Workspaces, workspaces } from "./store/conversations.ts";
import { type DeliveryStore, deliveryStore } from "./store/deliveries.ts";
import { type DeliveryLists, deliveryLists } from "./store/delivery-lists.ts";
import { type Environments, environments } from "./store/environments.ts";
import { type GithubApp, githubApp } from "./store/github-app.ts";
import { type Heartbeats, heartbeats } from "./store/heartbeats.ts";
import { type MadeByKey, madeByKey } from "./store/made-by-key.ts";
import { type Matching, matching } from "./store/matching.ts";
import { type NamedThings, namedThings } from "./store/named-things.ts";
import { pendingDeliveries } from "./store/pending-deliveries.ts";
import { type Pools, pools } from "./store/pools.ts";
import { type RepositoryNames, repositoryNames } from "./store/repository-names.ts";
import { type SealedDocuments, sealedDocuments } from "./store/sealed-documents.ts";
import { type SecretStore, secretStore } from "./store/secrets.ts";
import { type SetupArchives, setupArchives } from "./store/setup-archives.ts";
import { type SignIns, signIns } from "./store/sign-ins.ts";

export interface Deps
  extends Pick<
    Parties,
    "ownerOf" | "knownRoutines" | "pool" | "roster" | "budgets" | "sendDue" | "sendUsage" | "readAsset"
  > {
  config: Config;
  /** Null when the instance's objects live where it looks for them. */
  residence(): Promise<ResidenceFault | null>;
  /** Takes routines that the roster does not know into it, from D1. */
  fillRoster(): Promise<void>;
  index: RoutineIndex;
  deliveries: DeliveryStore;
  bodies: Bodies;
  deliveryLists: DeliveryLists;
  failures: FailureTally;
  heldBodies: HeldBodies;
  matching: Matching;
  madeByKey: MadeByKey;
  begunPushes: BegunPushes;
  gitCredentials: GitCredentials;
  /** The GitHub App as it is kept. */
  appKeeper: AppKeeper;
  github: GithubRequest;
  installationTokens: InstallationTokens;
  sealedDocuments: SealedDocuments;
  /** Encrypts what is kept at rest. */
  keyRing: KeyRing;
  secrets: SecretStore;
  setupArchives: SetupArchives;
  artifactBytes: ArtifactBytes;
  workspaces: Workspaces;
  /** Asks the upstream about pushes whose outcome is not known. */
  settlePushes(nowMs: number): Promise<void>;
  githubApp: GithubApp;
  names: RepositoryNames;
  pools: Pools;
  deadLetters: DeadLetterLists;
  notifications: NotificationLists;
  environments: Environments;
  connectors: Connectors;
  /** Fills the headers of connectors with the values of secrets. */
  secretValues: SecretsOfRuns;
  /** How connectors are called. */
  outside: OutsideOptions;
  /** What a login of a connector takes. */
  loginParts: LoginParts;
  /** Asks authorization servers to revoke what has ended here, as far as it is due. */
  revokeOwed(nowMs: number): Promise<void>;
  loginAccess: LoginAccess;
  namedThings: NamedThings;
  /** What is to be set before this instance can send e-mail; null where it can. */
  lackingForMail: string | null;
  inbox: Inbox;
  gate: InstanceGate;
  due: DueStore;
  heartbeats: Heartbeats;
  /** What looks over the parts of the platform that the instance is made of. */
  platformChecks: Check[];
  signIns: SignIns;
  /** Ends sign-ins that have lapsed, and makes the calls that are owed for those that have ended. */
  sweepSignIns(nowMs: number): Promise<void>;
}

type MadeDeps = { ok: true; deps: Deps } | { ok: false; refusal: Refusal };

const made = new WeakMap<Env, MadeDeps>();

/** Asked anew each time: `Date` may be another by then, as it is for tests that set the clock. */
const now = () => Date.now();

/** @returns the dependencies, or every fault of bindings and configuration; made once for each environment. */
export function depsOf(env: Env): MadeDeps {
  const known = made.get(env);
  if (known !== undefined) return known;
  const fresh = makeDeps(env);
  made.set(env, fresh);
  return fresh;
}

/** The same for callers that use objects: it waits until it is known that the objects live where they are looked for. */
export async function settledDeps(env: Env): Promise<MadeDeps> {
  const found = depsOf(env);
  const elsewhere = found.ok ? await found.deps.residence() : null;
  return elsewhere === null ? found : refuse("misconfigured", { issues: [elsewhere] });
}

function makeDeps(env: Env): MadeDeps {
  const missing = missingBindings(env);
  if (missing.length > 0) return refuse("not_ready", { issues: missing });
  const check = readConfig(env);
  if (!check.ok) return refuse("misconfigured", { issues: check.issues });
  const { config } = check;
  const parties = partiesOf(env, config.jurisdiction);
  const { ownerOf, knownRoutines, pool, roster, budgets, count, database, bucket, sendDue, sendProbe } = parties;
  const { sendUsage, readAsset } = parties;
  const kept = bodies(bucket);
  const deliveries = deliveryStore(database, kept, pendingDeliveries(bucket));
  const ins = signIns(database, () => authoritiesOf(config));
  // The stores below write the same when a write is made twice.
  const { repeatable } = database;
  const begunPushes = begunPushStore(repeatable);
  const documents = sealedDocuments(database, repeatable);
  const keyRing = new KeyRing(config.signingKeys);
  const appKeeper = new AppKeeper(documents, keyRing);
  const github = githubRequest(config.github.apiUrl);
  const tokens = new InstallationTokens(github, now, waitUntil);
  const readApp = () => appKeeper.read(Date.now());
  const gitCredentials = credentialsWithApp(config.gitCredentials, config.github.webOrigin, readApp, tokens);
  const lists = deliveryLists(database, kept);
  const index = routineIndex(database);
  const beats = heartbeats(repeatable);
  const outside: OutsideOptions = { hasLoopback: config.connectorsLoopback, fetch: (url, init) => fetch(url, init) };
  const secretValues = secretsOfRuns(database, config);
  const logins = { logins: connectorLogins(database, repeatable), ring: keyRing, secrets: secretValues, outside };
  const loginParts: LoginParts = { ...logins, now, pause };
  const revocations = connectorRevocations(database, repeatable);
  const fillRoster = rosterFilling(roster, index);
  const found = {
    deliveries,
    matching: matching(repeatable),
    githubApp: githubApp(repeatable),
    names: repositoryNames(repeatable),
    ownerOf,
  };
  return {
    ok: true,
    deps: {
      config,
      residence: residenceCheck({ roster, fillRoster }, config.jurisdiction),
      ...found,
      deliveryLists: lists,
      bodies: kept,
      failures: new FailureTally({ write: lists.addFailures, pause, now }),
      heldBodies: new HeldBodies(),
      begunPushes,
      madeByKey: madeByKey(repeatable),
      gitCredentials,
      appKeeper,
      github,
      installationTokens: tokens,
      sealedDocuments: documents,
      keyRing,
      secrets: secretStore(database),
      setupArchives: setupArchives(bucket),
      artifactBytes: artifactBytes(bucket),
      workspaces: workspaces(bucket),
      settlePushes: (nowMs) =>
        settlePushes(
          {
            ...{ begunPushes, ownerOf, credentials: gitCredentials },
            settleDeed: (begun, at) =>
              settleDeed(
                { appKeeper, webOrigin: config.github.webOrigin, github, installationTokens: tokens, ownerOf },
                begun,
                at,
              ),
          },
          nowMs,
        ),
      pools: pools(database),
      deadLetters: deadLetterLists(database),
      notifications: notificationLists(database),
      environments: environments(database),
      connectors: connectors(database),
      secretValues,
      outside,
      loginParts,
      revokeOwed: (nowMs) => revokeOwed({ ...loginParts, revocations }, nowMs),
      loginAccess: new LoginAccess(loginParts),
      namedThings: namedThings(database),
      lackingForMail: lackingForMail(config, env.EMAIL),
      inbox: new Inbox({ ...found, baseUrl: config.publicUrl ?? "", pause }),
      gate: instanceGate(config.instanceRatePerMinute, count),
      due: dueStore(repeatable),
      heartbeats: beats,
      platformChecks: [
        ...platformChecks({ database, bucket, heartbeats: beats, sendProbe, pause, now }),
        githubAppCheck({ config, appKeeper, github, now }),
      ],
      sendDue,
      sendUsage,
      knownRoutines,
      pool,
      roster,
      budgets,
      fillRoster,
      index,
      signIns: ins,
      sweepSignIns: async (nowMs) => {
        await ins.endLapsed(nowMs);
        await endSockets({ signIns: ins, ownerOf }, nowMs);
      },
      readAsset,
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
