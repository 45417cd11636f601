/** What Telegram sends, as the Bot API's documentation describes it. */
import { telegram } from "#worker/inbound/sources/telegram.ts";
import type { ListenerCase, ListenerSample, SourceSends } from "./listener-case.ts";
import { sampleOf } from "./sample-of.ts";

const HEADERS = { "content-type": "application/json" };
const from = {
  id: 7654321098,
  is_bot: false,
  first_name: "Ann",
  last_name: "Lee",
  username: "ann",
  language_code: "en",
};
const group = { id: -1001234567890, title: "Ops", type: "supergroup" };
const message = { message_id: 365, from, chat: group, date: 1795166400, text: "is the door mended?" };
const sent =
  (part: Record<string, unknown>, id = 10000) =>
  () =>
    JSON.stringify({ update_id: id, ...part });

const samples: ListenerSample[] = [
  {
    title: "a message of a group",
    headers: HEADERS,
    body: sent({ message }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        action: null,
        summary: "Telegram message in Ops by Ann Lee (@ann): is the door mended?",
        dedupe_key: "update 10000",
        fields: {
          text: "is the door mended?",
          user: "7654321098",
          user_name: "ann",
          chat: "-1001234567890",
          chat_type: "supergroup",
          chat_title: "Ops",
          conversation: "-1001234567890 365",
        },
      },
      context: ["By: Ann Lee (@ann)", "Chat: Ops", "Message: 365", "Text: is the door mended?"],
    },
  },
  {
    title: "the same message a second time",
    headers: HEADERS,
    body: sent({ message }),
    reads: { kind: "event", event: { name: "message", dedupe_key: "update 10000" }, context: [] },
  },
  {
    title: "an answer to it, which belongs to its conversation",
    headers: HEADERS,
    body: sent({ message: { ...message, message_id: 366, text: "not yet", reply_to_message: message } }, 10001),
    reads: {
      kind: "event",
      event: { name: "message", fields: { ...expectedFields("not yet"), conversation: "-1001234567890 365" } },
      context: ["In answer to: is the door mended?"],
      paths: { "message.reply_to_message.text": "is the door mended?" },
    },
  },
  {
    title: "an answer to an answer, in a thread of replies",
    headers: HEADERS,
    body: sent({
      message: {
        ...message,
        message_id: 367,
        message_thread_id: 365,
        reply_to_message: { ...message, message_id: 366 },
      },
    }),
    reads: {
      kind: "event",
      event: { name: "message", fields: { ...expectedFields(message.text), thread: "365" } },
      context: ["Thread: 365"],
    },
  },
  {
    title: "a command to one bot of several, in a private chat",
    headers: HEADERS,
    body: sent({
      message: {
        ...message,
        chat: { id: 7654321098, type: "private", first_name: "Ann" },
        text: "/deploy@acme_bot staging\nnow",
      },
    }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        summary: "Telegram message by Ann Lee (@ann): /deploy@acme_bot staging now",
        fields: {
          text: "/deploy@acme_bot staging\nnow",
          command: "deploy",
          arguments: "staging\nnow",
          user: "7654321098",
          user_name: "ann",
          chat: "7654321098",
          chat_type: "private",
          conversation: "7654321098",
        },
      },
      context: ["Kind of chat: private"],
    },
  },
  {
    title: "a message that was changed: another update",
    headers: HEADERS,
    body: sent({ edited_message: { ...message, edit_date: 1795166500, text: "is it mended?" } }, 10002),
    reads: {
      kind: "event",
      event: {
        name: "edited_message",
        dedupe_key: "update 10002",
        summary: "Telegram edited message in Ops by Ann Lee (@ann): is it mended?",
      },
      context: ["Text: is it mended?"],
    },
  },
  {
    title: "messages that were deleted from a business chat: the only ones of which Telegram tells",
    headers: HEADERS,
    body: sent({
      deleted_business_messages: { business_connection_id: "b1", chat: { id: 5, type: "private" }, message_ids: [1] },
    }),
    reads: {
      kind: "event",
      event: { name: "deleted_business_messages", summary: "Telegram deleted business messages" },
      context: ["Chat's number: 5"],
    },
  },
  {
    title: "a post with a file, forwarded, beyond ASCII",
    headers: HEADERS,
    body: () =>
      `{"update_id":10003,"channel_post":{"message_id":9,"chat":{"id":-1001,"title":"News","type":"channel"},"date":1,` +
      `"caption":"S\\u00ed \\ud83c\\udfba","document":{"file_id":"f","file_name":"trace.txt"},` +
      `"forward_origin":{"type":"channel","chat":{"id":-1002,"title":"Other"}}}}`,
    reads: {
      kind: "event",
      event: {
        name: "channel_post",
        summary: "Telegram channel post in News: Sí 🎺",
        fields: { text: "Sí 🎺", chat: "-1001", chat_type: "channel", chat_title: "News", conversation: "-1001 9" },
      },
      context: ["Files: trace.txt", "Forwarded from: Other"],
    },
  },
  {
    title: "a button of a bot's message",
    headers: HEADERS,
    body: sent({
      callback_query: {
        id: "4382bfdwdsb323b2d9",
        from,
        message: { ...message, from: { id: 1, is_bot: true } },
        chat_instance: "1",
        data: "restart",
      },
    }),
    reads: {
      kind: "event",
      event: { name: "callback_query", fields: { ...expectedFields("restart") } },
      context: ["Text: restart"],
      paths: { "callback_query.data": "restart" },
    },
  },
  {
    title: "a message of 4,096 characters with 100 parts of its form, the largest form",
    headers: HEADERS,
    body: sent({
      message: {
        ...message,
        text: "🎺".repeat(2_048),
        entities: Array(100).fill({ type: "bold", offset: 0, length: 2 }),
      },
    }),
    reads: { kind: "event", event: { name: "message" }, context: ["Text: 🎺🎺"] },
  },
  {
    title: "a message of an administrator who writes in the group's name",
    headers: HEADERS,
    body: sent({
      message: {
        ...message,
        sender_chat: group,
        from: { id: 1087968824, is_bot: true, username: "GroupAnonymousBot" },
      },
    }),
    reads: {
      kind: "event",
      event: {
        name: "message",
        summary: "Telegram message in Ops by Ops: is the door mended?",
        fields: { user: "-1001234567890", text: "is the door mended?" },
      },
      context: ["By: Ops"],
    },
  },
  {
    title: "a message of another bot",
    headers: HEADERS,
    body: sent({ message: { ...message, from: { id: 2, is_bot: true, first_name: "Other" } } }),
    reads: { kind: "ignored", reason: /bot did this/ },
  },
  {
    title: "a channel's post that Telegram has put into the channel's group, which a bot may have written",
    headers: HEADERS,
    body: sent({
      message: {
        ...message,
        from: { id: 777000, is_bot: false, first_name: "Telegram" },
        sender_chat: { id: -1001, title: "News", type: "channel" },
        is_automatic_forward: true,
      },
    }),
    reads: { kind: "ignored", reason: /channel_post/ },
  },
  {
    title: "no update",
    headers: HEADERS,
    body: () => '{"ok":true}',
    reads: { kind: "unreadable", reason: /update_id/ },
  },
];

