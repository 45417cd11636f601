/**
 * Telegram's updates of a bot, by its webhook. Telegram signs nothing: a header shows the secret that was given with the
 * address.
 * @see https://core.telegram.org/bots/api#setwebhook "setWebhook": `secret_token`, repeats
 * @see https://core.telegram.org/bots/api#update "Update": kinds of updates, and `update_id`
 */
import type { Json, JsonObject } from "#protocol/schema.ts";
import { telegramAnswered } from "#rules/run/chat-bodies.ts";
import { hasSecret } from "./hex-signature.ts";
import { isAnyToken } from "./hmac.ts";
import type { EndpointSettings, InboundRequest, Listener, ListenerAnswer, Press, Reading } from "./listener.ts";
import { namedFields } from "./named-fields.ts";
import { contextOf, cut, isObject, jsonObject, readEvent, textAt, valueAt, wordAt } from "./payload.ts";
import { unverified, verified } from "./verification.ts";

export const telegram: Listener = {
  source: "telegram",
  title: "Telegram",
  secretFrom: "reveille",
  fields: [
    { field: "text", what: "The text of a message, or the words under its picture; of a button, its data" },
    { field: "command", what: "The command that a message begins with, without slash and bot: deploy" },
    { field: "arguments", what: "What follows the command" },
    { field: "user", what: "The number of who did it, as text: a name can be changed" },
    { field: "user_name", what: "The @name of who did it, without the @" },
    { field: "chat", what: "The chat's number, as text, such as -1001234567890" },
    { field: "chat_type", what: "private, group, supergroup or channel" },
    { field: "chat_title", what: "The name of a group or a channel" },
    { field: "thread", what: "Of a topic or a thread of replies: its number" },
    { field: "conversation", what: "One for a message and its replies; of a private chat, the chat" },
    { field: "message.reply_to_message.text", what: "The message that was answered" },
    { field: "callback_query.data", what: "Of a button: what it stands for" },
  ],
  secretFault: (secret) =>
    /^[A-Za-z0-9_-]{1,256}$/.test(secret) ? null : "must be letters, digits, _ and -, as Telegram takes no other",
  setUp: (url) => [
    "In Telegram, write to **@BotFather**, send `/newbot`, and follow it: it tells the bot's token.",
    "Draw this endpoint's secret in Reveille: it is shown once.",
    "Tell Telegram the address, with token and secret in their places: " +
      `\`curl https://api.telegram.org/botTOKEN/setWebhook -d url=${url} -d secret_token=SECRET ` +
      '-d \'allowed_updates=["message","edited_message","callback_query"]\'`. A bot has one address.',
    "In a group, the bot is told of commands and of replies to it; of all messages once **@BotFather → /setprivacy** is off, or the bot is an admin. Add it again after that.",
    "Write to the bot: the delivery shows up in Reveille within seconds. `…/botTOKEN/getWebhookInfo` says what Telegram has met.",
  ],
  async verify({ headers }, { secrets }) {
    if (!hasSecret(secrets)) return unverified("no_secret");
    const token = headers.get("x-telegram-bot-api-secret-token");
    if (token === null || token === "") return unverified("token_missing");
    return (await isAnyToken(secrets, token)) ? verified : unverified("token_wrong");
  },
  read,
  press,
};

/** What Telegram shows above a chat, in characters. */
const NOTICE_LIMIT = 200;

/**
 * Telegram takes a call of its API as the answer to an update. The message becomes another; where it is to stay as it is,
 * whoever pressed is told.
 */
function press({ body }: InboundRequest): Press | null {
  const payload = jsonObject(body) ?? undefined;
  const query = valueAt(payload, "callback_query");
  const [token, id] = [textAt(query, "data"), textAt(query, "id")];
  const user = wordAt(query, "from.id");
  if (token === null || id === null || user === null) return null;
  const notice = (text: string) =>
    apiCall({ method: "answerCallbackQuery", callback_query_id: id, text: cut(text, NOTICE_LIMIT), show_alert: true });
  const chat = wordAt(query, "message.chat.id");
  const message = wordAt(query, "message.message_id");
  const name = textAt(query, "from.username");
  return {
    token,
    kind: "telegram",
    who: `telegram:${user}${name !== null && /^\w{1,64}$/.test(name) ? `/${name}` : ""}`,
    answered: (question, outcome) =>
      chat === null || message === null
        ? notice(outcome)
        : apiCall({
            method: "editMessageText",
            chat_id: chat,
            message_id: Number(message),
            text: telegramAnswered(question, outcome),
            link_preview_options: { is_disabled: true },
          }),
    refused: notice,
  };
}

function apiCall(call: Record<string, unknown>): ListenerAnswer {
  return { status: 200, contentType: "application/json", body: JSON.stringify(call) };
}

