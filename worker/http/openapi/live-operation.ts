/** The WebSocket of a session in the OpenAPI document, which has no words of its own for one. */
import { liveMessageSchema, viewerMessageSchema } from "#protocol/viewer.ts";
import type { App } from "../http-env.ts";
import { componentRef, jsonOf } from "./operation.ts";
import { errorResponses } from "./refusals.ts";

export function describeLive(app: App): void {
  app.openAPIRegistry.registerPath({
    method: "get",
    path: "/api/v1/sessions/{id}/live",
    tags: ["Sessions"],
    operationId: "followSession",
    summary: "Follow a session over a WebSocket",
    description:
      "Sends every event after `after`, then caught_up, then live. Each message from the instance is a LiveMessage, " +
      "each from the viewer a ViewerMessage. Browsers pass a ticket instead of a token.",
    security: [{ owner_token: [] }, { web_session: [] }, {}],
    "x-permission": "runs:read",
    "x-viewer-messages": componentRef(viewerMessageSchema),
    parameters: [
      { name: "id", in: "path", required: true, schema: { $ref: "#/components/schemas/SessionId" } },
      { name: "after", in: "query", required: false, schema: { type: "integer", minimum: 0, default: 0 } },
      { name: "ticket", in: "query", required: false, schema: { type: "string" } },
    ],
    responses: {
      101: {
        description: "The WebSocket is open.",
        content: { "application/json": jsonOf(liveMessageSchema) },
      },
      ...errorResponses([
        "authentication_required",
        "origin_refused",
        "not_found",
        "invalid_request",
        "upgrade_required",
      ]),
    },
  });
}
