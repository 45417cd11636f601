/** Whom the worker calls: the one place that holds the platform's bindings, so that no call goes without a deadline. */
import type { RosterPage } from "#durable-objects/roster/roster-object.ts";
import { hasOwner } from "#instance/d1/routine-owners.ts";
import { withinDeadline } from "#instance/in-time.ts";
import {
  budgetObject,
  gateObject,
  type Jurisdiction,
  poolObject,
  rosterObject,
  routineObject,
} from "#instance/objects.ts";
import type { Actor } from "#protocol/actor.ts";
import type { Result } from "#protocol/errors.ts";
import type { ModelUsage } from "#protocol/model-usage.ts";
import type { PoolStatus, WarmSetting } from "#protocol/pool.ts";
import type { BudgetScope, SharedBudget, SharedBudgetInput } from "#protocol/shared-budget.ts";
import type { GateAnswer, GateReport } from "#rules/gate/take-report.ts";
import type { ClockMessage, Env, ProbedQueue, RoutineStub } from "../bindings.ts";
import type { ResidenceRoster } from "../health/residence.ts";
import { askedBucket } from "./bucket.ts";
import { askedDatabase, type Database } from "./database.ts";
import { KnownRoutines } from "./known-routines.ts";
import { askedObject, askedWhereThere } from "./objects.ts";
import { ROUTINE_CALLS, routineDeadlineMs, VOUCHED_CALLS } from "./routine-calls.ts";

/** What a pool is asked by the worker. */
export interface PoolStub extends Pick<Fetcher, "fetch"> {
  keepTime(): Promise<void>;
  look(): Promise<PoolStatus>;
  keepOnly(tokenIds: string[]): Promise<void>;
  setWarm(setting: WarmSetting, by: Actor): Promise<void>;
}

/** What the object that keeps shared budgets is asked by the worker. */
export interface BudgetStub {
  list(): Promise<SharedBudget[]>;
  set(input: SharedBudgetInput, actor: Actor): Promise<Result<SharedBudget>>;
  remove(scope: BudgetScope): Promise<Result<null>>;
}

/** What the roster is asked by the worker: see `RosterObject`. */
export interface RosterStub extends ResidenceRoster {
  enter(ids: readonly string[]): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  page(after: string, limit: number): Promise<RosterPage>;
  hasOwner(ownerKey: string): Promise<boolean>;
  fillAfter(): Promise<string | null>;
  fill(ids: readonly string[], isLast: boolean): Promise<void>;
}

export interface Parties {
  /**
   * The object to ask about an id of any kind: one that it does not own, it answers `not_found`. Where no routine owns the id,
   * that is answered in its place, and there is no object afterwards; see `VOUCHED_CALLS`. @throws RangeError on another text.
   */
  ownerOf(id: string): RoutineStub;
  /** Routines that there are, for what `ownerOf` does not look up: an upgrade. */
  knownRoutines: KnownRoutines;
  pool(name: string): PoolStub;
  /** Which routines there are, and where. */
  roster(): RosterStub;
  /** The budgets which routines share. */
  budgets(): BudgetStub;
  /** The instance's counter. Whoever asks has a deadline of its own, and goes on without an answer. */
  count(report: GateReport): Promise<GateAnswer>;
  database: Database;
  bucket: R2Bucket;
  /** Has the queue ask objects of routines that are due. Resolves when none can be lost. */
  sendDue(messages: readonly ClockMessage[]): Promise<void>;
  /** Asks a queue for a sign of life, which its consumer writes down. */
  sendProbe(queue: ProbedQueue): Promise<void>;
  /** Has a queue tell a run's object what a model call used. Resolves when it can't be lost. */
  sendUsage(usage: ModelUsage): Promise<void>;
  /** A file of the web app. @param path from the first slash on. @returns 404 when there is none. */
  readAsset(path: string, headers: Record<string, string>): Promise<Response>;
}

/** In milliseconds. */
const POOL_DEADLINE_MS = 15_000;
const ROSTER_DEADLINE_MS = 5_000;
/** It tells routines of a change, for five seconds at most and one call more. */
const BUDGET_DEADLINE_MS = 15_000;
const QUEUE_DEADLINE_MS = 10_000;
const ASSET_DEADLINE_MS = 10_000;

export function partiesOf(env: Env, jurisdiction: Jurisdiction): Parties {
  const database = askedDatabase(env.DB);
  const roster = () =>
    askedObject<RosterStub>(
      "the roster",
      () => rosterObject(env),
      () => ({ isTold: false, isRepeatable: true, deadlineMs: ROSTER_DEADLINE_MS }),
    );
  const owner = (id: string) =>
    askedObject(
      "the routine",
      () => routineObject(env, jurisdiction, id),
      (method) => {
        // A name that the table does not have is no method: the object says so.
        const repetition = ROUTINE_CALLS[method as keyof RoutineStub] ?? "once";
        const isTold = repetition === "told";
        return { isTold, isRepeatable: repetition !== "once", deadlineMs: routineDeadlineMs(method) };
      },
    );
  // The index first: a routine is in it before its owner hears of it. The roster outlives a loss of the index.
  const knownRoutines = new KnownRoutines([
    { hasOwner: (ownerKey) => hasOwner(database, ownerKey) },
    { hasOwner: (ownerKey) => roster().hasOwner(ownerKey) },
  ]);
  return {
    ownerOf: (id) => askedWhereThere(owner(id), () => knownRoutines.has(id), VOUCHED_CALLS),
    knownRoutines,
    // Upgrades, being woken or looked at, closing sockets, a setting: none does harm twice.
    pool: (name) =>
      askedObject<PoolStub>(
        "the pool",
        () => poolObject(env, jurisdiction, name),
        () => ({ isTold: false, isRepeatable: true, deadlineMs: POOL_DEADLINE_MS }),
      ),
    roster,
    // A removal that is made again is told that there is none.
    budgets: () =>
      askedObject<BudgetStub>(
        "the shared budgets",
        () => budgetObject(env, jurisdiction),
        (method) => ({ isTold: false, isRepeatable: method !== "remove", deadlineMs: BUDGET_DEADLINE_MS }),
      ),
    count: async (report) => await gateObject(env, jurisdiction).count(report),
    database,
    bucket: askedBucket(env.BODIES),
    sendDue: async (messages) => {
      await withinDeadline(env.CLOCK.sendBatch(messages.map((body) => ({ body }))), QUEUE_DEADLINE_MS, "the queue");
    },
    sendProbe: async (queue) => {
      const binding = queue === "queue" ? env.CLOCK : env.USAGE;
      await withinDeadline(binding.send({ probe: queue }), QUEUE_DEADLINE_MS, "the queue");
    },
    sendUsage: async (usage) => {
      await withinDeadline(env.USAGE.send(usage), QUEUE_DEADLINE_MS, "the queue");
    },
    // The host plays no part.
    readAsset: (path, headers) =>
      withinDeadline(env.ASSETS.fetch(`https://assets${path}`, { headers }), ASSET_DEADLINE_MS, "the web app's files"),
  };
}
