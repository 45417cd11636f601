/** The composition root: the declared environment in, narrow dependencies out. */

import type { PoolObject } from "#durable-objects/pool/pool-object.ts";
import { type Config, readConfig } from "#instance/config.ts";
import { type DueStore, dueStore } from "#instance/d1/due.ts";
import { type Projection, projection } from "#instance/d1/routine-index.ts";
import { gateObject, poolObject, rosterObject, routineObject } from "#instance/objects.ts";
import { authorityOf } from "#instance/secrets.ts";
import { endSockets } from "./auth/end-sockets.ts";
import type { ClockMessage, Env, RoutineStub } from "./bindings.ts";
import { type InstanceGate, instanceGate } from "./gate/instance-gate.ts";
import { type ResidenceFault, residenceCheck } from "./health/residence.ts";
import { FailureTally } from "./inbound/failure-tally.ts";
import { Inbox } from "./inbound/inbox.ts";
import { settlePushes } from "./proxy/git/settle-pushes.ts";
import { type BegunPushes, begunPushStore } from "./store/begun-pushes.ts";
import { bodies } from "./store/bodies.ts";
import { type DeliveryStore, deliveryStore } from "./store/deliveries.ts";
import { type DeliveryLists, deliveryLists } from "./store/delivery-lists.ts";
import { type GithubApp, githubApp } from "./store/github-app.ts";
import { type Matching, matching } from "./store/matching.ts";
import { type RepositoryNames, repositoryNames } from "./store/repository-names.ts";
import { type SignIns, signIns } from "./store/sign-ins.ts";

type PoolStub = DurableObjectStub<PoolObject>;

export interface Deps {
  config: Config;
  /** Null when the instance's objects live where it looks for them. */
  residence(): Promise<ResidenceFault | null>;
  /** The object to ask about an id of any kind: one that it does not own, it answers `not_found`. @throws RangeError on another text. */
  ownerOf(id: string): RoutineStub;
  pool(name: string): PoolStub;
  projection: Projection;
  deliveries: DeliveryStore;
  deliveryLists: DeliveryLists;
  failures: FailureTally;
  matching: Matching;
  begunPushes: BegunPushes;
  /** Finds out about pushes of which nothing was heard. */
  settlePushes(nowMs: number): Promise<void>;
  githubApp: GithubApp;
  names: RepositoryNames;
  inbox: Inbox;
  gate: InstanceGate;
  due: DueStore;
  /** Sends routines that are due on to their objects. Resolves when none can be lost. */
  sendDue(messages: readonly ClockMessage[]): Promise<void>;
  signIns: SignIns;
  /** Ends sign-ins that have lapsed, and makes the calls that are owed for those that have ended. */
  sweepSignIns(nowMs: number): Promise<void>;
  /** A file of the web app. @param path from the first slash on. @returns 404 when there is none. */
  readAsset(path: string, headers: Record<string, string>): Promise<Response>;
}

type MadeDeps = { ok: true; deps: Deps } | { ok: false; issues: { field: string; message: string }[] };

const made = new WeakMap<Env, MadeDeps>();

/** @returns the dependencies, or every fault of the configuration; made once for each environment. */
export function depsOf(env: Env): MadeDeps {
  const known = made.get(env);
  if (known !== undefined) return known;
  const fresh = makeDeps(env);
  made.set(env, fresh);
  return fresh;
}

/** The same for whatever asks something of objects: not before it is known that they live where they are looked for. */
export async function settledDeps(env: Env): Promise<MadeDeps> {
  const found = depsOf(env);
  const elsewhere = found.ok ? await found.deps.residence() : null;
  return elsewhere === null ? found : { ok: false, issues: [elsewhere] };
}

function makeDeps(env: Env): MadeDeps {
  const check = readConfig(env);
  if (!check.ok) return check;
  const { config } = check;
  const ownerOf = (id: string) => routineObject(env, config.jurisdiction, id);
  const kept = bodies(env.BODIES);
  const deliveries = deliveryStore(env.DB, kept);
  const ins = signIns(env.DB, () => authorityOf(config));
  const begunPushes = begunPushStore(env.DB);
  const lists = deliveryLists(env.DB, kept);
  const found = {
    deliveries,
    matching: matching(env.DB),
    githubApp: githubApp(env.DB),
    names: repositoryNames(env.DB),
    ownerOf,
  };
  return {
    ok: true,
    deps: {
      config,
      residence: residenceCheck(() => rosterObject(env), config.jurisdiction),
      ...found,
      deliveryLists: lists,
      failures: new FailureTally({ write: lists.addFailures, pause, now: Date.now }),
      begunPushes,
      settlePushes: (nowMs) => settlePushes({ begunPushes, ownerOf, credentials: config.gitCredentials }, nowMs),
      inbox: new Inbox({ ...found, baseUrl: config.publicUrl ?? "", pause }),
      gate: instanceGate(config.instanceRatePerMinute, (report) => gateObject(env, config.jurisdiction).count(report)),
      due: dueStore(env.DB),
      sendDue: async (messages) => {
        await env.CLOCK.sendBatch(messages.map((body) => ({ body })));
      },
      pool: (name) => poolObject(env, config.jurisdiction, name),
      projection: projection(env.DB),
      signIns: ins,
      sweepSignIns: async (nowMs) => {
        await ins.endLapsed(nowMs);
        await endSockets({ signIns: ins, ownerOf }, nowMs);
      },
      // The host plays no part.
      readAsset: (path, headers) => env.ASSETS.fetch(`https://assets${path}`, { headers }),
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
