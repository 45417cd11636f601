/** Tokens of pools, by which runners register: each names its pool, is kept as a hash, and is compared in constant time. */
import { hashSecret, isSameHash, makeSecret } from "#instance/secrets.ts";
import { type PoolRow, type Pools, tokensInForce } from "../store/pools.ts";

/** Where a runner's token lets it in. */
export interface PoolAccess {
  pool: string;
  /** By what the pool's object knows the token; null for RUNNER_TOKEN. */
  tokenId: string | null;
}

/** The beginning of a token's hash: enough to tell tokens of one pool apart, and no secret. */
const ID_LENGTH = 16;

/** @param pool its name, which is in the token. */
export function makePoolToken(pool: string): string {
  return makeSecret("pool_token", pool);
}

/** @returns null for a token that lets nobody in. */
export async function poolAccess(token: string, pools: Pick<Pools, "find">, nowMs: number): Promise<PoolAccess | null> {
  const pool = /^rvp_([a-z0-9-]{1,40})_[0-9a-f]{64}$/.exec(token)?.[1];
  if (pool === undefined) return null;
  const [row, hash] = await Promise.all([pools.find(pool), hashSecret(token)]);
  const isIn = row !== null && tokensInForce(row, nowMs).filter((one) => isSameHash(one, hash)).length > 0;
  return isIn ? { pool, tokenId: tokenIdOf(hash) } : null;
}

interface TellParts {
  pools: Pick<Pools, "toTell" | "told">;
  pool(name: string): { keepOnly(tokenIds: string[]): Promise<void> };
}

/** Has a pool's object close the sockets of runners that came with another token than those in force. */
export async function shutOut(
  { pool }: Pick<TellParts, "pool">,
  row: PoolRow,
  inForce: readonly string[],
): Promise<void> {
  await pool(row.name).keepOnly(inForce.map(tokenIdOf));
}

const TOLD_AT_ONCE = 20;

/** The same for all pools that have yet to be told. @throws the first fault; a pool that was not told is told by the next sweep. */
export async function shutOutDue(parts: TellParts, nowMs: number): Promise<void> {
  const due = await parts.pools.toTell(TOLD_AT_ONCE, nowMs);
  const told = await Promise.allSettled(
    due.map(async ({ row, inForce }) => {
      await shutOut(parts, row, inForce);
      await parts.pools.told(row, nowMs);
    }),
  );
  for (const one of told) if (one.status === "rejected") throw one.reason;
}

function tokenIdOf(hash: string): string {
  return hash.slice(0, ID_LENGTH);
}
