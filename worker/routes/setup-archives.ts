/** What a setup script has made, for the runner of a container: kept once, before its agent starts, and given to later runs. */

import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { refuse } from "#protocol/errors.ts";
import { SETUP_HEADERS, SETUP_KEY, SETUP_LIMIT_BYTES } from "#protocol/setup-archive.ts";
import { bearerToken } from "../auth/credentials.ts";
import { paced } from "../http/body-pace.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";

const PATH = "/runner/runs/:run_id/setup/:key{[0-9a-f]{64}}";
const refused = refuse("runner_refused", { field: "Authorization" }).refusal;

export function mountSetupArchives(app: App): void {
  app.get(PATH, async (c) => {
    const place = await placeOf(c);
    if (place === null) return renderRefusal(c, refused);
    const found = await c.var.deps.setupArchives.open(place, c.req.param("key"), Date.now());
    if (found === null) return renderRefusal(c, { code: "not_found" });
    const { bytes, sha256, keptAtMs, content } = found;
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": "no-store, no-transform",
      [SETUP_HEADERS.bytes]: String(bytes),
      [SETUP_HEADERS.sha256]: sha256,
      [SETUP_HEADERS.keptAt]: String(keptAtMs),
    };
    return new Response(content, { headers });
  });
  app.put(PATH, async (c) => {
    const place = await placeOf(c);
    if (place === null) return renderRefusal(c, refused);
    const bytes = Number(c.req.header("content-length"));
    const sha256 = c.req.header(SETUP_HEADERS.sha256) ?? "";
    const { body } = c.req.raw;
    if (!Number.isInteger(bytes) || body === null || !SETUP_KEY.test(sha256)) {
      const message = `An archive has its Content-Length, and ${SETUP_HEADERS.sha256}.`;
      return renderRefusal(c, { code: "invalid_request", message });
    }
    if (bytes > SETUP_LIMIT_BYTES) return renderRefusal(c, { code: "body_too_large", limit_bytes: SETUP_LIMIT_BYTES });
    await c.var.deps.setupArchives.keep(place, c.req.param("key"), paced(body), { bytes, sha256, nowMs: Date.now() });
    return new Response(null, { status: 204 });
  });
}

/** @returns null for an attempt that is not on any more, or whose agent has started: nothing of its script is left to be done. */
async function placeOf(c: HttpContext): Promise<string | null> {
  const { config, ownerOf } = c.var.deps;
  const token = bearerToken(c.req.header("authorization")) ?? "";
  const lease = await verifyAttemptToken(config.signingKeys, "link", token);
  if (lease === null || lease.run_id !== c.req.param("run_id")) return null;
  return await ownerOf(lease.run_id).setupPlace(lease);
}
