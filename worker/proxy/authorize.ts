/** Which attempt a proxied request belongs to: its token, and the run in its path, must be of one attempt. */
import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { basicPassword, bearerToken } from "../auth/credentials.ts";
import type { HttpContext } from "../http/http-env.ts";

/** Checks the token alone: only the run's object knows whether the attempt is still on. */
export async function readLease(c: HttpContext): Promise<Result<LeaseRef>> {
  const authorization = c.req.header("authorization");
  // gh names it otherwise.
  const ofGh = /^token ([!-~]+)$/i.exec(authorization ?? "")?.[1];
  const token = bearerToken(authorization) ?? ofGh ?? c.req.header("x-api-key") ?? basicPassword(authorization) ?? "";
  const lease = await verifyAttemptToken(c.var.deps.config.signingKeys, "proxy", token);
  if (lease === null) return refuse("proxy_token_refused", { field: "Authorization" });
  return lease.run_id === c.req.param("run_id") ? success(lease) : refuse("proxy_token_refused", { field: "run_id" });
}
