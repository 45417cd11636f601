/** Every listener that has endpoints. */
import type { WebhookSource } from "#protocol/webhook-sources.ts";
import { bitbucket } from "./bitbucket.ts";
import { datadog } from "./datadog.ts";
import { discord } from "./discord.ts";
import { generic } from "./generic.ts";
import { gitlab } from "./gitlab.ts";
import { grafana } from "./grafana.ts";
import { jira } from "./jira.ts";
import { linear } from "./linear.ts";
import type { Listener } from "./listener.ts";
import { notion } from "./notion.ts";
import { pagerduty } from "./pagerduty.ts";
import { pubsub } from "./pubsub.ts";
import { sentry } from "./sentry.ts";
import { slack } from "./slack.ts";
import { standardWebhooks } from "./standard-webhooks.ts";
import { stripe } from "./stripe.ts";
import { telegram } from "./telegram.ts";

export const LISTENERS: Record<WebhookSource, Listener> = {
  slack,
  telegram,
  discord,
  linear,
  jira,
  sentry,
  pagerduty,
  grafana,
  datadog,
  notion,
  gitlab,
  bitbucket,
  stripe,
  pubsub,
  "standard-webhooks": standardWebhooks,
  generic,
};
