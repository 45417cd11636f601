/** Inbound webhooks in the OpenAPI document: their bodies are the sources' own. */
import type { App } from "../http-env.ts";

export function describeWebhooks(app: App): void {
  app.openAPIRegistry.registerPath({
    ...common(
      "receiveGithubDelivery",
      "GitHub's deliveries",
      "Signed with GITHUB_WEBHOOK_SECRET: X-Hub-Signature-256 over the raw body.",
    ),
    path: "/webhooks/github",
  });
  app.openAPIRegistry.registerPath({
    ...common(
      "receiveDelivery",
      "Deliveries to a webhook trigger's endpoint",
      "Signed as the source signs; docs/triggers.md names each.",
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

function common(operationId: string, summary: string, description: string) {
  return {
    method: "post" as const,
    operationId,
    tags: ["Webhooks"],
    summary,
    description: `${description} The delivery is stored before the answer; what it starts comes after it.`,
    security: [],
    requestBody: { required: true, content: { "*/*": { schema: {} } } },
    responses: {
      200: {
        description: "The answer that the source expects, for instance to a handshake.",
        content: { "text/plain": { schema: { type: "string" as const } }, "application/json": { schema: {} } },
      },
      202: {
        description: "Stored.",
        content: {
          "application/json": {
            schema: {
              type: "object" as const,
              properties: { delivery_id: { $ref: "#/components/schemas/DeliveryId" } },
              required: ["delivery_id"],
            },
          },
        },
      },
      default: {
        description: "An error: `webhook_refused` (401) in the same words whatever could not be verified.",
        content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
      },
    },
  };
}
