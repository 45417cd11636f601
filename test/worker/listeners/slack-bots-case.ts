/** What bots write in Slack, to a trigger that lets them wake it. */
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { slackCase } from "./slack-case.ts";

const OWN_APP = "A0442TUPHGR";
const OWN_USER = "U0442US8QGH";
const MESSAGE = { type: "message", channel: "C043YJGBY49", channel_type: "channel", ts: "1664216870.477049" };
const MONITOR = {
  bot_id: "B0439P161B9",
  app_id: "A011MFBJEUU",
  bot_profile: { id: "B0439P161B9", name: "Grafana", app_id: "A011MFBJEUU" },
};

function told(event: Record<string, unknown>): () => string {
  const authorizations = [{ team_id: "T1", user_id: OWN_USER, is_bot: true, is_enterprise_install: false }];
  const rest = { team_id: "T1", api_app_id: OWN_APP, type: "event_callback", event_id: "Ev1", authorizations };
  return () => JSON.stringify({ ...rest, event: { ...MESSAGE, ...event } });
}

const OWN = { kind: "ignored", reason: /never wakes itself/ } as const;

const samples: ListenerSample[] = [
  {
    title: "a post of a monitor (docs.slack.dev/reference/events/message)",
    body: told({ ...MONITOR, user: "U1", text: "[FIRING:1] Disk is full" }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: null,
        summary: "Slack message in C043YJGBY49 by Grafana: [FIRING:1] Disk is full",
        dedupe_key: "message T1 C043YJGBY49 1664216870.477049",
        fields: {
          text: "[FIRING:1] Disk is full",
          user: "U1",
          bot: "B0439P161B9",
          channel: "C043YJGBY49",
          conversation: "C043YJGBY49 1664216870.477049",
          team: "T1",
        },
      },
      context: ["Bot: Grafana (B0439P161B9)"],
    },
  },
  {
    title: "a post of an incoming webhook without a text (docs.slack.dev/reference/events/message/bot_message)",
    body: told({
      subtype: "bot_message",
      bot_id: "B1",
      username: "nagios",
      text: "",
      attachments: [{ fallback: "web-1 is down" }, { fallback: "since 09:12" }],
    }),
    reads: {
      kind: "event",
      event: {
        action: "bot_message",
        name: "message",
        summary: "Slack message bot_message in C043YJGBY49 by nagios: web-1 is down since 09:12",
      },
      context: ["Text:\nweb-1 is down\nsince 09:12"],
    },
  },
  {
    title: "a changed post of a monitor",
    body: told({
      subtype: "message_changed",
      message: { ...MONITOR, text: "[RESOLVED] Disk is full", ts: "1.1" },
      previous_message: { ...MONITOR, text: "[FIRING:1] Disk is full", ts: "1.1" },
    }),
    reads: {
      kind: "event",
      event: { name: "message", action: "message_changed", dedupe_key: "Ev1" },
      context: ["Text: [RESOLVED] Disk is full"],
      paths: { "event.message.bot_id": "B0439P161B9" },
    },
  },
  {
    title: "a message of a person",
    body: told({ user: "U2", text: "looking" }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        fields: {
          text: "looking",
          user: "U2",
          channel: "C043YJGBY49",
          conversation: "C043YJGBY49 1664216870.477049",
          team: "T1",
        },
      },
      context: ["User: U2"],
    },
  },
  { title: "a post of the app's own", body: told({ bot_id: "B2", app_id: OWN_APP, text: "Done." }), reads: OWN },
  {
    title: "a post of the app's own through another of its bots",
    body: told({ subtype: "bot_message", bot_id: "B3", bot_profile: { app_id: OWN_APP }, text: "Done." }),
    reads: OWN,
  },
  {
    title: "a changed post of the app's own",
    body: told({
      subtype: "message_changed",
      message: { bot_id: "B2", app_id: OWN_APP, text: "Done!" },
      previous_message: { bot_id: "B2", app_id: OWN_APP, text: "Done" },
    }),
    reads: OWN,
  },
  {
    title: "a deleted post of the app's own user",
    body: told({ subtype: "message_deleted", deleted_ts: "1.1", previous_message: { user: OWN_USER, text: "Done" } }),
    reads: OWN,
  },
  {
    title: "a reaction of the app's own user",
    body: told({ type: "reaction_added", user: OWN_USER, reaction: "eyes", item: { channel: "C1", ts: "1.2" } }),
    reads: OWN,
  },
];

export const slackBotsCase: ListenerCase = {
  ...slackCase,
  variant: "with allow_bots",
  settings: { allowBots: true },
  samples: samples.map((sample) => ({ ...sample, headers: { "content-type": "application/json" } })),
  vectors: [],
};
