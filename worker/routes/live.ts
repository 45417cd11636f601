/** Hands a viewer's WebSocket upgrade to the object that owns the session. */
import { type Result, refuse, success } from "#protocol/errors.ts";
import { isOwnOrigin } from "../auth/origin.ts";
import { requireOwner } from "../auth/require-owner.ts";
import { schemaRefusal } from "../body/schema-faults.ts";
import type { App, HttpContext } from "../http-env.ts";
import { describeLive } from "../openapi/live-operation.ts";
import { renderRefusal } from "../render-error.ts";
import type { RoutineStub } from "../routine-stub.ts";
import { isWebSocketUpgrade } from "../upgrade.ts";
import { liveQuery, sessionParams } from "./inputs.ts";

export function mountLive(app: App): void {
  describeLive(app);
  app.get("/api/v1/sessions/:id/live", async (c) => {
    const viewer = await readViewer(c);
    if (!viewer.ok) return renderRefusal(c, viewer.refusal);
    const { sessionId, access } = viewer.value;
    const owner = c.var.deps.ownerOf(sessionId);
    // Nothing is noted of an id that nobody owns: the object says so itself, with a close code.
    if (access !== null && (await owner.readSession()).ok) await c.var.deps.signIns.noteSocket(access, sessionId);
    return openLive(owner, viewer.value);
  });
}

export function openLive(owner: RoutineStub, { sessionId, after, ticket, access }: Viewer) {
  const url = new URL("https://object/live");
  url.searchParams.set("session", sessionId);
  url.searchParams.set("after", String(after));
  if (ticket !== null) url.searchParams.set("ticket", ticket);
  if (access !== null) url.searchParams.set("access", access);
  return owner.fetch(url.href, { headers: { upgrade: "websocket" } });
}

interface Viewer {
  sessionId: string;
  after: number;
  /** Of a viewer that has shown nothing else: the object checks it, and closes with 4401 if it is no good. */
  ticket: string | null;
  /** The web session whose end closes the socket; null when a token or a ticket opens it. */
  access: string | null;
}

async function readViewer(c: HttpContext): Promise<Result<Viewer>> {
  const givenTicket = c.req.query("ticket");
  const usesTicket = givenTicket !== undefined && c.req.header("authorization") === undefined;
  const allowed = usesTicket ? success({ webSession: null }) : await requireOwner(c);
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
    access: allowed.value.webSession,
  });
}
