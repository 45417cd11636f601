/** Telegram and Discord, both ways: questions are answered by buttons, and what is said goes to the run that is on. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeShortToken, markOf } from "#instance/notifications/short-answer-token.ts";
import type { AskedQuestion } from "#protocol/question.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { type Chat, discord, telegram } from "#test/support/chats.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { hide } from "#test/support/hidden.ts";
import { brought, nextWork, occurrences } from "#test/support/keyed.ts";
import { VARIABLE_CANARIES } from "#test/support/secret-kinds.ts";

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
async function endpointOf({ kind, secret }: Chat, more: object = {}) {
  const routine = await buildRoutine({ triggers: [{ type: "webhook", source: kind }], ...more });
  const [trigger] = routine.triggers;
  if (trigger === undefined) return expect.unreachable("the routine has a trigger");
  await call("POST", `/api/v1/routines/${routine.id}/triggers/${trigger.id}/secret`, { secret });
  return { path: `/webhooks/${kind}/${trigger.id}`, triggerId: trigger.id, routine };
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

describe.each([telegram, discord])("what is said in $kind", (chat) => {
  it("wakes, and what answers it goes to the run that is on, once", async () => {
    using runner = await FakeRunner.join();
    const { path, routine } = await endpointOf(chat, { session: "keyed", session_key: "{{webhook.conversation}}" });
    await chat.say(path, "first", 0);
    const work = await nextWork(runner);
    await chat.say(path, "second", 1);
    await chat.say(path, "second", 1);
    const all = await vi.waitFor(async () => {
      const found = await occurrences(routine);
      expect(found).toHaveLength(3);
      return found;
    });
    const [first, ...later] = all;
    expect(later.map(({ outcome, reason }) => [outcome, reason]).sort()).toEqual([
      ["duplicate", expect.any(String)],
      ["queued", "given_to_run"],
    ]);
    expect(later.find(({ outcome }) => outcome === "queued")).toMatchObject({ run_id: first?.run_id });
    await work.link.next(({ type }) => type === "message");
    expect(brought(work)).toEqual([expect.stringContaining("second")]);
  });
});

describe("a message to Telegram", () => {
  it("names the chat and the topic that the address names, and no address in its text", async () => {
    using question = await asked(telegram);
    expect(question.message).toMatchObject({ chat_id: `-100${made}`, message_thread_id: "7" });
  });
});
