/** Whether the instance answers, and which version it is. Needs neither a token nor a complete configuration. */
import { healthSchema } from "#protocol/api.ts";
import { success } from "#protocol/errors.ts";
import { endpoint } from "../endpoint.ts";
import type { App } from "../http-env.ts";
import { VERSION } from "../version.ts";

export function mountHealth(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: "/healthz",
      tag: "Instance",
      summary: "Whether the instance answers",
      access: "open",
      answer: { status: 200, schema: healthSchema },
    },
    async () => success({ ok: true, version: VERSION }),
  );
}
