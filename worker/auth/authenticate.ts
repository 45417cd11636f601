/** Who is calling: the owner by token, or a browser that the owner signed in. */

import type { Access } from "#durable-objects/routine/viewers/access.ts";
import { authorityOfToken, hashSecret } from "#instance/secrets.ts";
import { ACTOR_NAMES, type Actor, type ActorKind } from "#protocol/actor.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { HttpContext } from "../http/http-env.ts";
import { bearerToken } from "./credentials.ts";
import { isOwnOrigin } from "./origin.ts";
import { readWebCookie } from "./web-cookie.ts";

/** Who is calling. */
export interface Principal {
  /** How the caller has shown who they are: by the owner's token, or in a browser that is signed in. */
  kind: ActorKind;
  /** The sign-in's id; null for the owner's token. */
  id: string | null;
  /** What the caller's sockets depend on: they are closed when it ends. */
  access: Access;
}

/** The caller as records name who did something. */
export function actorOf({ kind, id }: Principal): Actor {
  return { kind, id, name: ACTOR_NAMES[kind] };
}

/**
 * A token in the `Authorization` header decides alone; else the cookie does, and then writes and upgrades need the
 * instance's own `Origin`.
 */
export async function authenticate(c: HttpContext): Promise<Result<Principal>> {
  const { config, signIns } = c.var.deps;
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) {
    const token = bearerToken(authorization);
    const authority = token === null ? null : await authorityOfToken(config, token);
    return authority !== null
      ? success({ kind: "owner", id: null, access: { session: null, untilMs: null, signIn: null, authority } })
      : refuse("authentication_required", authorizationFault);
  }
  const secret = readWebCookie(c);
  if (secret === undefined) return refuse("authentication_required", authorizationFault);
  const session = await hashSecret(secret);
  const nowMs = Date.now();
  const found = await signIns.find(session, nowMs);
  if (found === null) {
    return refuse("authentication_required", { message: "The sign-in has ended.", field: "Cookie" });
  }
  const isRead = (c.req.method === "GET" || c.req.method === "HEAD") && c.req.header("upgrade") === undefined;
  if (!isRead && !isOwnOrigin(c.req.header("origin"), c.req.url, config.publicUrl)) {
    return refuse("origin_refused", { field: "Origin" });
  }
  if (nowMs - found.lastUsedAt > USE_NOTED_MS) c.executionCtx.waitUntil(signIns.noteUse(session, nowMs));
  return success({
    kind: "web",
    id: found.id,
    access: { session, untilMs: found.expiresAt, signIn: found.id, authority: found.authority },
  });
}

/** The last use of a sign-in is written down once in this time at most. */
const USE_NOTED_MS = 300_000;
const authorizationFault = { field: "Authorization" };
