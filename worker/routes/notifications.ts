/** Notifications: the rules for all routines, what became of each, and the keys of webhooks. */
import { z } from "zod";
import { shownKey, signingKeysOf } from "#instance/notifications/sign-webhook.ts";
import { pageSchema } from "#protocol/api.ts";
import { refuse, success } from "#protocol/errors.ts";
import { notificationIdSchema, routineIdSchema } from "#protocol/ids.ts";
import {
  failingDestinationsSchema,
  instanceRulesInputSchema,
  instanceRulesSchema,
  notificationSchema,
  notificationStatuses,
  signingKeyInputSchema,
  signingKeySchema,
} from "#protocol/notification.ts";
import { unsentMailRefusal } from "#rules/routine/unsent-mail.ts";
import { endpoint } from "../http/endpoint.ts";
import type { App } from "../http/http-env.ts";
import { pageQuery, toPageRequest } from "./inputs.ts";

const notificationPage = pageSchema(notificationSchema).meta({ id: "NotificationPage" });
const path = "/api/v1/notifications";
const tag = "Notifications";

export function mountNotifications(app: App): void {
  mountRules(app);
  mountDestinations(app);
  endpoint(
    app,
    {
      method: "get",
      path,
      tag,
      id: "listNotifications",
      summary: "List notifications, with what became of each",
      description: "The newest thousand of each routine, and those that are still to be sent.",
      needs: "runs:read",
      query: pageQuery(notificationIdSchema).extend({
        routine: routineIdSchema.optional(),
        status: z.enum(notificationStatuses, `must be one of ${notificationStatuses.join(", ")}`).optional(),
      }),
      answer: { status: 200, schema: notificationPage },
    },
    async ({ c, query }) => {
      const filter = { routineId: query.routine ?? null, status: query.status ?? null };
      return success(await c.var.deps.notifications.list(filter, toPageRequest(query)));
    },
  );
  endpoint(
    app,
    {
      method: "post",
      path: `${path}/{id}/redeliver`,
      tag,
      id: "redeliverNotification",
      summary: "Send a notification again",
      description:
        "With the same id and body, and all its tries before it; also to a destination that is switched off, which is switched on when it goes through.",
      needs: "runs:write",
      params: z.object({ id: notificationIdSchema }),
      answer: { status: 200, schema: notificationSchema },
    },
    async ({ c, params }) => c.var.deps.ownerOf(params.id).redeliver(),
  );
}

function mountRules(app: App): void {
  const rules = { path: `${path}/rules`, tag, needs: "instance:admin" } as const;
  const answer = { status: 200, schema: instanceRulesSchema } as const;
  endpoint(
    app,
    {
      ...rules,
      method: "get",
      id: "readNotificationRules",
      summary: "Read the rules of notifications for all routines",
      answer,
    },
    async ({ c }) => success(await c.var.deps.notifications.rules()),
  );
  endpoint(
    app,
    {
      ...rules,
      method: "put",
      id: "setNotificationRules",
      summary: "Set the rules of notifications for all routines",
      refuses: ["revision_conflict"],
      description: "They take the place of those before, and count for what happens from then on.",
      body: { schema: instanceRulesInputSchema, optional: false },
      answer,
    },
    async ({ c, body }) => {
      const { notifications, lackingForMail } = c.var.deps;
      const refusal = unsentMailRefusal("rules", body.rules, lackingForMail);
      if (refusal !== null) return { ok: false, refusal };
      const revision = await notifications.setRules(body.rules, body.if_revision ?? null);
      return revision === null ? refuse("revision_conflict", STALE_RULES) : success({ rules: body.rules, revision });
    },
  );
}

const STALE_RULES = {
  field: "if_revision",
  message: "The rules have changed since the revision that you named.",
  hint: "Read the rules again, and repeat the change on their newest revision.",
};

function mountDestinations(app: App): void {
  endpoint(
    app,
    {
      method: "get",
      path: `${path}/destinations`,
      tag,
      id: "listNotificationDestinations",
      summary: "List destinations that fail or are switched off",
      needs: "runs:read",
      answer: { status: 200, schema: failingDestinationsSchema },
    },
    async ({ c }) => success({ data: await c.var.deps.notifications.failing() }),
  );
  endpoint(
    app,
    {
      method: "post",
      path: `${path}/signing-key`,
      tag,
      id: "readNotificationSigningKey",
      summary: "Read the key that signs the webhooks to an address",
      description: "The address as the rule has it. Each has a key of its own, the same each time.",
      needs: "instance:admin",
      body: { schema: signingKeyInputSchema, optional: false },
      answer: { status: 200, schema: signingKeySchema },
    },
    async ({ c, body }) => {
      const [key = ""] = await signingKeysOf(c.var.deps.config.signingKeys, body.webhook);
      return success({ signing_key: shownKey(key) });
    },
  );
}
