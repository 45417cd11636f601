/** WebSocket upgrades that the worker passes on to a routine's object: `/live` of viewers, `/link` of runners. */
import { CLOSE_CODES } from "#protocol/viewer.ts";
import type { RoutineLife } from "./routine-life.ts";
import { refuseUpgrade } from "./sockets.ts";

/** @param life also of a deleted routine whose runs have not stopped. @param open gives that of a routine that is not deleted. */
export function acceptUpgrade(
  url: URL,
  life: RoutineLife | null,
  open: () => RoutineLife | null,
): Response | Promise<Response> {
  return url.pathname === "/link" ? acceptLink(life, url) : acceptViewer(open, url);
}

/** The worker has checked the link token. */
function acceptLink(life: RoutineLife | null, url: URL): Response {
  const lease = { run_id: url.searchParams.get("run") ?? "", generation: Number(url.searchParams.get("generation")) };
  const origin = url.searchParams.get("origin") ?? url.origin;
  return life?.links.accept(lease, origin) ?? refuseUpgrade(CLOSE_CODES.notAllowed, "no such attempt");
}

/** Without a ticket the worker has checked who asks. */
async function acceptViewer(open: () => RoutineLife | null, url: URL): Promise<Response> {
  const sessionId = url.searchParams.get("session") ?? "";
  const ticket = url.searchParams.get("ticket");
  const used = ticket === null ? null : await open()?.parts.door.useTicket(ticket, sessionId, Date.now());
  if (ticket !== null && (used === null || used === undefined)) {
    return refuseUpgrade(CLOSE_CODES.notAllowed, "the ticket is not valid");
  }
  // After the wait: the routine may have been deleted meanwhile.
  const life = open();
  if (life === null || life.parts.log.end(sessionId) === null) {
    return refuseUpgrade(CLOSE_CODES.noSuchSession, "no such session");
  }
  const access = used?.access ?? url.searchParams.get("access");
  return life.acceptViewer(sessionId, Number(url.searchParams.get("after") ?? 0), access);
}
