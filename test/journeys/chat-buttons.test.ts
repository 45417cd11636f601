/** A question in Telegram or Discord is answered by its buttons, at the endpoint of a trigger: once, and the message says so. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeShortToken, markOf } from "#instance/notifications/short-answer-token.ts";
import type { AskedQuestion } from "#protocol/question.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { post } from "#test/support/deliver.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { hide } from "#test/support/hidden.ts";
import { VARIABLE_CANARIES } from "#test/support/secret-kinds.ts";
import { DISCORD_KEY, signAsDiscord } from "#test/worker/listeners/discord-case.ts";
import { bytesOf } from "#test/worker/listeners/signing.ts";

const QUESTION: AskedQuestion = {
  id: "toolu_question",
  kind: "question",
  text: "Which *colour*? @everyone",
  choices: ["red", "b".repeat(100)],
  default: null,
  call: null,
  input_hash: "a".repeat(64),
};
const APPROVAL: AskedQuestion = {
  ...QUESTION,
  kind: "approval",
  choices: [],
  call: { tool: "Bash", input: { command: "git push" } },
};
const TELEGRAM_SECRET = "telegram-secret-of-the-tests-0123456789";

interface Chat {
  kind: "telegram" | "discord";
  secret: string;
  /** The secret's value, and where a message then goes. */
  address(made: number): string;
  postedTo(made: number): string;
  /** Of a message: its text, and its buttons with what they stand for. */
  textOf(message: Record<string, unknown>): string;
  buttonsOf(message: Record<string, unknown>): { label: string; value: string }[];
  press(path: string, value: string, user: { id: string; name?: string }): Promise<Answered>;
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

const telegram: Chat = {
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
  become: ({ body }) => {
    if (body["method"] !== "editMessageText") return null;
    expect(body).toMatchObject({ chat_id: "-1001", message_id: 5 });
    expect(body).not.toHaveProperty("reply_markup");
    return String(body["text"]);
  },
  told: ({ body }) => (body["method"] === "answerCallbackQuery" ? String(body["text"]) : null),
};

const discord: Chat = {
  kind: "discord",
  secret: DISCORD_KEY,
  address: (made) => `https://discord.com/api/webhooks/${made}/canary-token`,
  postedTo: (made) => `https://discord.com/api/webhooks/${made}/canary-token`,
  textOf: (message) => {
    expect(message["allowed_mentions"]).toEqual({ parse: [] });
    return String(message["content"]);
  },
  buttonsOf: (message) =>
    ((message["components"] as Row[] | undefined) ?? [])
      .flatMap(({ components }) => components)
      .map(({ label, custom_id }) => ({ label, value: custom_id })),
  press: async (path, custom_id, { id, name }) => {
    const body = JSON.stringify({
      type: 3,
      id: "5",
      token: "t",
      channel_id: "9",
      message: { id: "8" },
      member: { user: { id, username: name } },
      data: { custom_id, component_type: 2 },
    });
    const time = String(Math.floor(Date.now() / 1_000));
    const signature = await signAsDiscord(DISCORD_KEY, bytesOf(`${time}${body}`));
    return posted(path, body, { "x-signature-timestamp": time, "x-signature-ed25519": signature });
  },
  become: ({ body }) => {
    if (body["type"] !== 7) return null;
    expect(body["data"]).toMatchObject({ components: [], allowed_mentions: { parse: [] } });
    return String((body["data"] as { content: string }).content).replaceAll("\\", "");
  },
  told: ({ body }) => (body["type"] === 4 ? String((body["data"] as { content: string }).content) : null),
};

let sent: { url: string; message: Record<string, unknown> }[] = [];
let made = 0;

beforeEach(() => {
  sent = [];
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (!/^https:\/\/(?:api\.telegram\.org|discord\.com)\//.test(request.url)) throw new TypeError("no such host");
    sent.push({ url: request.url, message: await request.json() });
    return new Response('{"ok":true}');
  });
});

/** The endpoint of another routine's trigger, which hears of presses. */
async function endpointOf({ kind, secret }: Chat) {
  const routine = await buildRoutine({ triggers: [{ type: "webhook", source: kind }] });
  const [trigger] = routine.triggers;
  if (trigger === undefined) return expect.unreachable("the routine has a trigger");
  await call("POST", `/api/v1/routines/${routine.id}/triggers/${trigger.id}/secret`, { secret });
  return { path: `/webhooks/${kind}/${trigger.id}`, triggerId: trigger.id };
}

/** A run that asks, and the message that came of it. */
async function asked(chat: Chat, question: AskedQuestion = QUESTION) {
  made += 1;
  const name = `${chat.kind.toUpperCase()}_${made}`;
  hide(chat.address(made));
  await call("PUT", `/api/v1/secrets/${name}`, { value: chat.address(made) });
  const routine = await buildRoutine({
    limits: { timeout: "10h", answer: "1h" },
    notify: [{ on: ["waiting"], [chat.kind]: `{{${name}}}` }],
  });
  const runner = await FakeRunner.join();
  const { run_id: runId, claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, { kind: "waiting", for: question.kind, question });
  const message = await vi.waitFor(() => {
    const found = sent.find(({ url }) => url === chat.postedTo(made));
    if (found === undefined) throw new Error("the chat was not told");
    return found.message;
  });
  return {
    runId,
    sessionId,
    message,
    buttons: chat.buttonsOf(message),
    [Symbol.dispose]: () => runner[Symbol.dispose](),
  };
}

