/** Pure: services that send webhooks, by the names that people know. */
import type { WebhookSource } from "#protocol/webhook-sources.ts";

export const SOURCE_TITLES: Record<WebhookSource, string> = {
  slack: "Slack",
  telegram: "Telegram",
  discord: "Discord",
  linear: "Linear",
  jira: "Jira",
  sentry: "Sentry",
  pagerduty: "PagerDuty",
  grafana: "Grafana",
  datadog: "Datadog",
  notion: "Notion",
  gitlab: "GitLab",
  bitbucket: "Bitbucket",
  stripe: "Stripe",
  pubsub: "Google Pub/Sub",
  "standard-webhooks": "Standard Webhooks",
  generic: "Any sender",
};
