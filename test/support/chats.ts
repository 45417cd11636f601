/** Telegram and Discord as tests play them: what each is sent, how presses and messages come, and what is answered. */
import { expect } from "vitest";
import { DISCORD_KEY, signAsDiscord } from "#test/worker/listeners/discord-case.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";
import { post } from "./deliver.ts";

const TELEGRAM_SECRET = "telegram-secret-of-the-tests-0123456789";

export interface Chat {
  kind: "telegram" | "discord";
  secret: string;
  /** The secret's value, and where a message then goes. */
  address(made: number): string;
  postedTo(made: number): string;
  /** Of a message: its text, and its buttons with what they stand for. */
  textOf(message: Record<string, unknown>): string;
  buttonsOf(message: Record<string, unknown>): { label: string; value: string }[];
  press(path: string, value: string, user: { id: string; name?: string }): Promise<Answered>;
  /** Says something in one conversation: at first, and then in answer to that, or in the same thread. */
  say(path: string, text: string, place: number): Promise<Answered>;
  /** Of an answer that has the message become another. */
  become(answer: Answered): string | null;
  /** Of one that only tells whoever has pressed. */
  told(answer: Answered): string | null;
}
type Answered = { status: number; body: Record<string, unknown> };

async function posted(path: string, body: string, headers: Record<string, string>): Promise<Answered> {
  const response = await post(path, body, { "content-type": "application/json", ...headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

interface Markup {
  inline_keyboard: { text: string; callback_data: string }[][];
}
interface Row {
  components: { label: string; custom_id: string }[];
}

export const telegram: Chat = {
  kind: "telegram",
  secret: TELEGRAM_SECRET,
  address: (made) =>
    `https://api.telegram.org/bot${made}:canary-token/sendMessage?chat_id=-100${made}&message_thread_id=7`,
  postedTo: (made) => `https://api.telegram.org/bot${made}:canary-token/sendMessage`,
  textOf: (message) => String(message["text"]),
  buttonsOf: (message) =>
    ((message["reply_markup"] as Markup | undefined)?.inline_keyboard ?? []).flat().map(({ text, callback_data }) => ({
      label: text,
      value: callback_data,
    })),
  press: (path, data, { id, name }) => {
    const from = { id: Number(id), is_bot: false, first_name: "A", ...(name === undefined ? {} : { username: name }) };
    const message = { message_id: 5, chat: { id: -1001, type: "supergroup" }, from: { id: 1, is_bot: true } };
    const body = JSON.stringify({ update_id: 1, callback_query: { id: "77", from, message, data } });
    return posted(path, body, { "x-telegram-bot-api-secret-token": TELEGRAM_SECRET });
  },
  say: (path, text, place) => {
    const from = { id: 61, is_bot: false, first_name: "Jane", username: "jane" };
    const chat = { id: -1001, type: "supergroup", title: "Ops" };
    const answered = place === 0 ? {} : { reply_to_message: { message_id: 10, chat, from: { id: 61 }, text: "first" } };
    const message = { message_id: 10 + place, chat, from, text, ...answered };
    const body = JSON.stringify({ update_id: 100 + place, message });
    return posted(path, body, { "x-telegram-bot-api-secret-token": TELEGRAM_SECRET });
  },
  become: ({ body }) => {
    if (body["method"] !== "editMessageText") return null;
    expect(body).toMatchObject({ chat_id: "-1001", message_id: 5 });
    expect(body).not.toHaveProperty("reply_markup");
    return String(body["text"]);
  },
  told: ({ body }) => (body["method"] === "answerCallbackQuery" ? String(body["text"]) : null),
};

async function headersOfDiscord(body: string): Promise<Record<string, string>> {
  const time = String(Math.floor(Date.now() / 1_000));
  const signature = await signAsDiscord(DISCORD_KEY, bytesOf(`${time}${body}`));
  return { "x-signature-timestamp": time, "x-signature-ed25519": signature };
}

export const discord: Chat = {
  kind: "discord",
  secret: DISCORD_KEY,
  address: (made) => `https://discord.com/api/webhooks/${made}/canary-token?with_components=true`,
  postedTo: (made) => `https://discord.com/api/webhooks/${made}/canary-token?with_components=true`,
  textOf: (message) => {
    expect(message["allowed_mentions"]).toEqual({ parse: [] });
    return String(message["content"]);
  },
  buttonsOf: (message) =>
    ((message["components"] as Row[] | undefined) ?? [])
      .flatMap(({ components }) => components)
      .map(({ label, custom_id }) => ({ label, value: custom_id })),
  press: async (path, custom_id, { id, name }) => {
    const press = {
      type: 3,
      id: "5",
      token: "t",
      channel_id: "9",
      message: { id: "8" },
      member: { user: { id, username: name } },
      data: { custom_id, component_type: 2 },
    };
    return posted(path, JSON.stringify(press), await headersOfDiscord(JSON.stringify(press)));
  },
  say: async (path, text, place) => {
    const command = {
      type: 2,
      id: `1${place}`,
      channel_id: "900",
      channel: { id: "900", type: 11 },
      member: { user: { id: "61", username: "jane" } },
      data: { name: "agent", options: [{ name: "say", value: text }] },
    };
    return posted(path, JSON.stringify(command), await headersOfDiscord(JSON.stringify(command)));
  },
  become: ({ body }) => {
    if (body["type"] !== 7) return null;
    expect(body["data"]).toMatchObject({ components: [], allowed_mentions: { parse: [] } });
    return String((body["data"] as { content: string }).content).replaceAll("\\", "");
  },
  told: ({ body }) => (body["type"] === 4 ? String((body["data"] as { content: string }).content) : null),
};
