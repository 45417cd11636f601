/** A question in Slack is answered by its buttons: verified, once, and the message says what has become of it. */
import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeAnswerToken } from "#instance/notifications/answer-token.ts";
import type { AskedQuestion } from "#protocol/question.ts";
import { buildRoutine, call, fired, readRun, readTranscript } from "#test/support/api.ts";
import { hmacHex, post } from "#test/support/deliver.ts";
import { FakeRunner, RUNNING } from "#test/support/fake-runner.ts";
import { hide } from "#test/support/hidden.ts";
import { VARIABLE_CANARIES } from "#test/support/secret-kinds.ts";

const PATH = "/webhooks/slack/interactive";
const QUESTION: AskedQuestion = {
  id: "toolu_question",
  kind: "question",
  text: "Which <colour>?",
  choices: ["red & white", "b".repeat(100)],
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
const MINUTE_MS = 60_000;

interface Button {
  text: { text: string };
  value: string;
  style?: string;
}
interface Message {
  text: string;
  blocks: { type: string; elements?: Button[]; text?: { type: string; text: string } }[];
  replace_original?: boolean;
}

/** What Slack was sent, by address. */
let sent: { url: string; message: Message }[] = [];
let slackAnswers: () => Response = () => new Response("ok");
let made = 0;

beforeEach(() => {
  vi.useRealTimers();
  sent = [];
  slackAnswers = () => new Response("ok");
  vi.mocked(globalThis.fetch).mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    if (!request.url.startsWith("https://hooks.slack.com/")) throw new TypeError("no such host");
    const message: Message = await request.json();
    sent.push({ url: request.url, message });
    return slackAnswers();
  });
});

/** A run that asks, and the buttons of the message that came of it. */
async function asked(question: AskedQuestion = QUESTION) {
  made += 1;
  const hook = `https://hooks.slack.com/services/T1/B1/canary-hook-${made}0000000`;
  hide(hook);
  await call("PUT", `/api/v1/secrets/SLACK_${made}`, { value: hook });
  const routine = await buildRoutine({
    limits: { timeout: "10h", answer: "1h" },
    notify: [{ on: ["waiting"], slack: `{{SLACK_${made}}}` }],
  });
  const runner = await FakeRunner.join();
  const { run_id: runId, claude_code_session_id: sessionId } = await fired(routine);
  const work = await runner.work(await runner.accept());
  await work.report(RUNNING, { kind: "waiting", for: question.kind, question });
  const message = await vi.waitFor(() => {
    const found = sent.find(({ url }) => url === hook);
    if (found === undefined) throw new Error("Slack was not told");
    return found.message;
  });
  const buttons = message.blocks.find(({ type }) => type === "actions")?.elements ?? [];
  return { runId, sessionId, buttons, message, runner, [Symbol.dispose]: () => runner[Symbol.dispose]() };
}

/** Presses a button as Slack tells it. */
async function press(
  value: string,
  {
    user = { id: "U061F7AUR", username: "jane" } as { id: string; username?: string },
    secret = VARIABLE_CANARIES.SLACK_SIGNING_SECRET,
    time = Math.floor(Date.now() / 1_000),
    responseUrl = "https://hooks.slack.com/actions/T1/1/response",
  } = {},
): Promise<number> {
  const actions = [{ type: "button", action_id: "answer_0", value }];
  const payload = JSON.stringify({ type: "block_actions", user, actions, response_url: responseUrl });
  const body = new URLSearchParams({ payload }).toString();
  const signature = `v0=${await hmacHex(secret, `v0:${time}:${body}`)}`;
  const response = await post(PATH, body, {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": String(time),
    "x-slack-signature": signature,
  });
  await response.arrayBuffer();
  return response.status;
}

const updates = () => sent.filter(({ url }) => url.includes("/actions/")).map(({ message }) => message);
const untilUpdated = (count: number) =>
  vi.waitFor(() => {
    expect(updates()).toHaveLength(count);
    return updates();
  });
const answerOf = async (sessionId: string) =>
  (await readTranscript(sessionId)).find((event) => event.type === "question.answered");

