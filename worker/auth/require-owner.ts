/** Who is calling: the owner by token, or a browser that the owner signed in. */

import { hashSecret } from "#durable-objects/secrets.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { HttpContext } from "../http-env.ts";
import { bearerToken } from "./credentials.ts";
import { isOwnOrigin } from "./origin.ts";
import { secretsMatch } from "./secrets.ts";
import { readWebCookie } from "./web-cookie.ts";

/** Who may do what the owner may. `actor` is written into revisions. */
export interface Principal {
  actor: "owner";
  /** The hash of the web session that a cookie showed; null for a token. */
  webSession: string | null;
}

/**
 * A token in the `Authorization` header decides alone; else the cookie does, and then writes and upgrades need the
 * instance's own `Origin`.
 */
export async function requireOwner(c: HttpContext): Promise<Result<Principal>> {
  const { config, signIns } = c.var.deps;
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) {
    const token = bearerToken(authorization);
    const isOwner = token !== null && (await secretsMatch(token, config.ownerToken));
    return isOwner
      ? success({ actor: "owner", webSession: null })
      : refuse("authentication_required", authorizationFault);
  }
  const secret = readWebCookie(c);
  if (secret === undefined) return refuse("authentication_required", authorizationFault);
  const webSession = await hashSecret(secret);
  if (!(await signIns.hasWebSession(webSession, Date.now()))) {
    return refuse("authentication_required", { message: "The sign-in has ended.", field: "Cookie" });
  }
  const isRead = (c.req.method === "GET" || c.req.method === "HEAD") && c.req.header("upgrade") === undefined;
  if (!isRead && !isOwnOrigin(c.req.header("origin"), c.req.url, config.publicUrl)) {
    return refuse("origin_refused", { field: "Origin" });
  }
  return success({ actor: "owner", webSession });
}

const authorizationFault = { field: "Authorization" };
