/**
 * The least that a durable clock can be: D1 lists which objects are due, a sweep reads the list and calls them side by
 * side, and each inserts one row for every trigger of it that has come due. Its paths are those that bench/counting/entry.ts
 * has for ours: `POST /bench/routines`, `POST /bench/tick`, `GET /bench/looks` and `POST /bench/admitted`.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  DB: D1Database;
  BARE: DurableObjectNamespace<Bare>;
}

interface DueRow {
  id: string;
  triggers: number;
}

/** So many objects are called at one time. */
const AT_ONCE = 500;
/** So many are written into the list with one statement. */
const LISTED_AT_ONCE = 1_000;
const STEP_MS = 3_600_000;

/** When each object has answered, since the round began. */
let looks: number[] = [];
let listed: Promise<unknown> | null = null;

export class Bare extends DurableObject<Env> {
  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS fires (id INTEGER PRIMARY KEY, trigger INTEGER, at INTEGER)");
  }

  fire(triggers: number, at: number): void {
    const insert = "INSERT INTO fires (trigger, at) VALUES (?, ?)";
    for (let trigger = 0; trigger < triggers; trigger += 1) this.ctx.storage.sql.exec(insert, trigger, at);
  }

  count(): number {
    return this.ctx.storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM fires").one().count;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    listed ??= env.DB.exec(
      "CREATE TABLE IF NOT EXISTS due (id TEXT PRIMARY KEY, at INTEGER, triggers INTEGER); CREATE INDEX IF NOT EXISTS due_by_time ON due (at)",
    );
    await listed;
    const { pathname } = new URL(request.url);
    if (pathname === "/bench/looks") return Response.json(looks);
    const order = await request.json<{ ids: string[]; triggers: number; atMs: number }>();
    if (pathname === "/bench/routines") return Response.json(await makeDue(env, order.ids, order.triggers));
    if (pathname === "/bench/admitted") {
      return Response.json(await inTurn(order.ids, (id) => env.BARE.getByName(id).count()));
    }
    await tick(env, order.atMs);
    return Response.json({});
  },
  async scheduled(): Promise<void> {
    // The minute is told by `POST /bench/tick`.
  },
};

async function makeDue(env: Env, ids: string[], triggers: number): Promise<Record<string, never>> {
  for (let first = 0; first < ids.length; first += LISTED_AT_ONCE) {
    const some = JSON.stringify(ids.slice(first, first + LISTED_AT_ONCE));
    const insert = env.DB.prepare("INSERT INTO due (id, at, triggers) SELECT value, 0, ?1 FROM json_each(?2)");
    await insert.bind(triggers, some).run();
  }
  // Ours are there before their minute, too.
  await inTurn(ids, (id) => env.BARE.getByName(id).count());
  return {};
}

async function tick(env: Env, nowMs: number): Promise<void> {
  const startedAt = Date.now();
  looks = [];
  const { results } = await env.DB.prepare("SELECT id, triggers FROM due WHERE at <= ?").bind(nowMs).all<DueRow>();
  await inTurn(results, async ({ id, triggers }) => {
    await env.BARE.getByName(id).fire(triggers, nowMs);
    looks.push(Date.now() - startedAt);
  });
  await env.DB.prepare("UPDATE due SET at = ?1 WHERE at <= ?2")
    .bind(nowMs + STEP_MS, nowMs)
    .run();
}

async function inTurn<Item, Value>(items: readonly Item[], call: (item: Item) => Promise<Value>): Promise<Value[]> {
  const values: Value[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) values[index] = await call(item);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return values;
}
