/** WebSocket upgrades that the worker passes on to a routine's object: `/live` of viewers, `/link` of runners. */

import { refuseUpgrade } from "#instance/sockets.ts";
import type { Result } from "#protocol/errors.ts";
import { CLOSE_CODES } from "#protocol/viewer.ts";
import { parseJson } from "#rules/json.ts";
import type { Open, RoutineOpening } from "../opening.ts";
import type { RoutineLife } from "../routine-life.ts";
import { accessSchema } from "./access.ts";

/** A link is accepted also in a deleted routine, until its runs have stopped. */
export function acceptUpgrade(url: URL, opening: RoutineOpening): Response | Promise<Response> {
  if (opening.fault !== null) return refuseUpgrade(CLOSE_CODES.restarting, "the object can't be opened");
  if (url.pathname === "/link") return acceptLink(opening.life, url);
  return acceptViewer((id) => opening.routine(id), url);
}

/** The worker has checked the link token. */
function acceptLink(life: RoutineLife | null, url: URL): Response {
  const lease = { run_id: url.searchParams.get("run") ?? "", generation: Number(url.searchParams.get("generation")) };
  const origin = url.searchParams.get("origin") ?? url.origin;
  if (life === null) return refuseUpgrade(CLOSE_CODES.notAllowed, "no such attempt");
  const response = life.links.accept(lease, origin);
  life.alarm.arm();
  return response;
}

/** Without a ticket the worker has checked who asks. */
async function acceptViewer(open: (id: string) => Result<Open>, url: URL): Promise<Response> {
  const sessionId = url.searchParams.get("session") ?? "";
  const ticket = url.searchParams.get("ticket");
  const before = open(sessionId);
  const used = ticket === null || !before.ok ? null : await before.value.parts.door.useTicket(ticket, sessionId);
  if (ticket !== null && used === null) {
    return refuseUpgrade(CLOSE_CODES.notAllowed, "the ticket is not valid");
  }
  // After the wait: the routine may have been deleted meanwhile.
  const after = open(sessionId);
  if (!after.ok) {
    return refuseUpgrade(CLOSE_CODES.noSuchSession, "no such session");
  }
  const shown = ticket === null ? accessSchema.safeParse(parseJson(url.searchParams.get("access") ?? "")).data : used;
  if (!shown || !after.value.parts.accesses.holds(shown, Date.now())) {
    return refuseUpgrade(CLOSE_CODES.notAllowed, "the access has ended");
  }
  return after.value.life.acceptViewer(sessionId, Number(url.searchParams.get("after") ?? 0), shown);
}
