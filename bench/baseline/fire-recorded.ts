/**
 * A bare fire that writes what a fire of ours writes: an occurrence, a session, a run, a call that is owed, and the beginning of a
 * transcript, in one transaction, with keys, indexes and lengths as ours have them. It checks and decides nothing, and nothing follows.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  BARE: DurableObjectNamespace<Bare>;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS occurrences (id TEXT PRIMARY KEY, doc TEXT, call_id TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created_at INTEGER) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, session_id TEXT, status TEXT, doc TEXT, text TEXT);
  CREATE INDEX IF NOT EXISTS runs_one ON runs (status, id);
  CREATE INDEX IF NOT EXISTS runs_two ON runs (session_id, status, id);
  CREATE TABLE IF NOT EXISTS outbox (kind TEXT, ref TEXT, due_at INTEGER, PRIMARY KEY (kind, ref)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS transcript (session_id TEXT, last_seq INTEGER, body TEXT, PRIMARY KEY (session_id, last_seq)) WITHOUT ROWID;`;

const OCCURRENCE = "x".repeat(500);
const RUN = "x".repeat(900);

export class Bare extends DurableObject<Env> {
  #count = 0;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec(TABLES);
  }

  fire(text: string): string {
    const { sql } = this.ctx.storage;
    const at = Date.now();
    this.#count += 1;
    const id = `${at}-${String(this.#count).padStart(12, "0")}`;
    const [occurrence, session, run] = [`occ_${id}`, `session_${id}`, `run_${id}`];
    this.ctx.storage.transactionSync(() => {
      sql.exec("INSERT INTO occurrences VALUES (?, ?, ?)", occurrence, OCCURRENCE, id);
      sql.exec("INSERT INTO sessions VALUES (?, ?, ?)", session, "bench", at);
      sql.exec("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", run, session, "queued", RUN, text);
      sql.exec("INSERT INTO outbox VALUES (?, ?, ?)", "project_run", run, at);
      sql.exec("INSERT INTO transcript VALUES (?, ?, ?)", session, 3, `${OCCURRENCE}${text}`);
    });
    return run;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { text } = await request.json<{ text: string }>();
    const id = await env.BARE.getByName(new URL(request.url).pathname).fire(text);
    return Response.json({ id });
  },
};