function expectedFields(text: string) {
  return {
    text,
    user: "7654321098",
    user_name: "ann",
    chat: "-1001234567890",
    chat_type: "supergroup",
    chat_title: "Ops",
    conversation: "-1001234567890 365",
  };
}

const PAGE = "https://core.telegram.org/bots/api#update";
const of = (title: string) => sampleOf(samples, title, PAGE);
const sends: SourceSends = {
  onRetry: { ...of("the same message"), knownBy: "id" },
  onEdit: of("a message that was changed"),
  onDelete: of("messages that were deleted"),
  largest: { ...of("a message of 4,096"), bytes: 8_192 },
  rarestEncoding: of("a post with a file"),
};

export const telegramCase: ListenerCase = {
  listener: telegram,
  documentation: ["https://core.telegram.org/bots/api#setwebhook", "https://core.telegram.org/bots/api#update"],
  secrets: ["3f6d2c8a41b7e90512fd", "a-rotated_token-of-the-owner"],
  signature: {
    header: "x-telegram-bot-api-secret-token",
    prefix: "",
    encoding: "token",
    missing: "token_missing",
    wrong: "token_wrong",
  },
  coversBody: false,
  windowSeconds: null,
  async sign(_body, secret) {
    return { "x-telegram-bot-api-secret-token": secret };
  },
  samples,
  sends,
};
