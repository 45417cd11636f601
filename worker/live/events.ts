/** A session's transcript over HTTP: a JSON page, or with `Accept: text/event-stream` replay and then live. */
import type { Access } from "#durable-objects/routine/viewers/access.ts";
import { pageSchema } from "#protocol/api.ts";
import { refuse, success } from "#protocol/errors.ts";
import { transcriptEventSchema } from "#protocol/transcript.ts";
import { beyondEnd } from "#rules/transcript-cursor.ts";
import { noteSocket } from "../auth/note-socket.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";
import { afterField, eventsQuery, sessionParams } from "../routes/inputs.ts";
import { openLive } from "./live.ts";
import { sseAnswer } from "./sse-answer.ts";

const eventPage = pageSchema(transcriptEventSchema).meta({ id: "EventPage" });
const LAST_EVENT_ID = "Last-Event-ID";

export function mountEvents(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/api/v1/sessions/{id}/events",
      tag: "Sessions",
      id: "listSessionEvents",
      summary: "Read a session's transcript, oldest first",
      description:
        "next_cursor is the seq to pass as after for the next page, and null at the present end. With Accept: " +
        "text/event-stream the answer is a stream of server-sent events whose id is the seq; it ends when no run is on.",
      needs: "runs:read",
      params: sessionParams,
      query: eventsQuery,
      headers: [{ name: LAST_EVENT_ID, description: "For the event stream: goes on after this seq; wins over after." }],
      answer: { status: 200, schema: eventPage },
      alsoAnswers: ["text/event-stream"],
    },
    async ({ c, params, query, principal }) => {
      const wantsStream = /\btext\/event-stream\b/i.test(c.req.header("accept") ?? "");
      if (wantsStream && c.req.method === "GET")
        return streamEvents(c, params.id, query.after, principal?.access ?? null);
      return c.var.deps.ownerOf(params.id).events(query.after, query.limit);
    },
  );
}

async function streamEvents(
  c: HttpContext,
  sessionId: string,
  queryAfter: number,
  access: Access | null,
): Promise<Response> {
  const lastEventId = c.req.header(LAST_EVENT_ID);
  const after = lastEventId ? afterField.safeParse(lastEventId) : { success: true as const, data: queryAfter };
  if (!after.success) {
    const message = `${LAST_EVENT_ID}: must be the id of an event of this session`;
    return renderRefusal(c, refuse("invalid_request", { field: LAST_EVENT_ID, message }).refusal);
  }
  const session = await c.var.deps.ownerOf(sessionId).readSession();
  if (!session.ok) return renderRefusal(c, session.refusal);
  const { last_seq } = session.value;
  if (after.data > last_seq) {
    return renderRefusal(c, beyondEnd(lastEventId ? LAST_EVENT_ID : "after", after.data, last_seq));
  }
  const noted = access === null ? success(null) : await noteSocket(c, access, sessionId);
  if (!noted.ok) return renderRefusal(c, noted.refusal);
  const { webSocket } = await openLive(c.var.deps.ownerOf(sessionId), {
    sessionId,
    after: after.data,
    ticket: null,
    access,
  });
  if (webSocket === null) throw new Error("the routine's object gave no WebSocket");
  return sseAnswer(webSocket, after.data, c.req.raw.signal);
}
