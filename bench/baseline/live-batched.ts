/**
 * The least that a live transcript can be which gathers as ours does: events come many to a message, those of 40 ms share a
 * row and a message to each viewer, and are acknowledged when the row is there. Nothing is parsed or checked: it trusts
 * who writes, viewers may fall behind as far as they like, and there is no other thing that it does.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  BARE: DurableObjectNamespace<Bare>;
}

/** Ours waits as long for more, and no longer than until so many are there. */
const FLUSH_DELAY_MS = 40;
const FLUSH_EVENTS = 128;

interface Session {
  lastSeq: number;
  /** Events that are not written yet, as JSON. */
  lines: string[];
}

type Row = { first_seq: number; body: string };

export class Bare extends DurableObject<Env> {
  readonly #sessions = new Map<string, Session>();
  #waiting = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS events (session TEXT NOT NULL, last_seq INTEGER NOT NULL, first_seq INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (session, last_seq)) WITHOUT ROWID`,
    );
  }

  /** `/push?session=…` of who writes; `/live?session=…` of viewers, with `&after=…` for the events so far. */
  override fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    const session = searchParams.get("session") ?? "";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [pathname === "/live" ? `viewer:${session}` : `writer:${session}`]);
    server.serializeAttachment(session);
    const after = searchParams.get("after");
    if (after !== null) this.#replay(server, session, Number(after));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @param message one event on each line, as JSON. */
  override webSocketMessage(socket: WebSocket, message: string): void {
    const lines = message.split("\n");
    this.#session(socket.deserializeAttachment()).lines.push(...lines);
    this.#waiting += lines.length;
    if (this.#waiting >= FLUSH_EVENTS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_DELAY_MS);
  }

  /** What the platform writes without a wait in between is one transaction, and what is sent goes out when it is written. */
  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting = 0;
    const at = new Date().toISOString();
    for (const [id, session] of this.#sessions) {
      if (session.lines.length === 0) continue;
      const firstSeq = session.lastSeq + 1;
      const run = `run_${id.slice(-26)}`;
      const events = session.lines.map((line) => {
        session.lastSeq += 1;
        return `{"seq":${session.lastSeq},"at":"${at}","session_id":"${id}","run_id":"${run}",${line.slice(1)}`;
      });
      session.lines = [];
      const body = events.join(",");
      this.ctx.storage.sql.exec("INSERT INTO events VALUES (?, ?, ?, ?)", id, session.lastSeq, firstSeq, body);
      const told = messageOf(body);
      for (const viewer of this.ctx.getWebSockets(`viewer:${id}`)) viewer.send(told);
      for (const writer of this.ctx.getWebSockets(`writer:${id}`)) writer.send(String(session.lastSeq));
    }
  }

  #session(id: string): Session {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const select = "SELECT max(last_seq) AS last_seq FROM events WHERE session = ?";
    const { last_seq } = this.ctx.storage.sql.exec<{ last_seq: number | null }>(select, id).one();
    const session = { lastSeq: last_seq ?? 0, lines: [] };
    this.#sessions.set(id, session);
    return session;
  }

  #replay(viewer: WebSocket, session: string, after: number): void {
    const select = "SELECT first_seq, body FROM events WHERE session = ? AND last_seq > ? ORDER BY last_seq";
    for (const { first_seq, body } of this.ctx.storage.sql.exec<Row>(select, session, after)) {
      viewer.send(messageOf(first_seq > after ? body : bodyAfter(body, after)));
    }
    viewer.send('{"type":"caught_up"}');
  }
}

function messageOf(body: string): string {
  return `{"type":"events","events":[${body}]}`;
}

/** The events of a row that come after one of them. */
function bodyAfter(body: string, after: number): string {
  const events: { seq: number }[] = JSON.parse(`[${body}]`);
  return events.flatMap((event) => (event.seq > after ? [JSON.stringify(event)] : [])).join(",");
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    return env.BARE.getByName("bare").fetch(request);
  },
};
