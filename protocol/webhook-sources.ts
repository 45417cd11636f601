/** Services whose webhooks are understood, each by a listener of its own. */
import { z } from "zod";

/** Where the body of a webhook comes from. */
export const webhookSources = [
  "slack",
  "telegram",
  "discord",
  "linear",
  "jira",
  "sentry",
  "pagerduty",
  "grafana",
  "datadog",
  "notion",
  "gitlab",
  "bitbucket",
  "stripe",
  "pubsub",
  "standard-webhooks",
  "generic",
] as const;
export const webhookSourceSchema = z.enum(webhookSources).meta({ id: "WebhookSource" });
export type WebhookSource = z.infer<typeof webhookSourceSchema>;
