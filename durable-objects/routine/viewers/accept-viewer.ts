/** The upgrade of a viewer, `/live`, which the worker passes on. */
import { refuseUpgrade } from "#instance/sockets.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { parseJson } from "#rules/json.ts";
import { beyondEnd } from "#rules/transcript-cursor.ts";
import type { TranscriptLog } from "../transcript/transcript-log.ts";
import { type Accesses, accessSchema } from "./access.ts";
import type { Tickets } from "./tickets.ts";
import type { Viewers } from "./viewers.ts";

/** What lets a viewer in. */
interface Entrance {
  tickets: Tickets;
  accesses: Accesses;
  viewers: Viewers;
  log: TranscriptLog;
}

/** Without a ticket the worker has checked who asks. @param find null where there is no such session, or its routine is deleted. */
export async function acceptViewer(url: URL, find: (sessionId: string) => Entrance | null): Promise<Response> {
  const sessionId = url.searchParams.get("session") ?? "";
  const ticket = url.searchParams.get("ticket");
  const used = ticket === null ? null : ((await find(sessionId)?.tickets.use(ticket, sessionId)) ?? null);
  if (ticket !== null && used === null) {
    return refuseUpgrade(CLOSE_CODES.notAllowed, "the ticket is not valid");
  }
  // After the wait: the routine may have been deleted meanwhile.
  const entrance = find(sessionId);
  if (entrance === null) {
    return refuseUpgrade(CLOSE_CODES.noSuchSession, "no such session");
  }
  const access = ticket === null ? accessSchema.safeParse(parseJson(url.searchParams.get("access") ?? "")).data : used;
  if (!access || !entrance.accesses.holds(access, Date.now())) {
    return refuseUpgrade(CLOSE_CODES.notAllowed, "the access has ended");
  }
  const after = Number(url.searchParams.get("after") ?? 0);
  const lastSeq = entrance.log.end(sessionId)?.lastSeq ?? 0;
  if (after > lastSeq) return refuseUpgrade(CLOSE_CODES.badMessage, beyondEnd("after", after, lastSeq).message ?? "");
  const { 0: client, 1: server } = new WebSocketPair();
  entrance.viewers.accept(server, { sessionId, after, access }, Date.now());
  return new Response(null, { status: 101, webSocket: client });
}
