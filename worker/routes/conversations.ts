/** What a runner asks for of a session's earlier runs before its agent starts, and the workspace that it leaves behind. */

import { verifyAttemptToken } from "#instance/attempt-token.ts";
import { WORKSPACE_LIMIT_BYTES, WORKSPACE_SHA256 } from "#protocol/conversation.ts";
import { refuse } from "#protocol/errors.ts";
import type { LeaseRef } from "#protocol/runner-link.ts";
import { bearerToken } from "../auth/credentials.ts";
import { paced } from "../http/body-pace.ts";
import type { App, HttpContext } from "../http/http-env.ts";
import { renderRefusal } from "../http/render-error.ts";
import { conversationText } from "../store/conversations.ts";

const FILE_PATH = "/runner/runs/:run_id/conversation/:number{[0-9]{1,5}}";
const WORKSPACE_PATH = "/runner/runs/:run_id/workspace";
const SHA256 = /^[0-9a-f]{64}$/;
const PRIVATE = { "content-type": "application/octet-stream", "cache-control": "no-store, no-transform" };
const refused = refuse("runner_refused", { field: "Authorization" }).refusal;

export function mountConversations(app: App): void {
  app.get(FILE_PATH, async (c) => {
    const lease = await leaseOf(c);
    if (lease === null) return renderRefusal(c, refused);
    const { ownerOf, workspaces } = c.var.deps;
    const number = Number(c.req.param("number"));
    const text = await conversationText(
      (after) => ownerOf(lease.run_id).conversationParts(lease, number, after),
      (key) => workspaces.open(key),
    );
    return text === null ? renderRefusal(c, { code: "not_found" }) : new Response(text, { headers: PRIVATE });
  });
  app.get(WORKSPACE_PATH, async (c) => {
    const lease = await leaseOf(c);
    if (lease === null) return renderRefusal(c, refused);
    const { ownerOf, workspaces } = c.var.deps;
    const key = await ownerOf(lease.run_id).workspaceToRestore(lease);
    const content = key === null ? null : await workspaces.open(key);
    return content === null ? renderRefusal(c, { code: "not_found" }) : new Response(content, { headers: PRIVATE });
  });
  app.put(WORKSPACE_PATH, async (c) => {
    const lease = await leaseOf(c);
    const { ownerOf, workspaces } = c.var.deps;
    const key = lease === null ? null : await ownerOf(lease.run_id).workspaceToKeep(lease);
    if (lease === null || key === null) return renderRefusal(c, refused);
    const bytes = Number(c.req.header("content-length"));
    const sha256 = c.req.header(WORKSPACE_SHA256) ?? "";
    const { body } = c.req.raw;
    if (!Number.isInteger(bytes) || body === null || !SHA256.test(sha256)) {
      const message = `A workspace has its Content-Length, and ${WORKSPACE_SHA256}.`;
      return renderRefusal(c, { code: "invalid_request", message });
    }
    if (bytes > WORKSPACE_LIMIT_BYTES) {
      return renderRefusal(c, { code: "body_too_large", limit_bytes: WORKSPACE_LIMIT_BYTES });
    }
    await workspaces.keep(key, paced(body), { bytes, sha256 });
    if (!(await ownerOf(lease.run_id).hasUseFor(lease, key))) {
      await workspaces.remove(key);
      return renderRefusal(c, refused);
    }
    return new Response(null, { status: 204 });
  });
}

/** The attempt in whose name a runner asks; null where its token is not for that run. Whether it is on, its object tells. */
async function leaseOf(c: HttpContext): Promise<LeaseRef | null> {
  const token = bearerToken(c.req.header("authorization")) ?? "";
  const lease = await verifyAttemptToken(c.var.deps.config.signingKeys, "link", token);
  return lease?.run_id === c.req.param("run_id") ? lease : null;
}
