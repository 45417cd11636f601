/** Inbound webhooks in the OpenAPI document: their bodies are the sources' own. */
import type { ApiErrorCode } from "#protocol/errors.ts";
import type { App } from "../http-env.ts";
import { DELIVERY_ID } from "./examples/ids.ts";
import { errorResponses } from "./refusals.ts";

export function describeWebhooks(app: App): void {
  app.openAPIRegistry.registerPath({
    ...common(
      "receiveGithubDelivery",
      "GitHub's deliveries",
      "Signed with GITHUB_WEBHOOK_SECRET: X-Hub-Signature-256 over the raw body.",
      { action: "opened", number: 41, repository: { full_name: "acme/docs" } },
    ),
    path: "/webhooks/github",
  });
  app.openAPIRegistry.registerPath({
    ...common(
      "receiveDelivery",
      "Deliveries to a webhook trigger's endpoint",
      "Signed as the source signs; docs/triggers.md names each. What could not be verified is refused in the same words whatever it is.",
      { action: "triggered", data: { issue: { level: "error" } } },
      ["not_found"],
    ),
    path: "/webhooks/{source}/{endpoint_id}",
    parameters: [
      { name: "source", in: "path", required: true, schema: { $ref: "#/components/schemas/WebhookSource" } },
      {
        name: "endpoint_id",
        in: "path",
        required: true,
        description: "The trigger's id: an endpoint belongs to its trigger.",
        schema: { $ref: "#/components/schemas/TriggerId" },
      },
    ],
  });
}

function common(
  operationId: string,
  summary: string,
  description: string,
  body: object,
  refuses: readonly ApiErrorCode[] = [],
) {
  return {
    method: "post" as const,
    operationId,
    tags: ["Webhooks"],
    summary,
    description: `${description} The delivery is stored before the answer; what it starts comes after it.`,
    security: [],
    requestBody: { required: true, content: { "*/*": { schema: {}, example: body } } },
    responses: {
      200: {
        description: "The answer that the source expects, for instance to a handshake.",
        content: {
          "text/plain": {
            schema: { type: "string" as const },
            example: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
          },
          "application/json": {
            schema: {},
            example: { challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" },
          },
        },
      },
      204: { description: "The answer of sources that expect nothing to be said, for instance Discord." },
      202: {
        description: "Stored.",
        content: {
          "application/json": {
            schema: {
              type: "object" as const,
              properties: { delivery_id: { $ref: "#/components/schemas/DeliveryId" } },
              required: ["delivery_id"],
            },
            example: { delivery_id: DELIVERY_ID },
          },
        },
      },
      ...errorResponses(["webhook_refused", "body_too_large", "body_too_slow", "invalid_request", ...refuses]),
    },
  };
}
