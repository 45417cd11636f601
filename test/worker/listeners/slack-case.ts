/** What Slack sends, as its documentation shows it. */
import { slack } from "#worker/inbound/sources/slack.ts";
import type { ListenerCase, ListenerSample } from "./listener-case.ts";
import { bytesOf, hmacHex } from "./signing.ts";
import { slackSends } from "./slack-sends.ts";

const JSON_HEADERS = {
  "content-type": "application/json",
  "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
};
const FORM_HEADERS = { ...JSON_HEADERS, "content-type": "application/x-www-form-urlencoded" };
const TOKEN = "ZZZZZZWSxiZZZ2yIvs3peJ";
const OWN_USER = "U0LAN0Z89";

/** The worked example of "Verifying requests from Slack"; the signature is over these bytes. */
const COMMAND =
  "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
  "&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=" +
  "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN" +
  "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

function callback(event: Record<string, unknown>, eventId = "Ev0PV52K25"): () => string {
  return () =>
    JSON.stringify({
      token: TOKEN,
      team_id: "T061EG9R6",
      api_app_id: "A0MDYCDME",
      event,
      type: "event_callback",
      event_id: eventId,
      event_time: 1515449522,
      authorizations: [
        { enterprise_id: null, team_id: "T061EG9R6", user_id: OWN_USER, is_bot: true, is_enterprise_install: false },
      ],
      is_ext_shared_channel: false,
      event_context: "4-eyJldCI6ImFwcF9tZW50aW9uIn0",
    });
}

const MENTION = {
  type: "app_mention",
  user: "U061F7AUR",
  text: `<@${OWN_USER}> is it everything a river should be?`,
  ts: "1515449522.000016",
  channel: "C0LAN2Q65",
  event_ts: "1515449522000016",
};
const MESSAGE = { type: "message", channel: "C123ABC456", ts: "1355517523.000005", channel_type: "channel" };

