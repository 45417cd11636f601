/**
 * The least that a durable clock can be: D1 lists which objects are due, a sweep reads the list and calls them side by
 * side, and each inserts one row for every trigger of it that has come due. With `isRecorded` a tick has each write instead what
 * ours writes for a run that starts, with keys, indexes and lengths as ours have them, and set its alarm: it checks and decides
 * nothing, and nothing follows. Its paths are those that bench/counting/entry.ts
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

const RECORDS = `
  CREATE TABLE IF NOT EXISTS occurrences (id TEXT PRIMARY KEY, doc TEXT, call_id TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created_at INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, session_id TEXT, status TEXT, doc TEXT);
  CREATE INDEX IF NOT EXISTS runs_one ON runs (status, id);
  CREATE INDEX IF NOT EXISTS runs_two ON runs (session_id, status, id);
  CREATE TABLE IF NOT EXISTS outbox (kind TEXT, ref TEXT, due_at INTEGER, PRIMARY KEY (kind, ref)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS deadlines (ref TEXT, kind TEXT, due_at INTEGER, PRIMARY KEY (ref, kind)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS deadlines_by_time ON deadlines (due_at);
  CREATE TABLE IF NOT EXISTS schedules (id INTEGER PRIMARY KEY, claimed_until INTEGER);
  CREATE TABLE IF NOT EXISTS transcript (session_id TEXT, last_seq INTEGER, body TEXT, PRIMARY KEY (session_id, last_seq)) WITHOUT ROWID;`;
const OCCURRENCE = "x".repeat(500);
const RUN = "x".repeat(900);
const TRANSCRIPT = "x".repeat(600);

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

  record(triggers: number, at: number): void {
    const { storage } = this.ctx;
    const { sql } = storage;
    storage.transactionSync(() => {
      for (let trigger = 0; trigger < triggers; trigger += 1) {
        const id = `${at}-${String(trigger).padStart(12, "0")}`;
        const [occurrence, session, run] = [`occ_${id}`, `session_${id}`, `run_${id}`];
        sql.exec("INSERT INTO occurrences VALUES (?, ?, NULL)", occurrence, OCCURRENCE);
        sql.exec("INSERT INTO sessions VALUES (?, ?, ?)", session, "bench", at);
        sql.exec("INSERT INTO runs VALUES (?, ?, ?, ?)", run, session, "starting", RUN);
        for (const kind of ["project_run", "read_environment"])
          sql.exec("INSERT INTO outbox VALUES (?, ?, ?)", kind, run, at);
        sql.exec("INSERT INTO deadlines VALUES (?, ?, ?)", run, "provisioning", at);
        sql.exec("INSERT INTO schedules VALUES (?1, ?2) ON CONFLICT DO UPDATE SET claimed_until = ?2", trigger, at);
        sql.exec("INSERT INTO transcript VALUES (?, ?, ?)", session, 3, TRANSCRIPT);
      }
    });
    void storage.setAlarm(at);
  }

  /** The moment is far ahead. */
  override alarm(): void {}

  count(): number {
    this.ctx.storage.sql.exec(RECORDS);
    const counted = "SELECT (SELECT COUNT(*) FROM fires) + (SELECT COUNT(*) FROM occurrences) AS count";
    return this.ctx.storage.sql.exec<{ count: number }>(counted).one().count;
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
    const order = await request.json<{ ids: string[]; triggers: number; atMs: number; isRecorded: boolean }>();
    if (pathname === "/bench/routines") return Response.json(await makeDue(env, order.ids, order.triggers));
    if (pathname === "/bench/admitted") {
      return Response.json(await inTurn(order.ids, (id) => env.BARE.getByName(id).count()));
    }
    await tick(env, order.atMs, order.isRecorded);
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

async function tick(env: Env, nowMs: number, isRecorded: boolean): Promise<void> {
  const startedAt = Date.now();
  looks = [];
  const { results } = await env.DB.prepare("SELECT id, triggers FROM due WHERE at <= ?").bind(nowMs).all<DueRow>();
  await inTurn(results, async ({ id, triggers }) => {
    const object = env.BARE.getByName(id);
    await (isRecorded ? object.record(triggers, nowMs) : object.fire(triggers, nowMs));
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
