/** Runner pools: who serves and what waits, making and deleting them, and their tokens. */
import { z } from "zod";
import { hashSecret } from "#instance/secrets.ts";
import { pageSchema } from "#protocol/api.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import {
  DEFAULT_POOL,
  newPoolSchema,
  POOL_LIMIT,
  poolChangeSchema,
  poolInputSchema,
  poolNameSchema,
  poolSchema,
  poolTokenSchema,
  type WarmSetting,
} from "#protocol/pool.ts";
import { actorOf } from "../auth/authenticate.ts";
import { makePoolToken, shutOut } from "../auth/pool-tokens.ts";
import type { Deps } from "../deps.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";
import { moment, showPool } from "./show-pool.ts";

const poolPage = pageSchema(poolSchema).meta({ id: "PoolPage" });
const many = { path: "/api/v1/pools", tag: "Pools" } as const;
const one = { ...many, path: "/api/v1/pools/{name}", params: z.object({ name: poolNameSchema }) } as const;
/** So many routines are named where a pool can't be deleted because of them. */
const NAMED = 10;

const WARM_FIELD = "warm.containers";
const TOO_MANY = {
  message: `This instance has ${POOL_LIMIT} pools, as many as it can.`,
  hint: "Delete one that no routine names: GET /api/v1/pools lists them.",
};

export function mountPools(app: App): void {
  mountCollection(app);
  mountOne(app);
  mountToken(app);
}

function mountCollection(app: App): void {
  endpoint(
    app,
    {
      ...many,
      method: "get",
      needs: "pools:read",
      id: "listPools",
      summary: "List pools: who serves, what waits, and why",
      description: "The pool default comes first, then the newest.",
      query: pageQuery(z.string().regex(/^[0-9]{1,16}$/)),
      answer: { status: 200, schema: poolPage },
    },
    async ({ c, query }) => {
      const { deps } = c.var;
      const page = await deps.pools.list(toPageRequest(query));
      const first = query.cursor === undefined ? [showPool(deps, DEFAULT_POOL, null)] : [];
      const data = await Promise.all([...first, ...page.data.map((row) => showPool(deps, row.name, row))]);
      return success({ ...page, data });
    },
  );
  endpoint(
    app,
    {
      ...many,
      method: "post",
      needs: "instance:admin",
      id: "createPool",
      refuses: ["pool_exists", "pool_refused"],
      summary: "Make a pool",
      description: "Its token, with which runners register, is shown this once.",
      body: { schema: poolInputSchema, optional: false },
      answer: { status: 201, schema: newPoolSchema },
    },
    async ({ c, principal, body: { name } }) => {
      if (principal === null) return refuse("authentication_required");
      if (name === DEFAULT_POOL) return refuse("pool_exists", { field: "name" });
      const { deps } = c.var;
      const token = makePoolToken(name);
      const pool = { name, tokenHash: await hashSecret(token), actor: actorOf(principal) };
      const row = await deps.pools.add(pool, Date.now());
      if (row === "taken") return refuse("pool_exists", { field: "name" });
      if (row === "too_many") return refuse("pool_refused", TOO_MANY);
      return success({ pool: await showPool(deps, name, row), token });
    },
  );
}

