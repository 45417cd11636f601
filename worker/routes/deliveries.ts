/** Deliveries: what came, whether it was believed, which triggers looked at it, and what became of it; and again. */
import { z } from "zod";
import { hashSecret } from "#instance/secrets.ts";
import { pageSchema } from "#protocol/api.ts";
import {
  deliveryDetailSchema,
  deliverySchema,
  deliveryStatuses,
  verificationFailureSchema,
} from "#protocol/delivery.ts";
import { refuse, success } from "#protocol/errors.ts";
import { deliveryIdSchema, routineIdSchema } from "#protocol/ids.ts";
import { nullable } from "#protocol/schema.ts";
import { eventSourceSchema } from "#protocol/source-event.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { withDecisions } from "../store/delivery-decisions.ts";
import { idempotencyHeader, readIdempotencyKey } from "./idempotency.ts";
import { pageQuery, searchText, toPageRequest } from "./inputs.ts";

const params = z.object({ id: deliveryIdSchema });
const query = pageQuery(deliveryIdSchema).extend({
  source: eventSourceSchema.optional(),
  status: z.enum(deliveryStatuses).optional(),
  routine: routineIdSchema.optional().meta({ description: "Whose triggers looked at it." }),
  search: searchText
    .optional()
    .meta({ description: "In the summary, the event's name, the note, or the source's id." }),
});
const deliveryPage = pageSchema(deliverySchema).meta({ id: "DeliveryPage" });
const failures = withExample(
  z
    .object({
      data: z.array(
        z.object({
          day: z.string(),
          source: eventSourceSchema,
          trigger_id: nullable(z.string()),
          failure: verificationFailureSchema,
          count: z.int().min(1),
        }),
      ),
    })
    .meta({ id: "VerificationFailures" }),
  { data: [{ day: "2026-11-23", source: "github", trigger_id: null, failure: "signature_wrong", count: 3 }] },
);
const FAILURES_SHOWN = 500;

export function mountDeliveries(app: App): void {
  const many = { path: "/api/v1/deliveries", tag: "Webhooks", needs: "deliveries:read" } as const;
  const one = { path: "/api/v1/deliveries/{id}", tag: "Webhooks", needs: "deliveries:read", params } as const;
  endpoint(
    app,
    {
      ...many,
      method: "get",
      id: "listDeliveries",
      summary: "List deliveries",
      description:
        "A search looks at so many deliveries for each page: a page can have few or none and yet have a `next_cursor`.",
      query,
      answer: { status: 200, schema: deliveryPage },
    },
    async ({ c, query: { source, status, routine, search, ...page } }) => {
      const filter = { source, status, routineId: routine, text: search };
      return success(await c.var.deps.deliveryLists.list(filter, toPageRequest(page)));
    },
  );
  endpoint(
    app,
    {
      ...many,
      path: `${many.path}/failures`,
      method: "get",
      id: "countRefusedDeliveries",
      summary: "Count requests that were not believed, by day and reason",
      answer: { status: 200, schema: failures },
    },
    async ({ c }) => {
      const { deliveryLists, failures: counted } = c.var.deps;
      await counted.flush();
      return success({ data: await deliveryLists.failures(FAILURES_SHOWN) });
    },
  );
  endpoint(
    app,
    {
      ...one,
      method: "get",
      id: "readDelivery",
      summary: "Read a delivery, with its headers and body",
      answer: { status: 200, schema: deliveryDetailSchema },
    },
    async ({ c, params: { id } }) => {
      const { deliveryLists, ownerOf } = c.var.deps;
      const delivery = await deliveryLists.detail(id);
      if (delivery === null) return refuse("not_found");
      return success(await withDecisions(delivery, (routineId) => ownerOf(routineId).decidedOf(id)));
    },
  );
  endpoint(
    app,
    {
      ...one,
      path: `${one.path}/replay`,
      method: "post",
      needs: "deliveries:write",
      id: "replayDelivery",
      refuses: ["delivery_not_handled"],
      summary: "Handle a delivery again, as if it had just come",
      description:
        "It can start runs again: its id does not count as a repeat, but an Idempotency-Key does. Its outcomes are those of this time.",
      headers: [idempotencyHeader("replay")],
      answer: { status: 200, schema: deliveryDetailSchema },
    },
    async ({ c, params: { id } }) => {
      const key = readIdempotencyKey(c);
      if (!key.ok) return key;
      const { deliveries, deliveryLists, inbox } = c.var.deps;
      const delivery = await deliveries.read(id);
      if (delivery === null) return refuse("not_found");
      // One that has not been handled yet is taken up: under a name of its own it would happen twice.
      const call = key.value === null ? crypto.randomUUID() : await hashSecret(key.value);
      const eventId = delivery.status === "stored" ? id : `replay:${id}:${call}`;
      if (!(await inbox.handleOne(delivery, eventId))) return refuse("delivery_not_handled");
      const handledDelivery = await deliveryLists.detail(id);
      return handledDelivery === null ? refuse("not_found") : success(handledDelivery);
    },
  );
}