function read({ body }: InboundRequest, _settings: EndpointSettings): Reading {
  const payload = jsonObject(body);
  if (payload === null) return { kind: "unreadable", reason: "The body is not a JSON object, or nested too deeply." };
  const id = wordAt(payload, "update_id");
  // An update has its number and one part, which is called by its kind.
  const name = Object.keys(payload).find((key) => key !== "update_id" && isObject(payload[key]));
  if (id === null || name === undefined) {
    return { kind: "unreadable", reason: "The body has no update_id and no part of an update, as Telegram's have." };
  }
  const update = payload[name];
  const as = valueAt(update, "sender_chat") ?? valueAt(update, "actor_chat");
  const who = as ?? valueAt(update, "from") ?? valueAt(update, "user");
  // Who writes in a group's or a channel's name is shown as a bot of Telegram's beside it.
  if (valueAt(who, "is_bot") === true) {
    return { kind: "ignored", reason: "A bot did this. Bots wake nothing, so that none wakes itself." };
  }
  // A bot's own post comes back so, and nothing in it says that a bot wrote it.
  if (valueAt(update, "is_automatic_forward") === true) {
    return {
      kind: "ignored",
      reason: "Telegram has put a channel's post into the channel's group. The post itself is the event channel_post.",
    };
  }
  // Of a button the message is the one that it stands under.
  const message = valueAt(update, "message") ?? update;
  const text = textAt(update, "text") ?? textAt(update, "caption") ?? textAt(update, "data");
  const command = commandOf(text);
  const chat = valueAt(message, "chat");
  const chatTitle = textAt(chat, "title");
  const user = personOf(who);
  const place = chatTitle === null ? "" : ` in ${chatTitle}`;
  const heading = `Telegram ${name.replaceAll("_", " ")}${place}${user === null ? "" : ` by ${user}`}`;
  const event = readEvent({
    name,
    action: null,
    summary: text === null ? heading : `${heading}: ${text}`,
    dedupe_key: `update ${id}`,
    payload,
    fields: namedFields({
      text,
      command: command?.name,
      arguments: command?.rest,
      user: wordAt(who, "id"),
      user_name: textAt(who, "username"),
      chat: wordAt(chat, "id"),
      chat_type: textAt(chat, "type"),
      chat_title: chatTitle,
      thread: wordAt(message, "message_thread_id"),
      conversation: conversationOf(message),
    }),
    context: contextOf([
      ["Event", name],
      ["By", user],
      ["User", wordAt(who, "id")],
      ["Chat", chatTitle],
      ["Chat's number", wordAt(chat, "id")],
      ["Kind of chat", textAt(chat, "type")],
      ["Message", wordAt(message, "message_id")],
      ["Thread", wordAt(message, "message_thread_id")],
      ["Forwarded from", forwardedFrom(message)],
      ["Files", filesOf(message)],
      ["In answer to", textAt(message, "reply_to_message.text") ?? textAt(message, "reply_to_message.caption")],
      ["Text", text],
    ]),
  });
  return { kind: "event", event };
}

/** `/deploy@acme_bot staging`: the command, and what follows. */
function commandOf(text: string | null): { name: string; rest: string | null } | null {
  const [, name, rest = ""] =
    /^\/([A-Za-z0-9_]{1,64})(?:@[A-Za-z0-9_]{1,64})?(?:\s+([\s\S]*))?$/.exec(text ?? "") ?? [];
  return name === undefined ? null : { name, rest: rest === "" ? null : rest };
}

/** For instance `Ann Lee (@ann)`; of a chat its title. */
function personOf(who: Json | undefined): string | null {
  const parts = ["first_name", "last_name", "title"].map((part) => textAt(who, part));
  const name = parts.filter((part) => part !== null).join(" ");
  const handle = textAt(who, "username");
  if (handle === null) return name === "" ? null : name;
  return name === "" ? `@${handle}` : `${name} (@${handle})`;
}

/**
 * A private chat is one conversation, or each of its topics. In a group, what belongs to a topic or a thread of replies has its number, which is
 * the first message's; elsewhere a message begins a conversation, and an answer to it belongs to that.
 */
function conversationOf(message: Json | undefined): string | null {
  const chat = wordAt(message, "chat.id");
  if (chat === null) return null;
  const thread = wordAt(message, "message_thread_id");
  if (textAt(message, "chat.type") === "private") return thread === null ? chat : `${chat} ${thread}`;
  const paths = ["message_thread_id", "reply_to_message.message_id", "message_id"];
  const first = paths.map((path) => wordAt(message, path)).find((found) => found !== null);
  return first === undefined ? null : `${chat} ${first}`;
}

function forwardedFrom(message: Json | undefined): string | null {
  const origin = valueAt(message, "forward_origin");
  const chat = textAt(origin, "chat.title") ?? textAt(origin, "sender_chat.title");
  return chat ?? personOf(valueAt(origin, "sender_user")) ?? textAt(origin, "sender_user_name");
}

const FILES = ["document", "photo", "video", "audio", "voice", "video_note", "animation", "sticker"];

/** Names of files, or what they are; the bytes are had from Telegram by `file_id`, with the bot's token. */
function filesOf(message: Json | undefined): string | null {
  const files = FILES.filter((kind) => isFile((message as JsonObject | undefined)?.[kind]));
  const named = files.map((kind) => textAt(message, `${kind}.file_name`) ?? kind.replace("_", " "));
  return named.length === 0 ? null : named.join(", ");
}

function isFile(value: Json | undefined): boolean {
  return typeof value === "object" && value !== null;
}
