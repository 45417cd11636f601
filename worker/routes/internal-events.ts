/** Events of the owner's own: named, kept as deliveries, and offered to the triggers that wait for the name. */
import { z } from "zod";
import { atMost } from "#protocol/characters.ts";
import { deliverySchema } from "#protocol/delivery.ts";
import { refuse, success } from "#protocol/errors.ts";
import { eventNameSchema } from "#protocol/event-name.ts";
import { IDEMPOTENCY_KEY_LIMIT } from "#protocol/occurrence.ts";
import { jsonSchema } from "#protocol/schema.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { makeDeliveryId } from "../inbound/delivery-ids.ts";
import { CLAIM_MS } from "../store/deliveries.ts";
import { pendingView } from "../store/delivery-lists.ts";

const eventInput = withExample(
  z
    .strictObject({
      name: eventNameSchema,
      payload: jsonSchema.optional(),
      dedupe_key: z
        .string()
        .min(1)
        .check(atMost(IDEMPOTENCY_KEY_LIMIT))
        .optional()
        .meta({ description: "The same key within 24 hours is the same event." }),
    })
    .meta({ id: "InternalEvent" }),
  { name: "deploy.finished", payload: { version: "4.2" }, dedupe_key: "deploy-4.2" },
);

const encoder = new TextEncoder();

export function mountInternalEvents(app: App): void {
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/events",
      tag: "Webhooks",
      needs: "deliveries:write",
      id: "sendEvent",
      refuses: ["delivery_not_handled", "idempotency_key_reused", "instance_rate_limited"],
      summary: "Send an event to the triggers that wait for its name",
      description: "Answers with the delivery once it has been handled; one that could not be is handled later.",
      body: { schema: eventInput, optional: false, kept: "payload" },
      answer: { status: 200, schema: deliverySchema },
    },
    async ({ c, body: { name, payload, dedupe_key } }) => {
      const { deliveries, deliveryLists, inbox } = c.var.deps;
      const nowMs = Date.now();
      const entered = await c.var.deps.gate.enter(c.executionCtx);
      if (!entered.ok) return entered;
      const id = makeDeliveryId(nowMs);
      const body = new Uint8Array(encoder.encode(JSON.stringify({ name, payload: payload ?? null })));
      const told = { id, source: "event", triggerId: null, event: name, headers: {}, body } as const;
      const providerId = dedupe_key ?? null;
      const where = await deliveries.insert({ ...told, providerId, ignored: null }, nowMs, nowMs + CLAIM_MS);
      if (where === "pending") return success(pendingView({ ...told, providerId, sizeBytes: body.length }));
      // What fails is written down, and handled later.
      await inbox.handleOne({ ...told, providerId, status: "stored", sizeBytes: body.length, openLong: null }, id);
      const detail = await deliveryLists.detail(id);
      if (detail === null) return refuse("not_found");
      const { headers: _headers, body: _body, ...shown } = detail;
      return success(shown);
    },
  );
}
