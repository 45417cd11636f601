/**
 * Our worker with a count of the rows that it writes: every statement of its objects and of D1 goes through here, and
 * nothing of ours knows. `GET /bench/rows` tells the counts. Rows of indexes count as rows, and so does an alarm that is
 * set: that is what Cloudflare charges for. `GET /bench/rows-read` tells what statements of D1 have read, and
 * `POST /bench/due-rows` adds a million routines that are not due for a year, and `POST /bench/runs?run=…&owner=…&count=…`
 * so many copies of a run, in its routine's object and in D1.
 *
 * It also drives the clock: `POST /bench/routines` makes many routines by their objects' own `create`, `POST /bench/tick`
 * moves this isolate's clock to a moment and makes the sweep of that moment, `GET /bench/looks` tells when the answer of each
 * object that had looked at its schedules was there, `GET /bench/owed` how many calls routines' objects owe, and
 * `POST /bench/admitted` how many runs each has.
 */
import type { OwnedId } from "#protocol/ids.ts";
import type { RoutineInput } from "#protocol/routine.ts";
import type { ClockMessage, Env } from "#worker/bindings.ts";
import worker, { PoolObject as Pool, RosterObject as Roster, RoutineObject as Routine } from "#worker/index.ts";

/** Objects that store nothing are as they are: without its class an object can't be called. */
export * from "#worker/index.ts";

/** By what they belong to, for instance `routine.runs`, `pool.leases`, `d1.runs` or `routine (alarm)`. */
const counts = new Map<string, number>();
/** In D1, by table. */
const reads = new Map<string, number>();
/** Statements that give rows back have written all of theirs only when those have been read. */
let unread: { name: string; cursor: SqlStorageCursor<Record<string, SqlStorageValue>> }[] = [];
let isD1Counted = false;
/** Calls that routines' objects have written into their outboxes, less those that have gone through. */
let owed = 0;
const YEAR_MS = 365 * 24 * 3_600_000;
/** So many objects are called at one time. */
const AT_ONCE = 32;

const platformNow = Date.now;
/** Once the clock is driven, the platform's own minutes do nothing. */
let isDriven = false;
let tickedAt = 0;
/** In milliseconds after the last tick, by object. */
let looks = new Map<string, number>();

export class RoutineObject extends Routine {
  constructor(context: DurableObjectState, env: Env) {
    countObject(context, "routine");
    countD1(env.DB);
    super(context, env);
  }

  countRuns(): number {
    return this.ctx.storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM runs").one().count;
  }

  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/bench/runs") return super.fetch(request);
    this.ctx.storage.sql.exec(copyRuns(OBJECT_COLUMNS), ...copied(searchParams));
    return Response.json({});
  }
}

export class PoolObject extends Pool {
  constructor(context: DurableObjectState, env: Env) {
    countObject(context, "pool");
    super(context, env);
  }
}

export class RosterObject extends Roster {
  constructor(context: DurableObjectState, env: Env) {
    countObject(context, "roster");
    super(context, env);
  }
}

export default {
  fetch(request: Request, env: Env, context: ExecutionContext): Response | Promise<Response> {
    countD1(env.DB);
    switch (new URL(request.url).pathname) {
      case "/bench/rows":
        for (const { name, cursor } of unread) count(counts, name, cursor.rowsWritten);
        unread = [];
        return Response.json(Object.fromEntries(counts));
      case "/bench/rows-read":
        return Response.json(Object.fromEntries(reads));
      case "/bench/due-rows":
        return addDueRows(env.DB);
      case "/bench/looks":
        return Response.json([...looks.values()]);
      case "/bench/owed":
        return Response.json(owed);
      case "/bench/routines":
      case "/bench/tick":
      case "/bench/admitted":
        return drive(request, env);
      case "/bench/runs":
        return addRuns(request, env);
      default:
        return worker.fetch(request, env, context);
    }
  },
  async scheduled(controller: ScheduledController, env: Env): Promise<void> {
    countD1(env.DB);
    if (!isDriven) await worker.scheduled(controller, env);
  },
  queue(batch: MessageBatch<ClockMessage>, env: Env): Promise<void> {
    countD1(env.DB);
    return worker.queue(batch, timed(env));
  },
};

async function drive(request: Request, env: Env): Promise<Response> {
  const { pathname } = new URL(request.url);
  const { ids, input, atMs } = await request.json<{ ids: OwnedId[]; input: RoutineInput; atMs: number }>();
  isDriven = true;
  const owners = env.ROUTINE as DurableObjectNamespace<Routine> as unknown as DurableObjectNamespace<RoutineObject>;
  const ownerOf = (id: string) => owners.getByName(ownerKeyOf(id));
  if (pathname === "/bench/routines") {
    const actor = { kind: "owner", id: null, name: "owner" } as const;
    const made = await sideBySide(ids, async (id) => {
      const created = await env.ROUTINE.getByName(ownerKeyOf(id)).create(id, input, actor);
      return created.ok;
    });
    return Response.json({ made: made.filter((isMade) => isMade).length });
  }
  if (pathname === "/bench/admitted") {
    return Response.json(await sideBySide(ids, async (id) => await ownerOf(id).countRuns()));
  }
  tickedAt = platformNow();
  looks = new Map();
  const aheadMs = atMs - tickedAt;
  Date.now = () => platformNow() + aheadMs;
  await worker.scheduled({ scheduledTime: atMs, cron: "* * * * *", noRetry: () => undefined }, timed(env));
  return Response.json({});
}

const timedEnvs = new WeakMap<Env, Env>();

