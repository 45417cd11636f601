/**
 * Notes in which object a web session is about to get a socket, or a ticket for one, so that the end of the sign-in closes
 * it there.
 */
import type { Access } from "#durable-objects/routine/viewers/access.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { HttpContext } from "../http/http-env.ts";

/** @returns `not_found` for a session that nobody owns: then nothing is noted. */
export async function noteSocket(c: HttpContext, { session }: Access, sessionId: string): Promise<Result<null>> {
  if (session === null) return success(null);
  const found = await c.var.deps.ownerOf(sessionId).readSession();
  if (!found.ok) return found;
  const isOn = await c.var.deps.signIns.noteSocket(session, found.value.routine_id, Date.now());
  return isOn
    ? success(null)
    : refuse("authentication_required", { message: "The sign-in has ended.", field: "Cookie" });
}
