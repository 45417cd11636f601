/** Where runners dial in: the pool's socket, and one socket per run. */

import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { placeOfSecret } from "#instance/secrets.ts";
import { refuse } from "#protocol/errors.ts";
import { DEFAULT_POOL } from "#protocol/pool.ts";
import { bearerToken } from "../auth/credentials.ts";
import { type PoolAccess, poolAccess } from "../auth/pool-tokens.ts";
import { type App, baseUrl, type HttpContext, isWebSocketUpgrade } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";

const refused = refuse("runner_refused", { field: "Authorization" }).refusal;
const upgradeNeeded = refuse("upgrade_required", { field: "Upgrade", hint: "Send Upgrade: websocket." }).refusal;
const upgrade = { headers: { upgrade: "websocket" } };

export function mountRunner(app: App): void {
  app.get("/runner/pool", async (c) => {
    const access = await accessOf(c);
    if (access === null) return renderRefusal(c, refused);
    if (!isWebSocketUpgrade(c)) return renderRefusal(c, upgradeNeeded);
    const url = new URL("https://object/pool");
    if (access.tokenId !== null) url.searchParams.set("token", access.tokenId);
    return c.var.deps.pool(access.pool).fetch(url.href, upgrade);
  });
  app.get("/runner/runs/:run_id/link", async (c) => {
    const { config, ownerOf } = c.var.deps;
    const token = bearerToken(c.req.header("authorization")) ?? "";
    const lease = await verifyAttemptToken(config.signingKeys, "link", token);
    if (lease === null || lease.run_id !== c.req.param("run_id")) return renderRefusal(c, refused);
    if (!isWebSocketUpgrade(c)) return renderRefusal(c, upgradeNeeded);
    const url = new URL("https://object/link");
    url.searchParams.set("run", lease.run_id);
    url.searchParams.set("generation", String(lease.generation));
    // The run order names the session's address, which the object does not know.
    url.searchParams.set("origin", baseUrl(c));
    return ownerOf(lease.run_id).fetch(url.href, upgrade);
  });
}

/** The default pool takes the instance's RUNNER_TOKEN, every other one its own tokens. */
async function accessOf(c: HttpContext): Promise<PoolAccess | null> {
  const { config, pools } = c.var.deps;
  const token = bearerToken(c.req.header("authorization"));
  if (token === null) return null;
  const isInstances = (await placeOfSecret(token, config.runnerTokens)) !== null;
  return isInstances ? { pool: DEFAULT_POOL, tokenId: null } : poolAccess(token, pools, Date.now());
}
