/** A routine's triggers: secrets of their endpoints, and what they would make of an event. */
import { z } from "zod";
import { atMost } from "#protocol/characters.ts";
import { deliveryOutcomeSchema } from "#protocol/delivery.ts";
import { type Result, refuse, success } from "#protocol/errors.ts";
import { deliveryIdSchema, routineIdSchema, triggerIdSchema } from "#protocol/ids.ts";
import { jsonSchema, nullable } from "#protocol/schema.ts";
import { eventSourceSchema } from "#protocol/source-event.ts";
import { timestamp, timestampSchema } from "#protocol/time.ts";
import { endpoint } from "../http/endpoint.ts";
import { type App, baseUrl, type HttpContext } from "../http/http-env.ts";
import { withExample } from "../http/openapi/examples/example.ts";
import { QUEUED_AT, ROUTINE_ID, TRIGGER_ID } from "../http/openapi/examples/ids.ts";
import { makeDeliveryId } from "../inbound/delivery-ids.ts";
import { endpointUrl } from "../inbound/read-delivery.ts";
import { LISTENERS } from "../inbound/sources/all.ts";
import type { StoredDelivery } from "../store/deliveries.ts";
import { routineParams } from "./inputs.ts";

const triggerParams = z.object({ id: routineIdSchema, trigger_id: triggerIdSchema });
const secretInput = withExample(
  z
    .strictObject({
      // No source's secret has blanks or a line's end around it: they come along when it is copied.
      secret: z
        .string()
        .trim()
        .min(8)
        .max(500)
        .optional()
        .meta({ description: "The source's own, without the blanks around it; one is drawn without it." }),
    })
    .meta({ id: "EndpointSecretInput" }),
  { secret: "(the one that the source shows)" },
);
const secretAnswer = withExample(
  z
    .object({ secret: z.string(), url: z.url(), previous_secret_until: z.string().nullable() })
    .meta({ id: "EndpointSecret" }),
  {
    secret: "(shown once)",
    url: `https://reveille.example.com/webhooks/sentry/${TRIGGER_ID}`,
    previous_secret_until: null,
  },
);
const handedOver = withExample(
  z
    .object({
      data: z.array(
        z
          .object({
            id: z.string(),
            secret: z.string().meta({ description: "As the source has it: the one that it accepts is its own." }),
            received_at: timestampSchema,
            last_received_at: timestampSchema,
            times: z.int().min(1),
            ip: nullable(z.string()).meta({
              description: "Where it last came from; null where the platform does not tell.",
            }),
            user_agent: nullable(z.string()),
          })
          .meta({ id: "HandedOverSecret" }),
      ),
      next_cursor: z.null(),
    })
    .meta({ id: "HandedOverSecrets" }),
  {
    data: [
      {
        id: "1",
        secret: "(as the source has sent it)",
        received_at: QUEUED_AT,
        last_received_at: QUEUED_AT,
        times: 1,
        ip: "203.0.113.7",
        user_agent: "notion",
      },
    ],
    next_cursor: null,
  },
);
const confirmInput = withExample(
  z.strictObject({ id: z.string().min(1).max(100) }).meta({ id: "ConfirmSecretInput" }),
  { id: "1" },
);

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/, "must be the name of a header");
const headerValue = z.string().regex(/^[\t\x20-\x7e]{0,2000}$/, "must be text in ASCII, at most 2,000 characters");

/** A stored delivery, or what a source would send. */
const testInput = withExample(
  z
    .union([
      z.strictObject({ delivery_id: deliveryIdSchema }),
      z.strictObject({
        source: eventSourceSchema.exclude(["routine"]),
        event: z
          .string()
          .check(atMost(200))
          .optional()
          .meta({ description: "GitHub's event, or the name of an internal one." }),
        trigger_id: triggerIdSchema.optional().meta({ description: "Of a webhook: whose endpoint it comes to." }),
        headers: z.record(headerName, headerValue).default({}),
        payload: jsonSchema,
      }),
    ])
    .meta({ id: "TriggerTestInput" }),
  { source: "github", event: "pull_request", headers: {}, payload: { action: "opened" } },
);
type TestInput = z.infer<typeof testInput>;
const testAnswer = withExample(z.object({ data: z.array(deliveryOutcomeSchema) }).meta({ id: "TriggerTestAnswer" }), {
  data: [
    {
      routine_id: ROUTINE_ID,
      trigger_id: TRIGGER_ID,
      matched: false,
      why: "The trigger waits for another event.",
      filters: [],
      outcome: null,
      reason: null,
      occurrence_id: null,
      run_id: null,
    },
  ],
});

const encoder = new TextEncoder();

