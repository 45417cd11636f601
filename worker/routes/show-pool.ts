/** A pool as people see it: what D1 has of it, and what its object says. */
import type { Config } from "#instance/config.ts";
import { withinDeadline } from "#instance/in-time.ts";
import { errorText, logTrouble } from "#protocol/log.ts";
import { DEFAULT_POOL, type Pool, type PoolStatus } from "#protocol/pool.ts";
import { timestamp } from "#protocol/time.ts";
import { waits } from "#rules/pool/why-waiting.ts";
import type { PoolRow } from "../store/pools.ts";

/** A pool that hangs hides no other. */
const LOOK_MS = 5_000;

/** Whom it takes to show a pool. */
interface Asked {
  config: Pick<Config, "containers">;
  pool(name: string): { look(): Promise<PoolStatus> };
}

/** @param row null for the pool that is always there. */
export async function showPool(deps: Asked, name: string, row: PoolRow | null): Promise<Pool> {
  const hasContainers = name === DEFAULT_POOL && deps.config.containers > 0;
  return {
    name,
    kind: hasContainers ? "container" : "runners",
    ...(await status(deps, name)),
    created_at: moment(row?.createdAt ?? null),
    created_by: row?.createdBy ?? null,
    token: row === null || row.tokenHash === null ? null : tokenShown(row),
  };
}

export function moment(ms: number | null): string | null {
  return ms === null ? null : timestamp(ms);
}

type Status = Pick<Pool, keyof PoolStatus>;

async function status(deps: Asked, name: string): Promise<Status> {
  try {
    return await withinDeadline(deps.pool(name).look(), LOOK_MS, "the pool");
  } catch (error) {
    logTrouble("pool_silent", { pool: name }, error);
    const why = waits("pool_silent", `The pool can't be asked just now: ${errorText(error)}.`);
    return { capacity: null, busy: null, runners: [], waiting: null, waiting_since: null, why, warm: null };
  }
}

function tokenShown({ tokenAt, tokenBy, previousUntil }: PoolRow): Pool["token"] {
  const isPast = previousUntil === null || previousUntil <= Date.now();
  return {
    created_at: timestamp(tokenAt),
    created_by: tokenBy,
    previous_token_until: isPast ? null : timestamp(previousUntil),
  };
}
