/** Hands a viewer's WebSocket upgrade to the object that owns the session. */
import type { Access } from "#durable-objects/routine/viewers/access.ts";
import { refuseUpgrade } from "#instance/sockets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { schemaRefusal } from "#rules/routine/schema-faults.ts";
import { authenticate } from "../auth/authenticate.ts";
import { noteSocket } from "../auth/note-socket.ts";
import { isOwnOrigin } from "../auth/origin.ts";
import type { RoutineStub } from "../bindings.ts";
import { type App, type HttpContext, isWebSocketUpgrade } from "../http/http-env.ts";
import { describeLive } from "../http/openapi/live-operation.ts";
import { renderRefusal } from "../http/render-error.ts";
import { liveQuery, sessionParams } from "../routes/inputs.ts";

export function mountLive(app: App): void {
  describeLive(app);
  app.get("/api/v1/sessions/:id/live", async (c) => {
    const viewer = await readViewer(c);
    if (!viewer.ok) return renderRefusal(c, viewer.refusal);
    const { sessionId, access } = viewer.value;
    const noted = access === null ? success(null) : await noteSocket(c, access, sessionId);
    // That there is no such session is said with a close code, by the object itself where there is one.
    if (!noted.ok && noted.refusal.code !== "not_found") return renderRefusal(c, noted.refusal);
    if (!(await c.var.deps.knownRoutines.has(sessionId))) return refuseNobodys(viewer.value);
    return openLive(c.var.deps.ownerOf(sessionId), viewer.value);
  });
}

export function openLive(owner: RoutineStub, { sessionId, after, ticket, access }: Viewer) {
  const url = new URL("https://object/live");
  url.searchParams.set("session", sessionId);
  url.searchParams.set("after", String(after));
  if (ticket !== null) url.searchParams.set("ticket", ticket);
  if (access !== null) url.searchParams.set("access", JSON.stringify(access));
  return owner.fetch(url.href, { headers: { upgrade: "websocket" } });
}

/** The same as an object says that does not own the session. */
function refuseNobodys({ ticket }: Viewer): Response {
  return ticket === null
    ? refuseUpgrade(CLOSE_CODES.noSuchSession, "no such session")
    : refuseUpgrade(CLOSE_CODES.notAllowed, "the ticket is not valid");
}

interface Viewer {
  sessionId: string;
  after: number;
  /** Of a viewer that has shown nothing else: the object checks it, and closes with 4401 if it is no good. */
  ticket: string | null;
  /** By what it is let in; null for one with a ticket. */
  access: Access | null;
}

async function readViewer(c: HttpContext): Promise<Result<Viewer>> {
  const givenTicket = c.req.query("ticket");
  const usesTicket = givenTicket !== undefined && c.req.header("authorization") === undefined;
  const allowed = usesTicket ? success(null) : await authenticate(c);
  if (!allowed.ok) return allowed;
  const params = sessionParams.safeParse(c.req.param());
  if (!params.success) return refuse("not_found", { field: "id" });
  const query = liveQuery.safeParse(c.req.query());
  if (!query.success) return { ok: false, refusal: schemaRefusal(liveQuery, c.req.query(), query.error) };
  if (!isWebSocketUpgrade(c)) return refuse("upgrade_required", { field: "Upgrade" });
  const origin = c.req.header("origin");
  if (origin !== undefined && !isOwnOrigin(origin, c.req.url, c.var.deps.config.publicUrl)) {
    return refuse("origin_refused", { field: "Origin" });
  }
  return success({
    sessionId: params.data.id,
    after: query.data.after,
    ticket: usesTicket ? givenTicket : null,
    access: allowed.value?.access ?? null,
  });
}