describe("a question in Slack", () => {
  it("is answered by its button, by whoever pressed it, and its message says so without buttons", async () => {
    using question = await asked();
    const { buttons, runId, sessionId } = question;
    expect(buttons.map(({ text }) => text.text)).toEqual(["red &amp; white", `${"b".repeat(74)}…`]);
    expect(buttons.every(({ value }) => value.length < 500)).toBe(true);
    expect(await press(buttons[0]?.value ?? "")).toBe(200);
    expect(await answerOf(sessionId)).toMatchObject({
      answer: { choice: "red & white", by: { kind: "slack", id: null, name: "slack:U061F7AUR/jane" } },
    });
    expect((await readRun(runId)).status).toBe("running");
    const [update] = await untilUpdated(1);
    expect(update).toMatchObject({ replace_original: true });
    expect(update?.blocks.map(({ text }) => text)).toEqual([
      { type: "plain_text", text: "Which &lt;colour&gt;?" },
      { type: "plain_text", text: "Answered by slack:U061F7AUR/jane: red &amp; white" },
    ]);
  });

  it("pressed by a second person tells who was first, and changes nothing", async () => {
    using question = await asked();
    const [first, second] = question.buttons.map(({ value }) => value);
    expect(await press(first ?? "")).toBe(200);
    expect(await press(second ?? "", { user: { id: "U2", username: "<!channel>" } })).toBe(200);
    const [, update] = await untilUpdated(2);
    expect(update?.text).toMatch(/answered already\. By: slack:U061F7AUR\/jane/);
    expect(await answerOf(question.sessionId)).toMatchObject({ answer: { choice: "red & white" } });
  });

  it("of a call that waits to be approved has a button for yes and one for no", async () => {
    using question = await asked(APPROVAL);
    expect(question.buttons.map(({ text, style }) => [text.text, style])).toEqual([
      ["Approve", "primary"],
      ["Refuse", "danger"],
    ]);
    expect(await press(question.buttons[1]?.value ?? "", { user: { id: "U2" } })).toBe(200);
    expect(await answerOf(question.sessionId)).toMatchObject({ answer: { approve: false, by: { name: "slack:U2" } } });
  });

  it("has no button where the answer is a text", async () => {
    using question = await asked({ ...QUESTION, choices: [] });
    expect(question.buttons).toEqual([]);
  });

  it("keeps the answer while Slack is out of order, and changes the message later", async () => {
    using question = await asked();
    slackAnswers = () => new Response("no", { status: updates().length === 1 ? 503 : 200 });
    expect(await press(question.buttons[0]?.value ?? "")).toBe(200);
    expect((await readRun(question.runId)).status).toBe("running");
    await untilUpdated(2);
  });

  it.each<[string, number, (value: string) => Promise<number>]>([
    ["signed by somebody else", 401, (value) => press(value, { secret: "another-secret-0123456789" })],
    ["told six minutes ago", 401, (value) => press(value, { time: Math.floor(Date.now() / 1_000) - 360 })],
    ["whose value was changed", 409, (value) => press(value.replace(/.$/, (last) => (last === "0" ? "1" : "0")))],
    [
      "with a value of our own form, signed by another key",
      409,
      async () =>
        press(
          await makeAnswerToken("x".repeat(32), {
            run_id: "run_00000000000000000000000000",
            question_id: "q",
            answer: true,
            until_ms: Date.now() + MINUTE_MS,
          }),
        ),
    ],
    [
      "that would change a message elsewhere",
      200,
      (value) => press(value, { responseUrl: "https://evil.example.com/x" }),
    ],
  ])("is not answered by a press %s", async (_what, status, pressing) => {
    using question = await asked();
    expect(await pressing(question.buttons[0]?.value ?? "")).toBe(status);
    expect((await readRun(question.runId)).status).toBe("waiting");
    expect(await answerOf(question.sessionId)).toBeUndefined();
  });

  it("is not answered once its time is over", async () => {
    using question = await asked();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61 * MINUTE_MS });
    expect(await press(question.buttons[0]?.value ?? "")).toBe(409);
    vi.useRealTimers();
  });
});