/** The same environment, in which it is noted when a look at schedules was answered: only then is it stored what it has made. */
function timed(env: Env): Env {
  const known = timedEnvs.get(env);
  if (known !== undefined) return known;
  const ROUTINE = replacing(env.ROUTINE, "get", (id: DurableObjectId) => {
    const stub = env.ROUTINE.get(id);
    const name = id.toString();
    return replacing(stub, "lookAtSchedules", async (...order: Parameters<typeof stub.lookAtSchedules>) => {
      const answer = await stub.lookAtSchedules(...order);
      if (!looks.has(name)) looks.set(name, platformNow() - tickedAt);
      return answer;
    });
  });
  const made = { ...env, ROUTINE };
  timedEnvs.set(env, made);
  return made;
}

/** What the platform gives as it is, but for one method. */
function replacing<Thing extends object>(thing: Thing, method: keyof Thing, made: unknown): Thing {
  return new Proxy(thing, {
    get: (_thing, name) => {
      if (name === method) return made;
      const value: unknown = Reflect.get(thing, name);
      return typeof value === "function" ? value.bind(thing) : value;
    },
  });
}

/** As in protocol/ids.ts, of which this file, being served as it is, can import nothing. */
function ownerKeyOf(id: string): string {
  return id.slice(-17, -5);
}

async function sideBySide<Item, Value>(items: readonly Item[], call: (item: Item) => Promise<Value>): Promise<Value[]> {
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

const OBJECT_COLUMNS =
  "session_id, status, text, checkout, phase, not_before, overdue, boot, features, ending, before, version";
const D1_COLUMNS = "routine_id, status, trigger_type, version";

async function addRuns(request: Request, env: Env): Promise<Response> {
  const { searchParams } = new URL(request.url);
  await env.DB.prepare(copyRuns(D1_COLUMNS))
    .bind(...copied(searchParams))
    .run();
  return env.ROUTINE.getByName(searchParams.get("owner") ?? "").fetch(request);
}

/** The copies' ids differ from the run's in their last digits. */
function copyRuns(columns: string): string {
  return `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
    copies AS (SELECT substr(id, 1, length(id) - 6) || printf('%06d', i) AS copy, id AS original, doc, ${columns}
      FROM runs, n WHERE id = ?1)
    INSERT OR IGNORE INTO runs (id, doc, ${columns}) SELECT copy, replace(doc, original, copy), ${columns} FROM copies`;
}

function copied(asked: URLSearchParams): [run: string, count: number] {
  return [asked.get("run") ?? "", Number(asked.get("count"))];
}

async function addDueRows(database: D1Database): Promise<Response> {
  await database
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
      INSERT INTO due_routines (routine_id, due_at, version) SELECT 'nobody-' || i, ? + i, 1 FROM n`,
    )
    .bind(Date.now() + YEAR_MS)
    .run();
  return Response.json({});
}

function countObject(context: DurableObjectState, owner: string): void {
  const { storage } = context;
  const { sql } = storage;
  const exec = sql.exec.bind(sql);
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(sql, "exec", {
    value: (query: string, ...values: SqlStorageValue[]) => {
      const cursor = exec(query, ...values);
      // While the clock is driven time is measured, of which counting would take its share.
      if (isDriven) {
        if (owner === "routine") owed += owedBy(query, cursor, exec);
        return cursor;
      }
      const name = `${owner}.${tableOf(query)}`;
      if (/\breturning\b/i.test(query)) unread.push({ name, cursor });
      else count(counts, name, cursor.rowsWritten);
      return cursor;
    },
  });
  Object.defineProperty(storage, "setAlarm", {
    value: (...order: Parameters<DurableObjectStorage["setAlarm"]>) => {
      if (!isDriven) count(counts, `${owner} (alarm)`, 1);
      return setAlarm(...order);
    },
  });
}

function owedBy(query: string, { rowsWritten }: { rowsWritten: number }, exec: SqlStorage["exec"]): number {
  if (query.startsWith("INSERT INTO outbox")) return rowsWritten > 0 ? 1 : 0;
  if (!query.startsWith("DELETE FROM outbox")) return 0;
  return -exec<{ count: number }>("SELECT changes() AS count").one().count;
}

/** Of D1 every way to run a statement tells how many rows it has written, but for those that give plain rows. */
function countD1(database: D1Database): void {
  if (isD1Counted) return;
  isD1Counted = true;
  const statement = Object.getPrototypeOf(database.prepare("SELECT 1"));
  for (const name of ["run", "all"] as const) {
    const original: D1PreparedStatement["run"] = statement[name];
    statement[name] = async function (this: D1PreparedStatement) {
      const result = await original.call(this);
      countResult(this, result);
      return result;
    };
  }
  const batch = database.batch.bind(database);
  Object.defineProperty(database, "batch", {
    value: async (statements: D1PreparedStatement[]) => {
      const results = await batch(statements);
      for (const [index, one] of statements.entries()) countResult(one, results[index]);
      return results;
    },
  });
}

function countResult(statement: D1PreparedStatement, result: D1Result | undefined): void {
  const query = "statement" in statement ? String(statement.statement) : "";
  count(counts, `d1.${tableOf(query)}`, result?.meta.rows_written ?? 0);
  count(reads, /\b(?:from|into|update)\s+["`]?(\w+)/i.exec(query)?.[1] ?? "(other)", result?.meta.rows_read ?? 0);
}

function count(kept: Map<string, number>, name: string, rows: number): void {
  if (rows > 0) kept.set(name, (kept.get(name) ?? 0) + rows);
}

function tableOf(query: string): string {
  return /^\s*(?:insert(?:\s+or\s+\w+)?\s+into|update|delete\s+from)\s+["`]?(\w+)/i.exec(query)?.[1] ?? "(other)";
}
