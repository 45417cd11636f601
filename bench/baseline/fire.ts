/** The least that a durable fire can be: a worker calls an object, which inserts one row. */
import { DurableObject } from "cloudflare:workers";

interface Env {
  BARE: DurableObjectNamespace<Bare>;
}

export class Bare extends DurableObject<Env> {
  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS fires (id INTEGER PRIMARY KEY, at INTEGER, text TEXT)");
  }

  fire(text: string): number {
    const inserted = "INSERT INTO fires (at, text) VALUES (?, ?) RETURNING id";
    return this.ctx.storage.sql.exec<{ id: number }>(inserted, Date.now(), text).one().id;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { text } = await request.json<{ text: string }>();
    const id = await env.BARE.getByName("bare").fire(text);
    return Response.json({ id });
  },
};
