/**
 * The sweep, once a minute: has routines that are due looked at by their objects, wakes those with runs that have not settled, takes
 * up deliveries and pushes that were cut off, and ends sign-ins and what logins of connectors have left.
 */

import { firstIdAt } from "#protocol/ids.ts";
import { logTrouble } from "#protocol/log.ts";
import { IDEMPOTENCY_WINDOW_MS } from "#protocol/occurrence.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { shutOutDue } from "../auth/pool-tokens.ts";
import type { ClockMessage } from "../bindings.ts";
import type { Deps } from "../deps.ts";
import { lastDeliveryIdOf } from "../inbound/delivery-ids.ts";
import type { LookDeps } from "./look-at.ts";
import { reachDue } from "./reach-due.ts";

/** How many routines with runs that have not settled are looked at in one sweep. */
const WOKEN_AT_ONCE = 100;
/** How many runs that are older than anything has to be are looked at in one hour, for the routines that they are of. */
const OLD_AT_ONCE = 100;
const PUSHES_KEPT_MS = 30 * 24 * 3_600_000;
const SECRET_USES_LIMIT = 500_000;
const DESTINATIONS_KEPT_MS = 30 * 24 * 3_600_000;
const FAILURES_KEPT_MS = 30 * 24 * 3_600_000;
/** A write to D1 that was given up may go through later, but not by so much. */
const FORGOTTEN_KEPT_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE_MS = 60_000;

type SweepDeps = LookDeps &
  Pick<
    Deps,
    | "config"
    | "due"
    | "sendDue"
    | "inbox"
    | "deliveries"
    | "deliveryLists"
    | "settlePushes"
    | "sweepSignIns"
    | "pool"
    | "pools"
    | "index"
    | "fillRoster"
    | "heartbeats"
    | "setupArchives"
    | "notifications"
    | "secrets"
    | "madeByKey"
    | "revokeOwed"
  >;

/** May run twice, late, and in two places at once: a routine that is reached twice is looked at twice, and fires once. */
export async function sweep(deps: SweepDeps, nowMs: number): Promise<void> {
  await Promise.all([
    logged("clock", () => reachDue(deps, nowMs)),
    logged("unsettled", () => wakeUnsettled(deps)),
    logged("deliveries", async () => {
      await deps.deliveries.takeInPending();
      await deps.inbox.sweep(nowMs);
    }),
    logged("sign_ins", () => deps.sweepSignIns(nowMs)),
    logged("pushes", () => deps.settlePushes(nowMs)),
    logged("roster", () => deps.fillRoster()),
    logged("revocations", () => deps.revokeOwed(nowMs)),
    logged("pools", () => shutOutDue(deps, nowMs)),
    logged("heartbeat", () => deps.heartbeats.note("sweep", nowMs)),
    // Once an hour is often enough.
    nowMs % HOUR_MS < MINUTE_MS ? logged("purge", () => purge(deps, nowMs)) : null,
    nowMs % HOUR_MS < MINUTE_MS ? logged("old", () => openOld(deps, nowMs)) : null,
  ]);
}

/**
 * An object keeps the time of its runs by its own alarm, and an alarm can be lost: the platform gives up one whose object
 * fails for some minutes. Being looked at, an object arms it again; so do the pools, which know whose runner is gone.
 */
async function wakeUnsettled({ due, sendDue: send, pool, pools }: SweepDeps): Promise<void> {
  const ids = await due.unsettled(WOKEN_AT_ONCE, Math.random());
  if (ids.length === 0) return;
  const messages = ids.map((routine_id): ClockMessage => ({ routine_id }));
  const names = [DEFAULT_POOL, ...(await pools.names())];
  await Promise.all([send(messages), ...names.map((name) => pool(name).keepTime())]);
}

/**
 * An object takes out by its own alarm what is too old, and arms that when it is opened. One that nothing has opened since
 * an older version wrote its runs, and whose alarm was lost, is opened here.
 */
async function openOld({ config, due, sendDue: send }: SweepDeps, nowMs: number): Promise<void> {
  const before = firstIdAt("run", nowMs - config.keep.forMs - DAY_MS);
  const ids = await due.withRunsBefore(before, OLD_AT_ONCE, Math.random());
  if (ids.length > 0) await send(ids.map((routine_id): ClockMessage => ({ routine_id })));
}

async function purge(deps: SweepDeps, nowMs: number): Promise<void> {
  const { config, deliveries, deliveryLists, due, index, notifications, secrets, setupArchives, madeByKey } = deps;
  await index.purgeForgotten(nowMs - FORGOTTEN_KEPT_MS);
  await due.forgetPushes(nowMs - PUSHES_KEPT_MS);
  await deliveryLists.forgetFailures(nowMs - FAILURES_KEPT_MS);
  await notifications.forgetFailing(nowMs - DESTINATIONS_KEPT_MS);
  await madeByKey.forget(nowMs - IDEMPOTENCY_WINDOW_MS);
  while (await secrets.forgetUses(nowMs - config.keep.forMs, SECRET_USES_LIMIT));
  while (await setupArchives.purge(nowMs));
  while (await deliveries.purge(lastDeliveryIdOf(nowMs - config.keep.deliveriesForMs)));
}

async function logged(part: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logTrouble("sweep_failed", { part }, error);
  }
}
