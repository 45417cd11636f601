/** The table: Telegram, Discord, Jira, Grafana, Datadog, Bitbucket and Stripe. */
import { bitbucketCase } from "./bitbucket-case.ts";
import { datadogCase } from "./datadog-case.ts";
import { discordCase } from "./discord-case.ts";
import { grafanaCases } from "./grafana-case.ts";
import { jiraCase } from "./jira-case.ts";
import type { ListenerCase } from "./listener-case.ts";
import { stripeCase } from "./stripe-case.ts";
import { telegramCase } from "./telegram-case.ts";

export const casesC: readonly ListenerCase[] = [
  telegramCase,
  discordCase,
  jiraCase,
  ...grafanaCases,
  datadogCase,
  bitbucketCase,
  stripeCase,
];
