/** The table: Slack, Linear, Sentry, PagerDuty and Notion. */
import { linearCase } from "./linear-case.ts";
import type { ListenerCase } from "./listener-case.ts";
import { notionCase } from "./notion-case.ts";
import { pagerdutyCase } from "./pagerduty-case.ts";
import { sentryCase } from "./sentry-case.ts";
import { slackBotsCase } from "./slack-bots-case.ts";
import { slackCase } from "./slack-case.ts";

export const casesA: readonly ListenerCase[] = [
  slackCase,
  slackBotsCase,
  linearCase,
  sentryCase,
  pagerdutyCase,
  notionCase,
];
