/** The least that a stored webhook can be: a worker inserts one row into D1. */
import { DurableObject } from "cloudflare:workers";

interface Env {
  DB: D1Database;
}

/** The host binds it; nobody calls it. */
export class Bare extends DurableObject<Env> {}

let made: Promise<unknown> | null = null;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    made ??= env.DB.exec("CREATE TABLE IF NOT EXISTS bare (id TEXT PRIMARY KEY, at INTEGER, body TEXT)");
    await made;
    const id = crypto.randomUUID();
    const insert = env.DB.prepare("INSERT INTO bare (id, at, body) VALUES (?, ?, ?)");
    await insert.bind(id, Date.now(), await request.text()).run();
    return Response.json({ id }, { status: 202 });
  },
};