const samples: ListenerSample[] = [
  {
    title: "a mention (docs.slack.dev/reference/events/app_mention)",
    headers: JSON_HEADERS,
    body: callback(MENTION),
    reads: {
      kind: "event",
      event: {
        name: "app_mention",
        action: null,
        summary: `Slack app_mention in C0LAN2Q65 by U061F7AUR: <@${OWN_USER}> is it everything a river should be?`,
        dedupe_key: "message T061EG9R6 C0LAN2Q65 1515449522.000016",
        fields: {
          text: MENTION.text,
          user: "U061F7AUR",
          channel: "C0LAN2Q65",
          conversation: "C0LAN2Q65 1515449522.000016",
          team: "T061EG9R6",
        },
      },
      context: ["Event: app_mention", "User: U061F7AUR", "Channel: C0LAN2Q65", `Text: ${MENTION.text}`],
      absent: [TOKEN],
      paths: { "event.type": "app_mention", api_app_id: "A0MDYCDME", token: undefined },
    },
  },
  {
    title: "the same mention a second time",
    headers: { ...JSON_HEADERS, "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout" },
    body: callback(MENTION),
    reads: {
      kind: "event",
      event: { name: "app_mention", dedupe_key: "message T061EG9R6 C0LAN2Q65 1515449522.000016" },
      context: [],
    },
  },
  {
    title: "the message that it is, which has another event's id",
    headers: JSON_HEADERS,
    body: callback({ ...MENTION, type: "message", channel_type: "channel" }, "Ev0PV52K26"),
    reads: {
      kind: "event",
      event: { name: "message", dedupe_key: "message T061EG9R6 C0LAN2Q65 1515449522.000016" },
      context: [],
    },
  },
  {
    title: "the same message with its link unfolded",
    headers: JSON_HEADERS,
    body: callback({
      ...MESSAGE,
      subtype: "message_changed",
      message: { type: "message", user: "U1", text: "see https://a.example", ts: MESSAGE.ts, attachments: [{ id: 1 }] },
      previous_message: { type: "message", user: "U1", text: "see https://a.example", ts: MESSAGE.ts },
    }),
    reads: { kind: "ignored", reason: /text is what it was/ },
  },
  {
    title: "a message in a thread, with a file (docs.slack.dev/reference/events/message)",
    headers: JSON_HEADERS,
    body: callback({
      ...MESSAGE,
      user: "U123ABC456",
      text: "Hello world\nand more",
      thread_ts: "1355517500.000001",
      files: [{ id: "F1", name: "trace.txt" }],
    }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: null,
        summary: "Slack message in C123ABC456 by U123ABC456: Hello world and more",
        fields: {
          text: "Hello world\nand more",
          user: "U123ABC456",
          channel: "C123ABC456",
          thread: "1355517500.000001",
          conversation: "C123ABC456 1355517500.000001",
          team: "T061EG9R6",
        },
      },
      context: ["Thread: 1355517500.000001", "Kind of channel: channel", "Text:\nHello world\nand more"],
      paths: { "event.files.0.name": "trace.txt" },
    },
  },
  {
    title: "a changed message (docs.slack.dev/reference/events/message/message_changed)",
    headers: JSON_HEADERS,
    body: callback({
      ...MESSAGE,
      subtype: "message_changed",
      message: { type: "message", user: "U123ABC456", text: "Hello, world!", ts: "1355517523.000005" },
      previous_message: { type: "message", user: "U123ABC456", text: "Hello, word!", ts: "1355517523.000005" },
    }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: "message_changed",
        dedupe_key: "Ev0PV52K25",
        fields: { text: "Hello, world!", user: "U123ABC456" },
      },
      context: ["Event: message message_changed", "Text: Hello, world!"],
    },
  },
  {
    title: "a reaction (docs.slack.dev/reference/events/reaction_added)",
    headers: JSON_HEADERS,
    body: callback({
      type: "reaction_added",
      user: "U123ABC456",
      reaction: "thumbsup",
      item_user: "U222222222",
      item: { type: "message", channel: "C123ABC456", ts: "1360782400.498405" },
      event_ts: "1360782804.083113",
    }),
    reads: {
      kind: "event",
      event: {
        name: "reaction_added",
        action: null,
        summary: "Slack reaction_added in C123ABC456 by U123ABC456: thumbsup",
        fields: { text: "thumbsup", channel: "C123ABC456", user: "U123ABC456" },
      },
      context: ["Message: 1360782400.498405"],
      paths: { "event.reaction": "thumbsup", "event.item.ts": "1360782400.498405" },
    },
  },
  {
    title: "the check of the address (docs.slack.dev/reference/events/url_verification)",
    headers: JSON_HEADERS,
    body: () =>
      JSON.stringify({
        token: "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
        type: "url_verification",
      }),
    reads: {
      kind: "ignored",
      reason: /checked the address/,
      answer: {
        status: 200,
        contentType: "text/plain",
        body: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
      },
    },
  },
  {
    title: "a message of the app's own bot",
    headers: JSON_HEADERS,
    body: callback({ ...MESSAGE, user: OWN_USER, bot_id: "B0439P161B9", app_id: "A0MDYCDME", text: "Done." }),
    reads: { kind: "ignored", reason: /bot did this/ },
  },
  {
    title: "a message of a bot of old (docs.slack.dev/reference/events/message/bot_message)",
    headers: JSON_HEADERS,
    body: callback({ ...MESSAGE, subtype: "bot_message", text: "pushing", username: "github" }),
    reads: { kind: "ignored", reason: /bot did this/ },
  },
  {
    title: "a changed message of a bot",
    headers: JSON_HEADERS,
    body: callback({ ...MESSAGE, subtype: "message_changed", message: { bot_id: "B0439P161B9", text: "Done!" } }),
    reads: { kind: "ignored", reason: /bot did this/ },
  },
  {
    title: "a reaction of the app's own user",
    headers: JSON_HEADERS,
    body: callback({ type: "reaction_added", user: OWN_USER, reaction: "eyes", item: { channel: "C1", ts: "1.2" } }),
    reads: { kind: "ignored", reason: /bot did this/ },
  },
  {
    title: "that events are held back (docs.slack.dev/reference/events/app_rate_limited)",
    headers: JSON_HEADERS,
    body: () =>
      JSON.stringify({
        token: "Jhj5dZrVaK7ZwHHjRyZWjbDl",
        type: "app_rate_limited",
        team_id: "T123ABC456",
        minute_rate_limited: 1518467820,
        api_app_id: "A123ABC456",
      }),
    reads: { kind: "ignored", reason: /holds back/ },
  },
  {
    title: "a command without a text",
    headers: FORM_HEADERS,
    body: () => COMMAND,
    reads: {
      kind: "event",
      event: {
        name: "slash_command",
        action: "webhook-collect",
        summary: "Slack /webhook-collect by roadrunner",
        dedupe_key: "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
        fields: {
          user: "U2CERLKJA",
          user_name: "roadrunner",
          channel: "G8PSS9T3V",
          channel_name: "foobar",
          team: "T1DC2JH3J",
        },
      },
      context: ["Command: /webhook-collect", "User: roadrunner (U2CERLKJA)", "Channel: foobar (G8PSS9T3V)"],
      absent: ["xyzz0WbapA4vBCDEFasx0q6G", "hooks.slack.com", "398738663015"],
      paths: { command: "/webhook-collect", user_name: "roadrunner" },
      answer: {
        status: 200,
        contentType: "application/json",
        body: '{"response_type":"ephemeral","text":"Reveille has taken in `/webhook-collect`."}',
      },
    },
  },
  {
    title: "a command with a text (docs.slack.dev/interactivity/implementing-slash-commands)",
    headers: FORM_HEADERS,
    body: () =>
      "command=/weather&text=94070+%26+caf%C3%A9&user_name=Steve&trigger_id=13345224609.738474920.8088930838d8",
    reads: {
      kind: "event",
      event: { name: "slash_command", action: "weather", summary: "Slack /weather 94070 & café by Steve" },
      context: ["Text: 94070 & café"],
      answer: {
        status: 200,
        contentType: "application/json",
        body: '{"response_type":"ephemeral","text":"Reveille has taken in `/weather`."}',
      },
    },
  },
  {
    title: "a check of the certificate",
    headers: FORM_HEADERS,
    body: () => "ssl_check=1&token=Jhj5dZrVaK7ZwHHjRyZWjbDl",
    reads: { kind: "ignored", reason: /certificate/ },
  },
  {
    title: "a pressed button (docs.slack.dev/reference/interaction-payloads/block_actions-payload)",
    headers: FORM_HEADERS,
    body: () => `payload=${encodeURIComponent('{"type":"block_actions","actions":[]}')}`,
    reads: { kind: "ignored", reason: /Buttons/ },
  },
  { title: "no form", body: () => "hello", reads: { kind: "unreadable", reason: /neither/ } },
  {
    title: "an envelope of another kind",
    body: () => '{"type":"hello"}',
    reads: { kind: "unreadable", reason: /type/ },
  },
];

