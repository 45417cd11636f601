/** Every listener that has endpoints. */
import type { WebhookSource } from "#protocol/triggers.ts";
import { generic } from "./generic.ts";
import { gitlab } from "./gitlab.ts";
import { linear } from "./linear.ts";
import type { Listener } from "./listener.ts";
import { notion } from "./notion.ts";
import { pagerduty } from "./pagerduty.ts";
import { pubsub } from "./pubsub.ts";
import { sentry } from "./sentry.ts";
import { slack } from "./slack.ts";
import { standardWebhooks } from "./standard-webhooks.ts";

export const LISTENERS: Record<WebhookSource, Listener> = {
  slack,
  linear,
  sentry,
  pagerduty,
  notion,
  gitlab,
  pubsub,
  "standard-webhooks": standardWebhooks,
  generic,
};