function mountOne(app: App): void {
  endpoint(
    app,
    {
      ...one,
      method: "get",
      needs: "pools:read",
      id: "readPool",
      summary: "Read a pool: who serves, what waits, and why",
      answer: { status: 200, schema: poolSchema },
    },
    async ({ c, params: { name } }) => {
      const { deps } = c.var;
      if (name === DEFAULT_POOL) return success(await showPool(deps, name, null));
      const row = await deps.pools.find(name);
      return row === null ? refuse("not_found") : success(await showPool(deps, name, row));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "patch",
      needs: "instance:admin",
      id: "changePool",
      refuses: ["pool_refused"],
      summary: "Set how many containers the pool default keeps ready",
      description:
        "They are started before there is a run for them, up to so many hours in a month. They are paid for while they wait.",
      body: { schema: poolChangeSchema, optional: false },
      answer: { status: 200, schema: poolSchema },
    },
    async ({ c, principal, params: { name }, body: { warm } }) => {
      if (principal === null) return refuse("authentication_required");
      const { deps } = c.var;
      if (name !== DEFAULT_POOL && (await deps.pools.find(name)) === null) return refuse("not_found");
      const message = warmFault(name, warm, deps.config.containers);
      if (message !== null) return refuse("invalid_request", { field: WARM_FIELD, message });
      await deps.pool(DEFAULT_POOL).setWarm(warm, actorOf(principal));
      return success(await showPool(deps, DEFAULT_POOL, null));
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "delete",
      needs: "instance:admin",
      id: "deletePool",
      refuses: ["pool_in_use", "pool_refused"],
      summary: "Delete a pool",
      description:
        "Refused while a routine names it, or while it has runs in hand or waiting. Its runners are shut out.",
      answer: { status: 204 },
    },
    async ({ c, params: { name } }) => removePool(c.var.deps, name),
  );
}

function mountToken(app: App): void {
  const at = { ...one, path: `${one.path}/token`, needs: "instance:admin" } as const;
  endpoint(
    app,
    {
      ...at,
      method: "post",
      id: "issuePoolToken",
      refuses: ["pool_refused"],
      summary: "Issue a new token of a pool",
      description:
        "The token is shown this once. The one before is accepted for 24 hours more, so that runners can be given the new one in turn; revoke both to end it at once.",
      answer: { status: 201, schema: poolTokenSchema },
    },
    async ({ c, principal, params: { name } }) => {
      if (principal === null) return refuse("authentication_required");
      if (name === DEFAULT_POOL) return refuse("pool_refused");
      const token = makePoolToken(name);
      const given = { hash: await hashSecret(token), actor: actorOf(principal) };
      const row = await c.var.deps.pools.setToken(name, given, Date.now());
      if (row === null) return refuse("not_found");
      return success({ token, previous_token_until: moment(row.previousUntil) });
    },
  );
  endpoint(
    app,
    {
      ...at,
      method: "delete",
      id: "revokePoolTokens",
      refuses: ["pool_refused"],
      summary: "Revoke a pool's tokens",
      description:
        "The one in force and the one before it, at once: the sockets of runners that came with them are closed (4401), and their runs end as those of a lost runner.",
      answer: { status: 204 },
    },
    async ({ c, params: { name } }) => {
      if (name === DEFAULT_POOL) return refuse("pool_refused");
      const row = await c.var.deps.pools.revoke(name, Date.now());
      if (row === null) return refuse("not_found");
      await shutOut(c.var.deps, row, []);
      return success(null);
    },
  );
}

async function removePool(deps: Deps, name: string): Promise<Result<null>> {
  if (name === DEFAULT_POOL) return refuse("pool_refused");
  if ((await deps.pools.find(name)) === null) return refuse("not_found");
  const { busy, waiting } = await deps.pool(name).look();
  if (busy + waiting > 0) {
    return refuse("pool_in_use", { message: `The pool has ${busy} runs in hand, and ${waiting} wait for a runner.` });
  }
  const row = await deps.pools.remove(name, Date.now());
  if (row !== null) {
    await shutOut(deps, row, []);
    return success(null);
  }
  const ids = await deps.pools.routinesOf(name, NAMED);
  const issues = ids.map((field) => ({ field, message: `runs on pool:${name}` }));
  return ids.length === 0 ? refuse("not_found") : refuse("pool_in_use", { issues });
}

/** @returns what is wrong with it, or null. */
function warmFault(name: string, { containers }: WarmSetting, most: number): string | null {
  if (name !== DEFAULT_POOL) return "Containers work for the pool default alone.";
  if (most === 0) return "This instance has no containers: the variable CONTAINERS says how many.";
  return containers > most ? `This instance has ${most} containers at most: the variable CONTAINERS.` : null;
}