export function mountTriggers(app: App): void {
  const secret = { tag: "Routines", needs: "routines:write", method: "post", params: triggerParams } as const;
  endpoint(
    app,
    {
      ...secret,
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/secret",
      id: "issueEndpointSecret",
      summary: "Give a webhook trigger's endpoint a secret: it is shown this once",
      description: "The secret before is accepted too, for 24 hours.",
      body: { schema: secretInput, optional: true },
      answer: { status: 201, schema: secretAnswer },
    },
    async ({ c, params, body }) => {
      const owner = c.var.deps.ownerOf(params.id);
      const found = await owner.endpoint(params.trigger_id);
      if (!found.ok) return found;
      const { source } = found.value.trigger;
      const fault = secretFault(source, body.secret);
      if (fault !== null) return refuse("invalid_request", { field: "secret", message: `secret: ${fault}` });
      const set = await owner.setSecret(params.trigger_id, body.secret ?? null);
      return set.ok ? success({ ...set.value, url: endpointUrl(source, params.trigger_id, baseUrl(c)) }) : set;
    },
  );
  endpoint(
    app,
    {
      ...secret,
      method: "delete",
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/secret",
      id: "endEndpointSecrets",
      refuses: ["index_behind"],
      summary: "End the secrets of a webhook trigger's endpoint at once",
      description: "For one that has leaked. The endpoint believes nobody until it is given a new secret.",
      answer: { status: 204 },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).clearSecrets(params.trigger_id),
  );
  endpoint(
    app,
    {
      ...secret,
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/secret/handed-over",
      method: "get",
      id: "listHandedOverSecrets",
      summary: "List the secrets that have been handed over to a webhook trigger's endpoint, newest first",
      description:
        "Notion sends its verification token to the endpoint, and wants to see it pasted; so can anybody else send one. " +
        "None is believed before it is confirmed.",
      answer: { status: 200, schema: handedOver },
    },
    async ({ c, params }) => {
      const owner = c.var.deps.ownerOf(params.id);
      const found = await owner.endpoint(params.trigger_id);
      if (!found.ok) return found;
      const waiting = await owner.handedOver(params.trigger_id);
      if (!waiting.ok) return waiting;
      const data = waiting.value.map(({ id, secret, atMs, lastAtMs, times, ip, userAgent }) => ({
        id,
        secret,
        received_at: timestamp(atMs),
        last_received_at: timestamp(lastAtMs),
        times,
        ip,
        user_agent: userAgent,
      }));
      return success({ data, next_cursor: null });
    },
  );
  endpoint(
    app,
    {
      ...secret,
      path: "/api/v1/routines/{id}/triggers/{trigger_id}/secret/handed-over",
      id: "confirmHandedOverSecret",
      summary: "Confirm a secret that has been handed over: the endpoint believes it from then on",
      description: "The others that were handed over are forgotten.",
      body: { schema: confirmInput, optional: false },
      answer: { status: 201, schema: secretAnswer },
    },
    async ({ c, params, body }) => {
      const owner = c.var.deps.ownerOf(params.id);
      const found = await owner.endpoint(params.trigger_id);
      if (!found.ok) return found;
      const set = await owner.confirmSecret(params.trigger_id, body.id);
      const url = endpointUrl(found.value.trigger.source, params.trigger_id, baseUrl(c));
      return set.ok ? success({ ...set.value, url }) : set;
    },
  );
  endpoint(
    app,
    {
      method: "post",
      path: "/api/v1/routines/{id}/triggers/test",
      tag: "Routines",
      needs: "routines:read",
      params: routineParams,
      id: "tryTriggers",
      summary: "Tell what the routine's triggers would make of an event, without firing",
      body: { schema: testInput, optional: false, kept: "payload" },
      answer: { status: 200, schema: testAnswer },
    },
    async ({ c, params, body }) => {
      if ("source" in body && body.trigger_id !== undefined) {
        const endpoint = await c.var.deps.ownerOf(params.id).endpoint(body.trigger_id);
        if (!endpoint.ok) return refuse("not_found", { field: "trigger_id" });
      }
      const delivery = await deliveryOf(c, body);
      if (!delivery.ok) return delivery;
      const reading = await c.var.deps.inbox.read(delivery.value);
      if (reading.kind === "ignored") return refuse("invalid_request", { field: "payload", message: reading.reason });
      const { id } = delivery.value;
      const event = await c.var.deps.inbox.incoming(delivery.value, reading.event, id);
      const judged = await c.var.deps.ownerOf(params.id).judge(event);
      return judged.ok ? success({ data: judged.value }) : judged;
    },
  );
}

function secretFault(source: keyof typeof LISTENERS, given: string | undefined): string | null {
  const { secretFrom, title, secretFault: faultOf } = LISTENERS[source];
  if (secretFrom === "nobody") return `${title} signs with public keys: there is no secret to set`;
  if (given !== undefined) return faultOf?.(given) ?? null;
  return secretFrom === "source" ? `is required: ${title} makes it, see docs/triggers.md` : null;
}

async function deliveryOf(c: HttpContext, input: TestInput): Promise<Result<StoredDelivery>> {
  if ("delivery_id" in input) {
    const stored = await c.var.deps.deliveries.read(input.delivery_id);
    return stored === null ? refuse("not_found", { field: "delivery_id" }) : success(stored);
  }
  const { source, event, trigger_id, headers, payload } = input;
  const isEndpoint = source !== "github" && source !== "event";
  if (isEndpoint && trigger_id === undefined) {
    return refuse("invalid_request", { field: "trigger_id", message: "trigger_id: is required for a webhook" });
  }
  if (!isEndpoint && event === undefined) {
    return refuse("invalid_request", { field: "event", message: `event: is required for source ${source}` });
  }
  const sent = source === "event" ? { name: event, payload } : payload;
  const body = new Uint8Array(encoder.encode(JSON.stringify(sent)));
  const id = makeDeliveryId(Date.now());
  const type = { "content-type": "application/json" };
  const asTriggerWouldHear = { providerId: null, event: event ?? null, headers: { ...type, ...headers } };
  const kept = { body, sizeBytes: body.length, openLong: null };
  return success({
    id,
    source,
    status: "stored",
    triggerId: isEndpoint ? (trigger_id ?? null) : null,
    ...asTriggerWouldHear,
    ...kept,
  });
}
