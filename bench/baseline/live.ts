/**
 * The least that a live transcript can be: each event comes as one message, is inserted, and goes to every viewer. Live
 * text goes to them as it comes.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  BARE: DurableObjectNamespace<Bare>;
}

/** How many rows of a backlog travel in one message. */
const ENVELOPE_EVENTS = 128;

export class Bare extends DurableObject<Env> {
  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS events (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  }

  /** `/push?session=…` of who writes; `/live?session=…` of viewers, with `&after=…` for the rows so far. */
  override fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const session = searchParams.get("session") ?? "";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, pathname === "/live" ? [session] : []);
    server.serializeAttachment(session);
    const after = searchParams.get("after");
    if (after !== null) this.#replay(server, Number(after));
    return new Response(null, { status: 101, webSocket: client });
  }

  override webSocketMessage(socket: WebSocket, message: string): void {
    const isText = message.startsWith('{"type":"agent.delta"');
    if (!isText) this.ctx.storage.sql.exec("INSERT INTO events (body) VALUES (?)", message);
    for (const viewer of this.ctx.getWebSockets(socket.deserializeAttachment())) viewer.send(message);
  }

  #replay(viewer: WebSocket, after: number): void {
    let bodies: string[] = [];
    const send = () => {
      viewer.send(`{"type":"events","events":[${bodies.join(",")}]}`);
      bodies = [];
    };
    const select = "SELECT body FROM events WHERE seq > ? ORDER BY seq";
    for (const { body } of this.ctx.storage.sql.exec<{ body: string }>(select, after)) {
      if (bodies.push(body) === ENVELOPE_EVENTS) send();
    }
    if (bodies.length > 0) send();
    viewer.send('{"type":"caught_up"}');
  }
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    return env.BARE.getByName("bare").fetch(request);
  },
};
