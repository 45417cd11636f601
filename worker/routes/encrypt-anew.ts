/** Encrypting with the present key what was encrypted with the one before, when SIGNING_KEY is changed. */
import { encryptAnewInputSchema, encryptAnewStepSchema } from "#protocol/encrypt-anew.ts";
import { success } from "#protocol/errors.ts";
import { encryptAnewStep } from "../clock/encrypt-anew.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";

export function mountEncryptAnew(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/instance/secrets/encrypt-anew",
      tag: "Instance",
      needs: "instance:admin",
      id: "encryptAnew",
      summary: "Encrypt stored secrets with the present key, one step",
      description:
        "For when SIGNING_KEY is changed, while SIGNING_KEY_PREVIOUS is set. Repeat it with next_cursor until that is null; npm run encrypt-anew does. It may be done at any time, and again.",
      body: { schema: encryptAnewInputSchema, optional: true },
      answer: { status: 200, schema: encryptAnewStepSchema },
    },
    async ({ c, body }) => success(await encryptAnewStep(c.var.deps, body.cursor ?? null, Date.now())),
  );
}