export const slackCase: ListenerCase = {
  listener: slack,
  documentation: [
    "https://docs.slack.dev/authentication/verifying-requests-from-slack",
    "https://docs.slack.dev/apis/events-api/",
  ],
  secrets: ["8f742231b10e8888abcd99yyyzzz85a5", "1a2b3c4d5e6f708192a3b4c5d6e7f809"],
  signature: { header: "x-slack-signature", prefix: "v0=", encoding: "hex" },
  coversBody: true,
  windowSeconds: 300,
  async sign(body, secret, atMs) {
    const time = String(Math.floor(atMs / 1_000));
    const head = bytesOf(`v0:${time}:`);
    const message = new Uint8Array(head.length + body.length);
    message.set(head);
    message.set(body, head.length);
    return { "x-slack-request-timestamp": time, "x-slack-signature": `v0=${await hmacHex(secret, message)}` };
  },
  samples,
  sends: slackSends,
  vectors: [
    {
      source: '"Verifying requests from Slack", docs.slack.dev/authentication/verifying-requests-from-slack',
      headers: {
        ...FORM_HEADERS,
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      },
      body: COMMAND,
      secrets: ["8f742231b10e8888abcd99yyyzzz85a5"],
      atMs: 1_531_420_618_000,
    },
  ],
  refusals: [
    { title: "no time", headers: { "x-slack-request-timestamp": null }, failure: "time_missing" },
    { title: "a time that is none", headers: { "x-slack-request-timestamp": "now" }, failure: "time_missing" },
    { title: "a time with a sign", headers: { "x-slack-request-timestamp": "+1" }, failure: "time_missing" },
    { title: "a time twice", headers: { "x-slack-request-timestamp": "1, 1" }, failure: "time_missing" },
    { title: "a time of its own", headers: { "x-slack-request-timestamp": "1795253400" }, failure: "signature_wrong" },
  ],
};