const answerOf = async (sessionId: string) =>
  (await readTranscript(sessionId)).find((event) => event.type === "question.answered");

async function deliveriesTo(triggerId: string): Promise<unknown[]> {
  return (await env.DB.prepare("SELECT id FROM deliveries WHERE trigger_id = ?").bind(triggerId).all()).results;
}

describe.each([telegram, discord])("a question in $kind", (chat) => {
  it("is answered by its button, by whoever pressed it, and its message says so without buttons", async () => {
    using question = await asked(chat);
    const { path, triggerId } = await endpointOf(chat);
    expect(question.buttons.map(({ label }) => label)).toEqual(["red", expect.stringMatching(/^b+…$/)]);
    expect(question.buttons.every(({ value }) => value.length <= 64)).toBe(true);
    const answer = await chat.press(path, question.buttons[0]?.value ?? "", { id: "61", name: "jane" });
    expect(answer.status).toBe(200);
    expect(chat.become(answer)).toBe(`Which *colour*? @everyone\n\nAnswered by ${chat.kind}:61/jane: red`);
    expect(await answerOf(question.sessionId)).toMatchObject({
      answer: { choice: "red", by: { kind: chat.kind, id: null, name: `${chat.kind}:61/jane` } },
    });
    expect((await readRun(question.runId)).status).toBe("running");
    expect(await deliveriesTo(triggerId)).toEqual([]);
  });

  it("pressed by a second person, or told of twice, says who was first, and changes nothing", async () => {
    using question = await asked(chat);
    const { path } = await endpointOf(chat);
    const [first, second] = question.buttons.map(({ value }) => value);
    await chat.press(path, first ?? "", { id: "61", name: "jane" });
    for (const [value, user] of [
      [second ?? "", { id: "62", name: "<!x>" }],
      [first ?? "", { id: "61", name: "jane" }],
    ] as const) {
      const answer = await chat.press(path, value, user);
      expect([answer.status, chat.become(answer)]).toEqual([
        200,
        expect.stringMatching(new RegExp(`answered already\\. By: ${chat.kind}:61/jane`)),
      ]);
    }
    expect(await answerOf(question.sessionId)).toMatchObject({ answer: { choice: "red" } });
  });

  it("of a call that waits to be approved has a button for yes and one for no", async () => {
    using question = await asked(chat, APPROVAL);
    const { path } = await endpointOf(chat);
    expect(question.buttons.map(({ label }) => label)).toEqual(["Approve", "Refuse"]);
    const answer = await chat.press(path, question.buttons[1]?.value ?? "", { id: "61" });
    expect(chat.become(answer)).toMatch(new RegExp(`Answered by ${chat.kind}:61: refused$`));
    expect(await answerOf(question.sessionId)).toMatchObject({ answer: { approve: false } });
  });

  it("has no button where the answer is a text, and what was written is shown as it is", async () => {
    using question = await asked(chat, { ...QUESTION, choices: [] });
    expect(question.buttons).toEqual([]);
    expect(chat.textOf(question.message).replaceAll("\\", "")).toContain("Which *colour*? @everyone");
  });

  it("is not answered by what is none of our buttons, which is an event", async () => {
    using question = await asked(chat);
    const { path, triggerId } = await endpointOf(chat);
    const value = question.buttons[0]?.value ?? "";
    const of = { run_id: question.runId, mark: await markOf(QUESTION.id), answer: 0 };
    const others = [
      "restart",
      value.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
      value.replace(/^(.{26})00/, "$101"),
      await makeShortToken("x".repeat(32), of),
    ];
    for (const other of others) {
      const { status, body } = await chat.press(path, other, { id: "61" });
      expect([200, 202]).toContain(status);
      expect(chat.become({ status, body })).toBeNull();
    }
    expect(await deliveriesTo(triggerId)).toHaveLength(others.length);
    expect((await readRun(question.runId)).status).toBe("waiting");
    expect(await answerOf(question.sessionId)).toBeUndefined();
  });

  it("that the run has not asked, or not with that choice, is told to whoever pressed", async () => {
    using question = await asked(chat);
    const { path } = await endpointOf(chat);
    const key = VARIABLE_CANARIES.SIGNING_KEY;
    for (const [id, answer] of [
      ["toolu_other", 0],
      [QUESTION.id, 7],
    ] as const) {
      const token = await makeShortToken(key, { run_id: question.runId, mark: await markOf(id), answer });
      const answered = await chat.press(path, token, { id: "61" });
      expect(answered.status).toBe(200);
      expect(chat.told(answered)).toMatch(/question/i);
    }
    expect((await readRun(question.runId)).status).toBe("waiting");
  });
});

describe("a message to Telegram", () => {
  it("names the chat and the topic that the address names, and no address in its text", async () => {
    using question = await asked(telegram);
    expect(question.message).toMatchObject({ chat_id: `-100${made}`, message_thread_id: "7" });
  });
});
