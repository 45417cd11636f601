/** Making the lists in D1 again, when it was lost or set back. */
import { success } from "#protocol/errors.ts";
import { rebuildInputSchema, rebuildStepSchema } from "#protocol/index-rebuild.ts";
import { rebuildStep } from "../clock/rebuild-index.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";

export function mountRebuildIndex(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/instance/index/rebuild",
      tag: "Instance",
      needs: "instance:admin",
      id: "rebuildIndex",
      summary: "Make the lists in D1 again from what the routines' objects own, one step",
      description:
        "For when D1 was lost, or set back to an earlier day. Repeat it with next_cursor until that is null; npm run rebuild-index does. It may be done at any time, and again.",
      body: { schema: rebuildInputSchema, optional: true },
      answer: { status: 200, schema: rebuildStepSchema },
    },
    async ({ c, body }) => success(await rebuildStep(c.var.deps, body.cursor ?? null, Date.now())),
  );
}
